"""trim: a text without the space around it."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="trim",
    params=(Param("value", "text"),),
    result="text",
    doc="Gives the text without white space, such as spaces and line ends, at its beginning and end.",
    rewrites=True,
    examples=(
        Example('trim("  Ana Maria \\n")', gives='"Ana Maria"'),
        Example('trim("   ")', gives='""'),
    ),
)


def trim(value: str) -> str:
    """The text without white space around it. Idempotent."""
    return value.strip()
