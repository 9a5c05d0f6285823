"""sum: numbers added up."""

from decimal import Decimal

from compiler.catalog import Example, Function, Param
from runtime.values import add

SIGNATURE = Function(
    name="sum",
    params=(Param("items", "[decimal]"),),
    result="decimal",
    doc="Adds the numbers of a list, from the first to the last, as `+` does; of none, 0.",
    failures=("overflow",),
    examples=(
        Example("sum([10.50, 20.25, 1])", gives="31.75"),
        Example("sum([])", gives="0"),
    ),
)


def sum_(items: list[Decimal | int]) -> Decimal:
    """The sum; raises StepFailure `overflow`."""
    total: Decimal | int = Decimal(0)
    for item in items:
        total = add(total, item)
    return Decimal(total)
