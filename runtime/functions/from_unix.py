"""from_unix: the instant that a Unix time says."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from compiler.catalog import Example, Function, Param
from runtime.functions._zones import out_of_range

SIGNATURE = Function(
    name="from_unix",
    params=(Param("seconds", "decimal", doc="since 1970 in UTC; of milliseconds, a thousandth: `ms / 1000`"),),
    result="datetime",
    doc="Gives the instant that many seconds after 1970 began in UTC, to the microsecond.",
    failures=("out_of_range",),
    examples=(
        Example("from_unix(1735643400)", gives='parse_datetime("2024-12-31T11:10:00Z")'),
        Example("from_unix(1735643400.25)", gives='parse_datetime("2024-12-31T11:10:00.25Z")'),
        Example("from_unix(1735643400000)", fails="out_of_range"),
    ),
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FARTHEST = 12  # digits of seconds, more than 9999 years have


def from_unix(seconds: Decimal | int) -> datetime:
    """The instant in UTC; raises StepFailure `out_of_range`."""
    number = Decimal(seconds)
    if number.adjusted() >= _FARTHEST:
        raise out_of_range()
    try:
        return _EPOCH + timedelta(microseconds=int(number.scaleb(6)))
    except OverflowError as error:
        raise out_of_range() from error
