"""abs: a number without its sign."""

from decimal import Decimal

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="abs",
    params=(Param("value", "decimal"),),
    result="decimal",
    doc="Gives the number without its sign.",
    examples=(
        Example("abs(-12.50)", gives="12.50"),
        Example("abs(3)", gives="3"),
    ),
)


def abs_(value: Decimal | int) -> Decimal:
    """The absolute value, with every digit. Idempotent."""
    return Decimal(value).copy_abs()
