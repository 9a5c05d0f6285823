"""only_digits: the digits of a text."""

from unicodedata import decimal

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="only_digits",
    params=(Param("value", "text"),),
    result="text",
    doc="Gives the digits of the text and nothing else; digits of other scripts become 0 to 9.",
    rewrites=True,
    examples=(
        Example('only_digits("123.456.789-09")', gives='"12345678909"'),
        Example('only_digits("sem número")', gives='""'),
    ),
)


def only_digits(value: str) -> str:
    """The decimal digits, as ASCII. Idempotent."""
    return "".join(str(digit) for digit in (decimal(character, -1) for character in value) if digit >= 0)
