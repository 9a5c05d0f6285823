"""Instants and the clocks on the wall. Time zones come from the machine's tz database (zoneinfo)."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from compiler.catalog import Param
from runtime.failures import StepFailure

DEFAULT_ZONE = "America/Sao_Paulo"

ZONE = Param("zone", "text", required=False, constant=True, doc=f"name in the tz database; without it {DEFAULT_ZONE}")


def local(at: datetime, zone: str) -> datetime:
    """What clocks and calendars of the zone show at an instant.

    Raises StepFailure `unknown_zone`, or `out_of_range` outside of the years 1 to 9999.
    """
    try:
        return at.astimezone(_zone(zone))
    except OverflowError as error:
        raise out_of_range() from error


def instant(shown: datetime, zone: str) -> datetime:
    """The instant at which clocks of the zone show a time; raises as `local` does.

    A time that is shown twice, when clocks are turned back, means the first. One that is skipped, when they are
    turned forward, is read with the offset from before, and so lies as much later (RFC 5545, 3.3.5).
    """
    try:
        return shown.replace(tzinfo=_zone(zone), fold=0).astimezone(UTC)
    except OverflowError as error:
        raise out_of_range() from error


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins in a zone; raises as `local` does."""
    return instant(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001  # the zone is put to it


def out_of_range() -> StepFailure:
    """The failure of what calendars here do not reach."""
    return StepFailure("out_of_range", "the result is not within the years 1 to 9999")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # unknown, not a name, the name of a folder
        raise StepFailure("unknown_zone", f"this machine knows no time zone {name[:40]!r}") from error
