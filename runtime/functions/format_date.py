"""format_date: a date in text."""

from datetime import date, datetime

from compiler.catalog import Example, Function, Param
from runtime.functions._patterns import DATE, ISO_DATE, write

SIGNATURE = Function(
    name="format_date",
    params=(
        Param("day", "date"),
        Param(
            "pattern",
            "text",
            required=False,
            constant=True,
            doc=f"of yyyy, yy, MM, M, dd and d; other letters stand in single quotes; without it {ISO_DATE}",
        ),
    ),
    result="text",
    doc="Writes a date as the pattern says. `format_datetime` is for instants.",
    failures=("bad_pattern",),
    examples=(
        Example('format_date(parse_date("2024-12-31"), "dd/MM/yyyy")', gives='"31/12/2024"'),
        Example('format_date(parse_date("2024-02-01"), "d/M/yy")', gives='"1/2/24"'),
        Example('format_date(parse_date("2024-12-31"))', gives='"2024-12-31"'),
        Example('format_date(parse_date("2024-12-31"), "dd/MM HH:mm")', fails="bad_pattern"),
    ),
)


def format_date(day: date, pattern: str = ISO_DATE) -> str:
    """The date in text; raises StepFailure `bad_pattern`."""
    return write(pattern, datetime(day.year, day.month, day.day), DATE)  # noqa: DTZ001  # a date has no zone
