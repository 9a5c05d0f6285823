"""floor: a number rounded down to a whole one."""

from decimal import ROUND_FLOOR, Decimal

from compiler.catalog import Example, Function, Param
from runtime.functions._numbers import whole

SIGNATURE = Function(
    name="floor",
    params=(Param("value", "decimal"),),
    result="int",
    doc="Gives the largest whole number that is not above the number.",
    failures=("overflow",),
    examples=(
        Example("floor(2.7)", gives="2"),
        Example("floor(-2.1)", gives="-3"),
        Example("floor(12345678901234567890.5)", fails="overflow"),
    ),
)


def floor(value: Decimal | int) -> int:
    """The whole number; raises StepFailure `overflow`."""
    return whole(Decimal(value), ROUND_FLOOR)
