"""days_between: how many days lie between two dates."""

from datetime import date

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="days_between",
    params=(Param("start", "date"), Param("end", "date")),
    result="int",
    doc="Counts the days from `start` to `end`; negative where the end comes first.",
    examples=(
        Example('days_between(parse_date("2024-12-30"), parse_date("2025-01-02"))', gives="3"),
        Example('days_between(parse_date("2025-01-02"), parse_date("2024-12-30"))', gives="-3"),
    ),
)


def days_between(start: date, end: date) -> int:
    """The number that `add_days` takes from `start` to `end`."""
    return (end - start).days
