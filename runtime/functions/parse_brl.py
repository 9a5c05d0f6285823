"""parse_brl: an amount in reais, as people type it."""

from decimal import Decimal

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure
from runtime.functions._numbers import read_brazilian

SIGNATURE = Function(
    name="parse_brl",
    params=(Param("value", "text"),),
    result="decimal",
    doc="Reads an amount in reais, with or without R$, as `parse_decimal_br` reads its number.",
    failures=("not_a_number", "overflow"),
    examples=(
        Example('parse_brl("R$ 1.234,56")', gives="1234.56"),
        Example('parse_brl("-R$10,00")', gives="-10"),
        Example('parse_brl("R$ -10,00")', gives="-10"),
        Example('parse_brl("99,90")', gives="99.90"),
        Example('parse_brl("US$ 10,00")', fails="not_a_number"),
        Example('parse_brl("12345678901234567890123456789")', fails="overflow"),
    ),
)


def parse_brl(value: str) -> Decimal:
    """The amount; raises StepFailure `not_a_number` or `overflow`."""
    text = value.strip()
    amount = text.removeprefix("-").lstrip().removeprefix("R$").lstrip()
    if not text.startswith("-"):
        return read_brazilian(amount)
    if amount.startswith(("-", "+")):
        raise StepFailure("not_a_number", "the text is not an amount such as R$ 1.234,56: it has two signs")
    number = read_brazilian(amount)
    return number.copy_negate() if number else number
