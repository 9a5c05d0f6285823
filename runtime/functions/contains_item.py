"""contains_item: whether a value is in a list."""

from typing import TypeVar

from compiler.catalog import Example, Function, Param
from runtime.functions._equality import identity

SIGNATURE = Function(
    name="contains_item",
    params=(Param("items", "[T]"), Param("item", "T")),
    result="bool",
    doc=(
        "Says whether a value is one of a list's. Lists and records are the same where all that is in them is; nested "
        "more than 64 deep they are failure `too_deep`. `contains` is for texts."
    ),
    failures=("too_deep",),
    examples=(
        Example('contains_item(["site", "loja"], "loja")', gives="true"),
        Example('contains_item(["site", "loja"], "Loja")', gives="false"),
        Example("contains_item([{id: 1}], {id: 1})", gives="true"),
    ),
)

T = TypeVar("T")


def contains_item(items: list[T], item: T) -> bool:
    """Whether an item is the same; raises StepFailure `too_deep`."""
    wanted = identity(item)
    return any(identity(candidate) == wanted for candidate in items)
