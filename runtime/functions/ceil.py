"""ceil: a number rounded up to a whole one."""

from decimal import ROUND_CEILING, Decimal

from compiler.catalog import Example, Function, Param
from runtime.functions._numbers import whole

SIGNATURE = Function(
    name="ceil",
    params=(Param("value", "decimal"),),
    result="int",
    doc="Gives the smallest whole number that is not below the number.",
    failures=("overflow",),
    examples=(
        Example("ceil(2.1)", gives="3"),
        Example("ceil(-2.7)", gives="-2"),
        Example("ceil(12345678901234567890.5)", fails="overflow"),
    ),
)


def ceil(value: Decimal | int) -> int:
    """The whole number; raises StepFailure `overflow`."""
    return whole(Decimal(value), ROUND_CEILING)
