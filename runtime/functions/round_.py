"""round: a number with fewer decimal places."""

from decimal import Decimal

from compiler.catalog import Example, Function, Param
from runtime.functions._numbers import check_places, rounded

SIGNATURE = Function(
    name="round",
    params=(
        Param("value", "decimal"),
        Param("places", "int", required=False, doc="how many decimal places stay, 0 to 28; without it 0"),
    ),
    result="decimal",
    doc=(
        "Rounds a number to at most that many decimal places. What lies just between two goes to the even one, as in "
        "division and in ABNT NBR 5891, so that sums of many do not drift: 0.125 is 0.12, 0.135 is 0.14."
    ),
    failures=("out_of_range",),
    examples=(
        Example("round(10.456, 2)", gives="10.46"),
        Example("round(0.125, 2)", gives="0.12"),
        Example("round(0.135, 2)", gives="0.14"),
        Example("round(-2.5)", gives="-2"),
        Example("round(7, 2)", gives="7"),
        Example("round(7, -1)", fails="out_of_range"),
    ),
)


def round_(value: Decimal | int, places: int = 0) -> Decimal:
    """The number, half to even (ABNT NBR 5891, 2.3 and 2.4). Raises StepFailure `out_of_range`. Idempotent."""
    check_places(places)
    number = Decimal(value)
    _, _, exponent = number.as_tuple()
    return rounded(number, places) if int(exponent) < -places else number
