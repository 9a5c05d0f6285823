"""length: how long a text is."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="length",
    params=(Param("value", "text"),),
    result="int",
    doc="Counts the characters (Unicode code points) of a text. `count` is for lists.",
    examples=(
        Example('length("João")', gives="4"),
        Example('length("")', gives="0"),
    ),
)


def length(value: str) -> int:
    """The number of code points."""
    return len(value)
