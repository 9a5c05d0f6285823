"""parse_local_datetime: the instant that a text says by the clocks of a place."""

from datetime import datetime

from compiler.catalog import Example, Function, Param
from runtime.functions._patterns import DATE_AND_TIME, read
from runtime.functions._zones import DEFAULT_ZONE, ZONE, instant

SIGNATURE = Function(
    name="parse_local_datetime",
    params=(
        Param("value", "text"),
        Param(
            "pattern",
            "text",
            constant=True,
            doc="as of `parse_date`, with HH or H, mm, ss and SSS; what it does not have is 0",
        ),
        ZONE,
    ),
    result="datetime",
    doc=(
        "Reads date and time without an offset, written exactly as the pattern says, as clocks of the zone show them. "
        "When clocks are turned back, a time that comes twice is the first; when they are turned forward, one that is "
        "skipped is as much later."
    ),
    failures=("bad_datetime", "bad_pattern", "out_of_range", "unknown_zone"),
    examples=(
        Example(
            'parse_local_datetime("31/12/2024 08:00", "dd/MM/yyyy HH:mm")',
            gives='parse_datetime("2024-12-31T11:00:00Z")',
        ),
        Example(
            'parse_local_datetime("2024-07-01 08:00:00", "yyyy-MM-dd HH:mm:ss", "Europe/Lisbon")',
            gives='parse_datetime("2024-07-01T07:00:00Z")',
        ),
        Example('parse_local_datetime("31/12/2024 24:00", "dd/MM/yyyy HH:mm")', fails="bad_datetime"),
        Example('parse_local_datetime("31/12/2024 08h", "dd/MM/yyyy HHh")', fails="bad_pattern"),
        Example('parse_local_datetime("31/12/2024 08", "dd/MM/yyyy HH", "Brasília")', fails="unknown_zone"),
        Example('parse_local_datetime("31/12/9999 23:00", "dd/MM/yyyy HH:mm")', fails="out_of_range"),
    ),
)


def parse_local_datetime(value: str, pattern: str, zone: str = DEFAULT_ZONE) -> datetime:
    """The instant in UTC; raises StepFailure `bad_datetime`, `bad_pattern`, `out_of_range` or `unknown_zone`."""
    return instant(read(pattern, value, DATE_AND_TIME, "bad_datetime"), zone)
