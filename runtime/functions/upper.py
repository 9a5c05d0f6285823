"""upper: a text in capital letters."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="upper",
    params=(Param("value", "text"),),
    result="text",
    doc="Gives the text in capital letters, by Unicode's rules and whatever the language.",
    rewrites=True,
    examples=(
        Example('upper("são")', gives='"SÃO"'),
        Example('upper("straße")', gives='"STRASSE"'),
    ),
)


def upper(value: str) -> str:
    """The text in capital letters."""
    return value.upper()
