"""to_unix: an instant as Unix time."""

from datetime import UTC, datetime, timedelta

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="to_unix",
    params=(Param("at", "datetime"),),
    result="int",
    doc="Gives the whole seconds from the beginning of 1970 in UTC to the instant; negative before.",
    examples=(
        Example('to_unix(parse_datetime("2024-12-31T08:10:00-03:00"))', gives="1735643400"),
        Example('to_unix(parse_datetime("1969-12-31T23:59:59.5Z"))', gives="-1"),
    ),
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_unix(at: datetime) -> int:
    """The seconds, rounded down."""
    return (at - _EPOCH) // timedelta(seconds=1)
