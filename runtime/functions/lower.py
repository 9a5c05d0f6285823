"""lower: a text in small letters."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="lower",
    params=(Param("value", "text"),),
    result="text",
    doc="Gives the text in small letters, by Unicode's rules and whatever the language.",
    rewrites=True,
    examples=(Example('lower("SÃO João")', gives='"são joão"'),),
)


def lower(value: str) -> str:
    """The text in small letters."""
    return value.lower()
