"""add_months: the same day some months later."""

from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, date

from compiler.catalog import Example, Function, Param
from runtime.functions._zones import out_of_range

SIGNATURE = Function(
    name="add_months",
    params=(Param("day", "date"), Param("months", "int", doc="may be negative")),
    result="date",
    doc=(
        "Gives the same day that many months later, or the last day of a month that has no such day. Count from the "
        "first due date, not from the one before: 31 January, 29 February, 31 March."
    ),
    failures=("out_of_range",),
    examples=(
        Example('add_months(parse_date("2024-01-31"), 1)', gives='parse_date("2024-02-29")'),
        Example('add_months(parse_date("2024-01-31"), 2)', gives='parse_date("2024-03-31")'),
        Example('add_months(parse_date("2024-01-15"), -1)', gives='parse_date("2023-12-15")'),
        Example('add_months(parse_date("9999-12-31"), 1)', fails="out_of_range"),
    ),
)


def add_months(day: date, months: int) -> date:
    """The date; raises StepFailure `out_of_range`."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise out_of_range()
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
