"""parse_decimal: the number that a text says, written as programs do."""

from decimal import Decimal

from compiler.catalog import Example, Function, Param
from runtime.functions._numbers import read_decimal

SIGNATURE = Function(
    name="parse_decimal",
    params=(Param("value", "text"),),
    result="decimal",
    doc=(
        "Reads a number with a decimal point, as programs write it, exactly. Commas and separators of thousands are "
        "refused, never guessed: `parse_decimal_br` reads 1.234,56."
    ),
    failures=("not_a_number", "overflow"),
    examples=(
        Example('parse_decimal("1234.56")', gives="1234.56"),
        Example('parse_decimal(" -0.5 ")', gives="-0.5"),
        Example('parse_decimal("1.5e3")', gives="1500"),
        Example('parse_decimal("1.234,56")', fails="not_a_number"),
        Example('parse_decimal("1e29")', fails="overflow"),
    ),
)


def parse_decimal(value: str) -> Decimal:
    """The number; raises StepFailure `not_a_number` or `overflow`."""
    return read_decimal(value)
