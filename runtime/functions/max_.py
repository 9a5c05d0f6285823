"""max: the larger of two numbers."""

from decimal import Decimal

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="max",
    params=(Param("a", "decimal"), Param("b", "decimal")),
    result="decimal",
    doc="Gives the larger of two numbers.",
    examples=(
        Example("max(2, 10)", gives="10"),
        Example("max(0, -1.5)", gives="0"),
    ),
)


def max_(a: Decimal | int, b: Decimal | int) -> Decimal:
    """The larger one; of equal ones, the first."""
    return Decimal(max(a, b))
