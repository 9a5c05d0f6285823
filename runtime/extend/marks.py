"""What Python beside the flows uses to become part of the language: decorators, and types that Python lacks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NewType, TypeVar, overload

Cnpj = NewType("Cnpj", str)
Cpf = NewType("Cpf", str)
Email = NewType("Email", str)
Phone = NewType("Phone", str)  # E.164, such as +5511987654321
Secret = NewType("Secret", str)  # what a flow reads as secret.NAME
Url = NewType("Url", str)

MARK: Final = "__seta__"  # the attribute that holds a mark
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class FunctionMark:
    """What is said of a function beside its hints."""

    rewrites: bool
    failures: tuple[str, ...]


@overload
def function(made: F, /) -> F: ...


@overload
def function(*, rewrites: bool = False, failures: Iterable[str] = ()) -> Callable[[F], F]: ...


def function(made: F | None = None, /, *, rewrites: bool = False, failures: Iterable[str] = ()) -> F | Callable[[F], F]:
    """Make a function part of the language, under its own name: a flow calls `f(x)`.

    It must be pure: no clock, randomness, files or network, for a run that goes on computes it again. It runs on the
    server's event loop, so it must be quick: while it computes, nothing else does. `rewrites` lets `f(x)` stand as a
    step that rewrites `x`; `failures` are the codes of the `Failure`s that it raises.
    """

    def mark(marked: F) -> F:
        setattr(marked, MARK, FunctionMark(rewrites, tuple(sorted(failures))))
        return marked

    return mark if made is None else mark(made)


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt of an own verb. `key` is the same for every attempt, also after a restart: hand it to the other side.

    `run` and `flow` say whose step it is, `at` when the attempt began; `config` is that of seta.toml, and `log` puts a
    line into the run's log.
    """

    key: str
    run: str
    flow: str
    at: datetime
    config: Mapping[str, str]
    log: Callable[[str], None]
    secrets: Mapping[str, str] = field(repr=False)  # those that the verb names


@dataclass(frozen=True, slots=True)
class VerbMark:
    """What is said of a verb beside its hints."""

    verb: str
    noun: str
    effect: str
    failures: tuple[str, ...]
    secrets: tuple[str, ...]


def verb(
    word: str,
    noun: str = "",
    *,
    effect: Literal["idempotent", "keyed", "once"],
    failures: Iterable[str] = (),
    secrets: Iterable[str] = (),
) -> Callable[[F], F]:
    """Make an `async def` part of the language: a flow writes `-> word noun by … to … with {…}`.

    Parameters called `by` and `to` are those clauses, one of the type `Call` is the attempt, and all others are fields
    of `with`. `effect` decides what may be repeated: whatever may pass (idempotent), only with the same key and where
    the flow says so (keyed), only what surely did not happen (once).
    """

    def mark(marked: F) -> F:
        setattr(marked, MARK, VerbMark(word, noun, effect, tuple(sorted(failures)), tuple(sorted(secrets))))
        return marked

    return mark
