"""format_datetime: an instant in text, by the clocks of a place."""

from datetime import datetime

from compiler.catalog import Example, Function, Param
from runtime.functions._patterns import DATE_AND_TIME, FIELDS, OFFSET, write
from runtime.functions._zones import DEFAULT_ZONE, ZONE, local

SIGNATURE = Function(
    name="format_datetime",
    params=(
        Param("at", "datetime"),
        Param("pattern", "text", constant=True, doc=f"of {FIELDS}"),
        ZONE,
    ),
    result="text",
    doc=(
        "Writes an instant as the pattern says, in the time of a zone. XXX is the offset, such as -03:00, or Z in UTC."
    ),
    failures=("bad_pattern", "out_of_range", "unknown_zone"),
    examples=(
        Example(
            'format_datetime(parse_datetime("2024-12-31T11:00:00Z"), "dd/MM/yyyy HH:mm")',
            gives='"31/12/2024 08:00"',
        ),
        Example(
            'format_datetime(parse_datetime("2024-12-31T11:00:00Z"), "H\'h\'mm", "America/Manaus")',
            gives='"7h00"',
        ),
        Example(
            'format_datetime(parse_datetime("2024-12-31T11:00:00Z"), "yyyy-MM-dd\'T\'HH:mm:ssXXX")',
            gives='"2024-12-31T08:00:00-03:00"',
        ),
        Example('format_datetime(parse_datetime("2024-12-31T11:00:00Z"), "DD/MM")', fails="bad_pattern"),
        Example('format_datetime(parse_datetime("2024-12-31T11:00:00Z"), "HH", "Brasil")', fails="unknown_zone"),
        Example('format_datetime(parse_datetime("0001-01-01T00:00:00Z"), "HH")', fails="out_of_range"),
    ),
)


def format_datetime(at: datetime, pattern: str, zone: str = DEFAULT_ZONE) -> str:
    """The instant in text; raises StepFailure `bad_pattern`, `out_of_range` or `unknown_zone`."""
    return write(pattern, local(at, zone), DATE_AND_TIME + OFFSET)
