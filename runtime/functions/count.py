"""count: how many items a list has."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="count",
    params=(Param("items", "[T]"),),
    result="int",
    doc="Counts the items of a list. `length` is for texts.",
    examples=(
        Example('count(["ana", "bia"])', gives="2"),
        Example("count([])", gives="0"),
    ),
)


def count(items: list[object]) -> int:
    """The number of items."""
    return len(items)
