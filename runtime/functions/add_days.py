"""add_days: a date some days later."""

from datetime import date, timedelta

from compiler.catalog import Example, Function, Param
from runtime.functions._zones import out_of_range

SIGNATURE = Function(
    name="add_days",
    params=(Param("day", "date"), Param("days", "int", doc="may be negative")),
    result="date",
    doc="Gives the date that many days later.",
    failures=("out_of_range",),
    examples=(
        Example('add_days(parse_date("2024-12-31"), 1)', gives='parse_date("2025-01-01")'),
        Example('add_days(parse_date("2024-03-01"), -1)', gives='parse_date("2024-02-29")'),
        Example('add_days(parse_date("9999-12-31"), 1)', fails="out_of_range"),
    ),
)


def add_days(day: date, days: int) -> date:
    """The date; raises StepFailure `out_of_range`."""
    try:
        return day + timedelta(days=days)
    except OverflowError as error:
        raise out_of_range() from error
