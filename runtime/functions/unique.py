"""unique: a list without repeats."""

from typing import TypeVar

from compiler.catalog import Example, Function, Param
from runtime.functions._equality import identity

SIGNATURE = Function(
    name="unique",
    params=(Param("items", "[T]"),),
    result="[T]",
    doc=(
        "Gives a list without items that came before, in the same order. Lists and records are the same where all that "
        "is in them is; nested more than 64 deep they are failure `too_deep`."
    ),
    failures=("too_deep",),
    examples=(
        Example('unique(["ana", "bia", "ana"])', gives='["ana", "bia"]'),
        Example("unique([1, 1.0, 2])", gives="[1, 2]"),
        Example("unique([{id: 1}, {id: 1}])", gives="[{id: 1}]"),
    ),
)

T = TypeVar("T")


def unique(items: list[T]) -> list[T]:
    """A new list of the first of each; raises StepFailure `too_deep`. Idempotent."""
    found: dict[object, T] = {}
    for item in items:
        found.setdefault(identity(item), item)
    return list(found.values())
