"""min: the smaller of two numbers."""

from decimal import Decimal

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="min",
    params=(Param("a", "decimal"), Param("b", "decimal")),
    result="decimal",
    doc="Gives the smaller of two numbers.",
    examples=(
        Example("min(2, 10)", gives="2"),
        Example("min(0, -1.5)", gives="-1.5"),
    ),
)


def min_(a: Decimal | int, b: Decimal | int) -> Decimal:
    """The smaller one; of equal ones, the first."""
    return Decimal(min(a, b))
