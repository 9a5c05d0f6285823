"""parse_datetime: the instant that a text says, with its offset."""

import re
from datetime import UTC, datetime, timedelta, timezone

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure
from runtime.functions._zones import out_of_range

SIGNATURE = Function(
    name="parse_datetime",
    params=(Param("value", "text"),),
    result="datetime",
    doc=(
        "Reads an instant written as RFC 3339 says: date, time, offset. The offset's colon may be missing, as in what "
        "Facebook sends. A text without offset is no instant yet: `parse_local_datetime` reads it."
    ),
    failures=("bad_datetime", "out_of_range"),
    examples=(
        Example('parse_datetime("2024-12-31T08:00:00-03:00")', gives='parse_datetime("2024-12-31T11:00:00Z")'),
        Example('parse_datetime("2024-12-31 11:00:00.250+0000")', gives='parse_datetime("2024-12-31T11:00:00.25Z")'),
        Example('parse_datetime("2024-12-31T08:00:00")', fails="bad_datetime"),
        Example('parse_datetime("2024-02-30T08:00:00Z")', fails="bad_datetime"),
        Example('parse_datetime("0001-01-01T00:00:00+03:00")', fails="out_of_range"),
    ),
)

_RFC_3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))"
)


def parse_datetime(value: str) -> datetime:
    """The instant in UTC, to the microsecond; raises StepFailure `bad_datetime` or `out_of_range`."""
    found = _RFC_3339.fullmatch(value.strip())
    if found is None:
        raise StepFailure("bad_datetime", "the text is not date, time and offset such as 2024-12-31T08:00:00-03:00")
    *parts, fraction, sign, hours, minutes = found.groups()
    year, month, day, hour, minute, second = map(int, parts)
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        offset = timezone(_offset(sign, hours, minutes))
        return datetime(year, month, day, hour, minute, second, microsecond, offset).astimezone(UTC)
    except ValueError as error:
        raise StepFailure("bad_datetime", "the calendar or the clock has no such date, time or offset") from error
    except OverflowError as error:
        raise out_of_range() from error


def _offset(sign: str | None, hours: str, minutes: str) -> timedelta:
    if sign is None:
        return timedelta()
    if int(minutes) > 59:
        raise ValueError("an hour has 60 minutes")
    return timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
