"""take: the beginning of a list."""

from typing import TypeVar

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="take",
    params=(Param("items", "[T]"), Param("most", "int", doc="how many items at most")),
    result="[T]",
    doc="Gives the first items of a list: as many as are wanted, or all there are.",
    examples=(
        Example("take([1, 2, 3], 2)", gives="[1, 2]"),
        Example("take([1, 2, 3], 5)", gives="[1, 2, 3]"),
        Example("take([1, 2, 3], -1)", gives="[]"),
    ),
)

T = TypeVar("T")


def take(items: list[T], most: int) -> list[T]:
    """A new list of the first `most` items. Idempotent."""
    return items[: max(most, 0)]
