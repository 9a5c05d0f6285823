"""first: the first item of a list."""

from typing import TypeVar

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="first",
    params=(Param("items", "[T]"),),
    result="T?",
    doc="Gives the first item of a list; absence where it has none.",
    examples=(
        Example('first(["ana", "bia"])', gives='"ana"'),
        Example("first([])", gives="none"),
    ),
)

T = TypeVar("T")


def first(items: list[T]) -> T | None:
    """The first item, or None."""
    return items[0] if items else None
