"""parse_decimal_br: the number that a text says, written as in Brazil."""

from decimal import Decimal

from compiler.catalog import Example, Function, Param
from runtime.functions._numbers import read_brazilian

SIGNATURE = Function(
    name="parse_decimal_br",
    params=(Param("value", "text"),),
    result="decimal",
    doc=(
        "Reads a number with a decimal comma, and with points between groups of three digits or without any, exactly. "
        "A point anywhere else is refused: 1.5 may be anything."
    ),
    failures=("not_a_number", "overflow"),
    examples=(
        Example('parse_decimal_br("1.234,56")', gives="1234.56"),
        Example('parse_decimal_br("1234,5")', gives="1234.5"),
        Example('parse_decimal_br("-1.000")', gives="-1000"),
        Example('parse_decimal_br("1.5")', fails="not_a_number"),
        Example('parse_decimal_br("12345678901234567890123456789")', fails="overflow"),
    ),
)


def parse_decimal_br(value: str) -> Decimal:
    """The number; raises StepFailure `not_a_number` or `overflow`."""
    return read_brazilian(value)
