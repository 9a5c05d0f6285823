"""Functions of dates and instants: calendars, clocks, patterns, and there and back."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.functions.add_days import add_days
from runtime.functions.add_months import add_months
from runtime.functions.at_time import at_time
from runtime.functions.date_of import date_of
from runtime.functions.days_between import days_between
from runtime.functions.duration_text import duration_text
from runtime.functions.format_date import format_date
from runtime.functions.format_datetime import format_datetime
from runtime.functions.from_unix import from_unix
from runtime.functions.parse_date import parse_date
from runtime.functions.parse_datetime import parse_datetime
from runtime.functions.parse_local_datetime import parse_local_datetime
from runtime.functions.start_of_day import start_of_day
from runtime.functions.to_unix import to_unix
from runtime.functions.weekday import weekday
from tests.runtime.functions.failing import code

ISO = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"
RECENT = datetime(1990, 1, 1), datetime(2040, 1, 1)  # noqa: DTZ001  # hypothesis wants bounds without a zone

days = st.dates()
instants = st.datetimes(timezones=st.just(UTC))
recent = st.datetimes(*RECENT, timezones=st.just(UTC))
zones = st.sampled_from(
    ["America/Sao_Paulo", "Europe/Lisbon", "Asia/Kathmandu", "Pacific/Apia", "America/Havana", "UTC"]
)
patterns = st.sampled_from(["dd/MM/yyyy", "d/M/yyyy", "yyyyMMdd", "yyyy-MM-dd", "dd 'de' MM 'de' yyyy", "M''d''yyyy"])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@given(days, patterns)
def test_a_date_is_read_as_it_was_written(day: date, pattern: str) -> None:
    assert parse_date(format_date(day, pattern), pattern) == day


@given(days)
def test_without_a_pattern_dates_are_those_of_iso_8601(day: date) -> None:
    assert format_date(day) == day.isoformat()
    assert parse_date(day.isoformat()) == day


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("", "dd/MM/yyyy"),
        ("1/12/2024", "dd/MM/yyyy"),
        ("31/12/2024 ", "dd/MM/yyyy "),
        ("31-12-2024", "dd/MM/yyyy"),
        ("31/12/20245", "dd/MM/yyyy"),
        ("29/02/2023", "dd/MM/yyyy"),
        ("00/01/2024", "dd/MM/yyyy"),
        ("01/01/0000", "dd/MM/yyyy"),
        ("\uff131/12/2024", "dd/MM/yyyy"),
        ("/12/2024", "d/M/yyyy"),
        ("2024-12-31" + "0" * 100_000, "yyyy-MM-dd"),
    ],
)
def test_what_is_not_written_as_the_pattern_says_is_no_date(text: str, pattern: str) -> None:
    assert code(parse_date, text, pattern) == "bad_date"


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "dd/MM",
        "dd/MM/yy",
        "dd/MM/yyyy HH",
        "DD/MM/YYYY",
        "dd/MM/yyyy dd",
        "d/dd/MM/yyyy",
        "dd/MMM/yyyy",
        "'",
        "dd 'de",
        "y" * 101,
    ],
)
def test_a_pattern_that_no_date_can_be_read_by_is_said(pattern: str) -> None:
    assert code(parse_date, "31/12/2024", pattern) == "bad_pattern"


@pytest.mark.parametrize("pattern", ["hh:mm a", "EEEE", "z", "yyy", "SS", "dd'", "ddd", " " * 101])
def test_a_pattern_that_nothing_can_be_written_by_is_said(pattern: str) -> None:
    assert code(format_datetime, at("2024-12-31T11:00:00Z"), pattern, "UTC") == "bad_pattern"


@pytest.mark.parametrize(
    ("pattern", "zone", "text"),
    [
        ("yy-M-d H:mm:ss.SSS", "UTC", "24-7-1 2:03:04.005"),
        ("XXX", "UTC", "Z"),
        ("XXX", "America/Sao_Paulo", "-03:00"),
        ("XXX", "Asia/Kathmandu", "+05:45"),
        ("'às' HH'h' ''mm''", "Europe/Lisbon", "às 03h '03'"),
        ("«dd»·'it''s'", "UTC", "«01»·it's"),
        ("", "UTC", ""),
    ],
)
def test_fields_of_patterns(pattern: str, zone: str, text: str) -> None:
    assert format_datetime(at("2024-07-01T02:03:04.005678Z"), pattern, zone) == text


@given(recent, zones)
def test_an_instant_is_read_back_from_what_a_zone_shows(instant: datetime, zone: str) -> None:
    whole = instant.replace(microsecond=instant.microsecond // 1000 * 1000)

    assert parse_datetime(format_datetime(instant, ISO, zone)) == whole


@given(instants)
def test_instants_are_read_as_python_reads_them(instant: datetime) -> None:
    assert parse_datetime(instant.isoformat()) == instant
    assert parse_datetime(instant.isoformat().replace("+00:00", "z").replace("T", "t")) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-12-31",
        "2024-12-31T08:00Z",
        "2024-12-31T24:00:00Z",
        "2024-12-31T23:59:60Z",
        "2024-12-31T08:00:00.Z",
        "2024-12-31T08:00:00+24:00",
        "2024-12-31T08:00:00+03:60",
        "2024-12-31T08:00:00-3",
        "20241231T080000Z",
        "2024-12-31T08:00:00 -03:00",
        "0000-12-31T08:00:00Z",
        "\uff12024-12-31T08:00:00Z",
    ],
)
def test_what_rfc_3339_does_not_know_is_no_instant(text: str) -> None:
    assert code(parse_datetime, text) == "bad_datetime"


def test_what_is_finer_than_a_microsecond_is_left_out() -> None:
    assert parse_datetime("2024-12-31T08:00:00.1234569Z") == at("2024-12-31T08:00:00.123456Z")


@pytest.mark.parametrize(
    ("day", "clock", "zone", "instant"),
    [
        ("2018-11-03", "23:59", "America/Sao_Paulo", "2018-11-04T02:59:00Z"),
        ("2018-11-04", "00:00", "America/Sao_Paulo", "2018-11-04T03:00:00Z"),  # skipped: it is 01:00 at once
        ("2018-11-04", "00:30", "America/Sao_Paulo", "2018-11-04T03:30:00Z"),  # skipped: as much later
        ("2018-11-04", "01:30", "America/Sao_Paulo", "2018-11-04T03:30:00Z"),
        ("2019-02-16", "23:30", "America/Sao_Paulo", "2019-02-17T01:30:00Z"),  # comes twice: the first
        ("2024-12-31", "23:59:59", "America/Sao_Paulo", "2025-01-01T02:59:59Z"),
        ("2024-12-31", "00:00", "Pacific/Kiritimati", "2024-12-30T10:00:00Z"),
    ],
)
def test_times_of_a_day_around_daylight_saving(day: str, clock: str, zone: str, instant: str) -> None:
    assert at_time(parse_date(day), clock, zone) == at(instant)
    assert parse_local_datetime(f"{day} {clock[:5]}", "yyyy-MM-dd HH:mm", zone) == at(instant).replace(second=0)


@given(recent, zones)
def test_a_day_begins_at_or_before_the_instant_on_the_same_date(instant: datetime, zone: str) -> None:
    began = start_of_day(instant, zone)

    assert instant - timedelta(hours=25) < began <= instant
    assert date_of(began, zone) == date_of(instant, zone)
    assert date_of(began - timedelta(microseconds=1), zone) < date_of(instant, zone)
    assert start_of_day(began, zone) == began


@pytest.mark.parametrize("zone", ["", "Lua", "America", "../UTC", "/etc/localtime", "UTC\0", "São Paulo", "x" * 5000])
def test_a_zone_that_the_machine_does_not_know_is_said(zone: str) -> None:
    assert code(date_of, at("2024-12-31T11:00:00Z"), zone) == "unknown_zone"


@given(days, st.integers(-4_000_000, 4_000_000))
def test_days_that_are_added_lie_between(day: date, added: int) -> None:
    if 1 <= day.toordinal() + added <= date.max.toordinal():
        assert days_between(day, add_days(day, added)) == added
    else:
        assert code(add_days, day, added) == "out_of_range"


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-500, 500))
def test_months_that_are_added_keep_the_day_unless_the_month_is_shorter(day: date, added: int) -> None:
    later = add_months(day, added)

    assert (later.year - day.year) * 12 + later.month - day.month == added
    assert later.day == day.day or (later.day < day.day and add_days(later, 1).day == 1)


def test_what_no_calendar_reaches_is_a_failure() -> None:
    for far in (2**63 - 1, -(2**63)):
        assert code(add_days, date(2024, 1, 1), far) == "out_of_range"
        assert code(add_months, date(2024, 1, 1), far) == "out_of_range"
        assert code(from_unix, far) == "out_of_range"
    assert code(from_unix, Decimal("1E+999999")) == "out_of_range"
    assert code(start_of_day, datetime.min.replace(tzinfo=UTC)) == "out_of_range"


@given(days)
def test_the_week_goes_from_1_to_7(day: date) -> None:
    assert weekday(day) in range(1, 8)
    assert weekday(day) % 7 == day.toordinal() % 7  # 1 January of the year 1 was a Monday


@given(instants)
def test_unix_time_is_read_back_to_the_second(instant: datetime) -> None:
    assert from_unix(to_unix(instant)) == instant.replace(microsecond=0)


@given(st.integers(-(2**63), 2**63 - 1))
def test_the_parts_of_a_duration_add_up(duration: int) -> None:
    units = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
    written = duration_text(duration)
    parts = [(part.rstrip("dhms"), part.lstrip("0123456789")) for part in written.removeprefix("-").split()]

    assert sum(int(number) * units[unit] for number, unit in parts) == abs(duration)
    assert written.startswith("-") == (duration < 0)
