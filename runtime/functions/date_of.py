"""date_of: the date of an instant."""

from datetime import date, datetime

from compiler.catalog import Example, Function, Param
from runtime.functions._zones import DEFAULT_ZONE, ZONE, local

SIGNATURE = Function(
    name="date_of",
    params=(Param("at", "datetime"), ZONE),
    result="date",
    doc="Gives the date that calendars of the zone show at an instant.",
    failures=("out_of_range", "unknown_zone"),
    examples=(
        Example('date_of(parse_datetime("2025-01-01T02:00:00Z"))', gives='parse_date("2024-12-31")'),
        Example('date_of(parse_datetime("2025-01-01T02:00:00Z"), "UTC")', gives='parse_date("2025-01-01")'),
        Example('date_of(parse_datetime("2025-01-01T02:00:00Z"), "Lua")', fails="unknown_zone"),
        Example('date_of(parse_datetime("0001-01-01T00:00:00Z"))', fails="out_of_range"),
    ),
)


def date_of(at: datetime, zone: str = DEFAULT_ZONE) -> date:
    """The date there; raises StepFailure `out_of_range` or `unknown_zone`."""
    return local(at, zone).date()
