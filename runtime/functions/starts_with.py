"""starts_with: whether a text begins with another one."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="starts_with",
    params=(Param("value", "text"), Param("part", "text")),
    result="bool",
    doc="Says whether the text begins with another one. Capitals are other letters than small ones.",
    examples=(
        Example('starts_with("+5511987654321", "+55")', gives="true"),
        Example('starts_with("5511987654321", "+55")', gives="false"),
    ),
)


def starts_with(value: str, part: str) -> bool:
    """Whether the text begins with another one."""
    return value.startswith(part)
