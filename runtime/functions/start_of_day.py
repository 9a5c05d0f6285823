"""start_of_day: the instant at which a day began."""

from datetime import datetime

from compiler.catalog import Example, Function, Param
from runtime.functions._zones import DEFAULT_ZONE, ZONE, local, midnight

SIGNATURE = Function(
    name="start_of_day",
    params=(Param("at", "datetime"), ZONE),
    result="datetime",
    doc=(
        "Gives the instant at which the day of the given one began in the zone: 00:00, or the first time there was "
        "where clocks were turned forward at midnight."
    ),
    failures=("out_of_range", "unknown_zone"),
    examples=(
        Example(
            'start_of_day(parse_datetime("2025-01-01T02:00:00Z"))',
            gives='parse_datetime("2024-12-31T03:00:00Z")',
        ),
        Example(
            'start_of_day(parse_datetime("2018-11-04T15:00:00Z"))',
            gives='parse_datetime("2018-11-04T03:00:00Z")',
        ),
        Example('start_of_day(parse_datetime("2025-01-01T02:00:00Z"), "")', fails="unknown_zone"),
        Example('start_of_day(parse_datetime("0001-01-01T00:00:00Z"))', fails="out_of_range"),
    ),
)


def start_of_day(at: datetime, zone: str = DEFAULT_ZONE) -> datetime:
    """The instant in UTC; raises StepFailure `out_of_range` or `unknown_zone`. Idempotent."""
    return midnight(local(at, zone), zone)
