"""last: the last item of a list."""

from typing import TypeVar

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="last",
    params=(Param("items", "[T]"),),
    result="T?",
    doc="Gives the last item of a list; absence where it has none.",
    examples=(
        Example('last(["ana", "bia"])', gives='"bia"'),
        Example("last([])", gives="none"),
    ),
)

T = TypeVar("T")


def last(items: list[T]) -> T | None:
    """The last item, or None."""
    return items[-1] if items else None
