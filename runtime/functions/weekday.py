"""weekday: the day of the week of a date."""

from datetime import date

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="weekday",
    params=(Param("day", "date"),),
    result="int",
    doc="Gives the day of the week, from 1 for Monday to 7 for Sunday, as ISO 8601 numbers them.",
    examples=(
        Example('weekday(parse_date("2024-12-31"))', gives="2"),
        Example('weekday(parse_date("2024-12-29"))', gives="7"),
    ),
)


def weekday(day: date) -> int:
    """1 to 7."""
    return day.isoweekday()
