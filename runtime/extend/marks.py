"""What Python beside the flows uses to become part of the language: decorators, and types that Python lacks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, NewType, TypeVar, overload

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
