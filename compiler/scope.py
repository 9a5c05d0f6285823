"""Names and what they stand for. A scope never changes: binding a name gives a new scope."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from compiler.types import Clash, OptionalOf, Type, join, optional
from dsl.source import Span

ROOTS = ("payload", "headers", "query", "run", "secret", "config", "error")


@dataclass(frozen=True, slots=True)
class Binding:
    """What a name stands for from one place on. `variable` is unique in its flow."""

    name: str
    variable: str  # unique in its flow: no name of the language holds `#` or `.`; a payload field's begins with `p.`
    type: Type
    span: Span
    origin: Literal["payload", "step"]
    lenient: bool = False  # a payload field that only an `upsert` inferred: nothing is filled from it


@dataclass(frozen=True, slots=True)
class Scope:
    """The names in force at one place of a flow. `ended`: no path goes on from here."""

    names: dict[str, Binding] = field(default_factory=dict)
    ended: Span | None = None
    present: frozenset[tuple[str, str]] = frozenset()  # variables and the paths of theirs that are known to be there
    answered: Literal["no", "maybe", "yes"] = "no"  # whether the paths to here have answered the sender

    def bind(self, binding: Binding) -> "Scope":
        """This scope with a name bound, perhaps anew."""
        return replace(self, names={**self.names, binding.name: binding})

    def end(self, span: Span) -> "Scope":
        """This scope after a step from which nothing goes on."""
        return replace(self, ended=self.ended or span)

    def answer(self) -> "Scope":
        """This scope after the sender has been answered."""
        return replace(self, answered="yes")

    def without(self, name: str) -> "Scope":
        """This scope as if a name had never been bound."""
        return replace(self, names={known: b for known, b in self.names.items() if known != name})

    def get(self, name: str) -> Binding | None:
        """What a name stands for here."""
        return self.names.get(name)

    def __iter__(self) -> Iterator[Binding]:
        return iter(self.names.values())


@dataclass(frozen=True, slots=True)
class Merged:
    """A name that several paths leave with values of their own: `sources` has each path's variable, or None."""

    binding: Binding
    sources: tuple[Binding | None, ...]


def merge(before: Scope, paths: list[Scope], suffix: str) -> tuple[Scope, list[Merged]]:
    """The scope after paths that meet again, and the names that need a common variable (named with `suffix`).

    A name has type T if every path that goes on binds it as T, `T?` if some leave it unbound, and no usable type
    (`Clash`) if they bind it to different ones.
    """
    going_on = [path for path in paths if path.ended is None]
    if not going_on:
        return replace(before, ended=paths[0].ended), []
    answered = {path.answered for path in going_on}
    known = frozenset.intersection(*(path.present for path in going_on))
    names, merged = dict(before.names), list[Merged]()
    for name in _touched(before, going_on):
        found = [path.get(name) for path in going_on]
        present = [binding for binding in found if binding is not None]
        bound = replace(present[0], type=_joined(present, found))
        if len(present) < len(found) or len({binding.variable for binding in present}) > 1:
            bound = replace(bound, variable=f"{name}#{suffix}")
            merged.append(Merged(bound, tuple(None if path.ended else path.get(name) for path in paths)))
        names[name] = bound
    answer = answered.pop() if len(answered) == 1 else "maybe"
    return replace(before, names=names, present=known, answered=answer), merged


def _touched(before: Scope, paths: list[Scope]) -> dict[str, None]:
    """The names that a path has bound or narrowed, in order: of all others nothing is to be decided."""
    return {
        name: None for path in paths for name, binding in path.names.items() if before.names.get(name) is not binding
    }


def _joined(present: list[Binding], found: list[Binding | None]) -> Type:
    kind = join([binding.type for binding in present])
    if kind is None:
        return Clash()
    return optional(kind) if len(present) < len(found) else kind


def path_narrowed(scope: Scope, name: str, path: str) -> Scope:
    """The scope in which a field, such as `b.c` of `a`, is known to be there."""
    binding = scope.get(name)
    if binding is None:
        return scope
    return replace(scope, present=scope.present | {(binding.variable, path)})


def narrowed(scope: Scope, name: str) -> Scope:
    """The scope in which a name that may be absent is known to be there."""
    binding = scope.get(name)
    if binding is None or not isinstance(binding.type, OptionalOf):
        return scope
    return scope.bind(replace(binding, type=binding.type.inner))
