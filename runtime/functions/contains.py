"""contains: whether a text has another one in it."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="contains",
    params=(Param("value", "text"), Param("part", "text")),
    result="bool",
    doc="Says whether the text has another one in it. Capitals are other letters than small ones.",
    examples=(
        Example('contains("Rua das Flores", "das")', gives="true"),
        Example('contains("Rua das Flores", "DAS")', gives="false"),
    ),
)


def contains(value: str, part: str) -> bool:
    """Whether the text has another one in it."""
    return part in value
