"""parse_date: the date that a text says."""

from datetime import date

from compiler.catalog import Example, Function, Param
from runtime.functions._patterns import DATE, ISO_DATE, read

SIGNATURE = Function(
    name="parse_date",
    params=(
        Param("value", "text"),
        Param(
            "pattern",
            "text",
            required=False,
            constant=True,
            doc=f"of yyyy, MM or M, and dd or d; without it {ISO_DATE}. M and d read one digit or two",
        ),
    ),
    result="date",
    doc="Reads a date that is written exactly as the pattern says. A year has four digits: two would be a guess.",
    failures=("bad_date", "bad_pattern"),
    examples=(
        Example('parse_date("31/12/2024", "dd/MM/yyyy")', gives='parse_date("2024-12-31")'),
        Example('parse_date("1/2/2024", "d/M/yyyy")', gives='parse_date("2024-02-01")'),
        Example('parse_date("20241231", "yyyyMMdd")', gives='parse_date("2024-12-31")'),
        Example('parse_date("30/02/2024", "dd/MM/yyyy")', fails="bad_date"),
        Example('parse_date("31/12/24", "dd/MM/yyyy")', fails="bad_date"),
        Example('parse_date("31/12/24", "dd/MM/yy")', fails="bad_pattern"),
    ),
)


def parse_date(value: str, pattern: str = ISO_DATE) -> date:
    """The date; raises StepFailure `bad_date` or `bad_pattern`."""
    return read(pattern, value, DATE, "bad_date").date()
