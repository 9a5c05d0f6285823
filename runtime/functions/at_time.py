"""at_time: the instant of a time on a date."""

import re
from datetime import date, datetime, time

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure
from runtime.functions._zones import DEFAULT_ZONE, ZONE, instant

SIGNATURE = Function(
    name="at_time",
    params=(
        Param("day", "date"),
        Param("clock", "text", doc="HH:mm or HH:mm:ss, 00:00 to 23:59:59"),
        ZONE,
    ),
    result="datetime",
    doc=(
        "Gives the instant at which clocks of the zone show that time on that date. When clocks are turned back, a "
        "time that comes twice is the first; when they are turned forward, one that is skipped is as much later."
    ),
    failures=("bad_time", "out_of_range", "unknown_zone"),
    examples=(
        Example('at_time(parse_date("2024-12-31"), "08:00")', gives='parse_datetime("2024-12-31T11:00:00Z")'),
        Example(
            'at_time(parse_date("2024-07-01"), "08:00:30", zone: "Europe/Lisbon")',
            gives='parse_datetime("2024-07-01T07:00:30Z")',
        ),
        Example('at_time(parse_date("2018-11-04"), "00:30")', gives='parse_datetime("2018-11-04T03:30:00Z")'),
        Example('at_time(parse_date("2024-12-31"), "8h")', fails="bad_time"),
        Example('at_time(parse_date("2024-12-31"), "24:00")', fails="bad_time"),
        Example('at_time(parse_date("9999-12-31"), "23:00")', fails="out_of_range"),
        Example('at_time(parse_date("2024-12-31"), "08:00", "America")', fails="unknown_zone"),
    ),
)

_CLOCK = re.compile("([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")


def at_time(day: date, clock: str, zone: str = DEFAULT_ZONE) -> datetime:
    """The instant in UTC; raises StepFailure `bad_time`, `out_of_range` or `unknown_zone`."""
    found = _CLOCK.fullmatch(clock.strip())
    if found is None:
        raise StepFailure("bad_time", "the text is not a time such as 08:00")
    hour, minute, second = map(int, found.groups("0"))
    return instant(datetime.combine(day, time(hour, minute, second)), zone)
