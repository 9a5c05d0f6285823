"""ends_with: whether a text ends with another one."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="ends_with",
    params=(Param("value", "text"), Param("part", "text")),
    result="bool",
    doc="Says whether the text ends with another one. Capitals are other letters than small ones.",
    examples=(
        Example('ends_with("nota.pdf", ".pdf")', gives="true"),
        Example('ends_with("nota.PDF", ".pdf")', gives="false"),
    ),
)


def ends_with(value: str, part: str) -> bool:
    """Whether the text ends with another one."""
    return value.endswith(part)
