"""format_decimal_br: a number as it is written in Brazil."""

from decimal import Decimal

from compiler.catalog import Example, Function, Param
from runtime.functions._numbers import check_places, write_brazilian

SIGNATURE = Function(
    name="format_decimal_br",
    params=(
        Param("value", "decimal"),
        Param("places", "int", required=False, doc="how many decimal places it has, 0 to 28; without it 2"),
    ),
    result="text",
    doc=(
        "Writes a number with a decimal comma and points between groups of three digits, rounded as `round` does. "
        "`format_brl` is for amounts of money."
    ),
    failures=("out_of_range", "overflow"),
    examples=(
        Example("format_decimal_br(1234.56)", gives='"1.234,56"'),
        Example("format_decimal_br(1234567, 0)", gives='"1.234.567"'),
        Example("format_decimal_br(-0.5, 1)", gives='"-0,5"'),
        Example("format_decimal_br(1, 29)", fails="out_of_range"),
    ),
)


def format_decimal_br(value: Decimal | int, places: int = 2) -> str:
    """The number in text. Raises StepFailure `out_of_range`, or `overflow` where it has far more than 28 digits."""
    check_places(places)
    return write_brazilian(value, places)
