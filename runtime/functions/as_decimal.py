"""as_decimal: an exact number out of json."""

from decimal import Decimal

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure
from runtime.functions._numbers import fits_decimal, read_decimal

SIGNATURE = Function(
    name="as_decimal",
    params=(Param("value", "json"),),
    result="decimal?",
    doc=(
        "Gives the value where it is a number, or a text that `parse_decimal` reads, as a payload's decimal is sent "
        "either way; absence where it is anything else."
    ),
    examples=(
        Example("as_decimal(12.50)", gives="12.50"),
        Example("as_decimal(12)", gives="12"),
        Example('as_decimal("12.50")', gives="12.50"),
        Example('as_decimal("12,50")', gives="none"),
        Example("as_decimal(true)", gives="none"),
    ),
)


def as_decimal(value: object) -> Decimal | None:
    """The number if it is within the bounds of decimals, or None."""
    match value:
        case bool():
            return None
        case int() | Decimal():
            number = Decimal(value)
            return number if fits_decimal(number) else None
        case str():
            return _read(value)
        case _:
            return None


def _read(text: str) -> Decimal | None:
    try:
        return read_decimal(text)
    except StepFailure:
        return None
