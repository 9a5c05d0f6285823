"""Helpers that generated code calls: arithmetic, access to fields, text. Absence is `None`."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from runtime.failures import StepFailure

Number = int | Decimal

_LOW, _HIGH = -(2**63), 2**63 - 1
_EXACT = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation, Overflow])


def _whole(value: int) -> int:
    if _LOW <= value <= _HIGH:
        return value
    raise StepFailure("overflow", "the result does not fit a signed 64-bit integer")


def _number(left: Number, right: Number, whole: Any, exact: Any) -> Number:
    if isinstance(left, int) and isinstance(right, int):
        return _whole(whole(left, right))
    try:
        result: Decimal = exact(Decimal(left), Decimal(right))
    except (InvalidOperation, Overflow) as error:
        raise StepFailure("overflow", "the result has more than 28 digits") from error
    return _bounded(result)


def _bounded(value: Decimal) -> Decimal:
    """A decimal within the type: exponents from -28 to 28; what is finer is rounded half-even."""
    exponent = value.as_tuple().exponent
    if not value:
        value = abs(value)  # there is no zero below zero
    if isinstance(exponent, int) and exponent > _FINEST:
        if not value:
            return Decimal()
        raise StepFailure("overflow", "the result is too large for a decimal")
    if isinstance(exponent, int) and exponent < -_FINEST:
        return value.quantize(Decimal(1).scaleb(-_FINEST), ROUND_HALF_EVEN, _WIDE)
    return value


_FINEST = 28
_WIDE = Context(prec=64)


def add(left: Any, right: Any) -> Any:
    """The sum of numbers, or a time moved on. Raises StepFailure `overflow`, as all arithmetic here."""
    if isinstance(left, date | timedelta):
        return _moved(left, right, 1)
    return _number(left, right, int.__add__, _EXACT.add)


def subtract(left: Any, right: Any) -> Any:
    """The difference of numbers or times, or a time moved back."""
    if isinstance(left, date | timedelta):
        return _between(left, right) if isinstance(right, date) else _moved(left, right, -1)
    return _number(left, right, int.__sub__, _EXACT.subtract)


def multiply(left: Any, right: Any) -> Any:
    """The product of numbers, or a duration so many times."""
    if isinstance(left, timedelta) or isinstance(right, timedelta):
        return _in_range(lambda: left * right)
    return _number(left, right, int.__mul__, _EXACT.multiply)


def _moved(left: Any, by: timedelta, sign: int) -> Any:
    """A time moved by a duration; a date moves by whole days. Raises StepFailure `not_whole_days`."""
    if isinstance(left, date) and not isinstance(left, datetime) and by % timedelta(days=1):
        raise StepFailure("not_whole_days", "a date moves by whole days only")
    return _in_range(lambda: left + sign * by)


def _between(left: Any, right: Any) -> timedelta:
    found: timedelta = left - right
    return found


def _in_range(compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except OverflowError as error:
        raise StepFailure("overflow", "the result lies outside of the calendar") from error


def instant(value: date, zone: str) -> datetime:
    """An instant; a date is its first moment in a zone."""
    if isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def moment(milliseconds_: int) -> datetime:
    """An instant from milliseconds since the Unix epoch."""
    return datetime.fromtimestamp(milliseconds_ / 1000, UTC)


def duration(milliseconds_: int) -> timedelta:
    """A duration from its milliseconds."""
    return timedelta(milliseconds=milliseconds_)


def milliseconds(value: timedelta) -> int:
    """A duration in milliseconds."""
    return value // timedelta(milliseconds=1)


def divide(left: Number, right: Number) -> Decimal:
    """The quotient as a decimal of 28 digits, half-even. Raises StepFailure `division_by_zero`."""
    _check_divisor(right)
    try:
        return _bounded(_EXACT.divide(Decimal(left), Decimal(right)))
    except Overflow as error:
        raise StepFailure("overflow", "the result is too large for a decimal") from error


def modulo(left: Number, right: Number) -> Number:
    """The remainder, with the dividend's sign. Raises StepFailure `division_by_zero`."""
    _check_divisor(right)
    try:
        remainder = _EXACT.remainder(Decimal(left), Decimal(right))
    except InvalidOperation as error:
        raise StepFailure("overflow", "the remainder of numbers so far apart has no exact value") from error
    return int(remainder) if isinstance(left, int) and isinstance(right, int) else _bounded(remainder)


def _check_divisor(value: Number) -> None:
    if value == 0:
        raise StepFailure("division_by_zero", "the divisor is zero")


def negative(value: Number) -> Number:
    """The number with the other sign."""
    return _whole(-value) if isinstance(value, int) else _EXACT.minus(value)


def text_of(*parts: str | Number) -> str:
    """Text with values in it; decimals are written plainly, and numbers of json that are none of ours as they came."""
    return "".join(part if isinstance(part, str) else _written(part) for part in parts)


def _written(value: Number) -> str:
    """The characters of a number. What a sender calls 1e999999999 would have a billion of them."""
    return format(value, "f") if isinstance(value, Decimal) and abs(value.adjusted()) <= _PLAIN else str(value)


_PLAIN = 2 * _FINEST  # no decimal of the language is larger or smaller


def member(value: Any, name: str, attribute: str = "") -> Any:
    """A field of a record, however it is held (in a struct under `attribute`); None where it is not there."""
    if not isinstance(value, msgspec.Struct) and isinstance(value, Mapping):  # the cheap question first
        return value.get(name)
    return getattr(value, attribute or name, None)


def maybe_member(value: Any, name: str, attribute: str = "") -> Any:
    """A field of a value that may be absent, or of json, which may be anything."""
    return None if value is None or isinstance(value, str | int | Decimal | list) else member(value, name, attribute)


def either(value: Any, default: Any) -> Any:
    """`value ?? default`."""
    return default if value is None else value


def either_lazily(value: Any, default: Callable[[], Any]) -> Any:
    """`value ?? default`, where the default may fail or costs something."""
    return default() if value is None else value


def same(left: Any, right: Any) -> bool:
    """Whether two values hold the same, however they are held."""
    return bool(_held(left) == _held(right))


def holds(value: Any, items: list[Any]) -> bool:
    """Whether an array has an item that holds the same as a value."""
    wanted = _held(value)
    return any(_held(item) == wanted for item in items)


_ATTRIBUTE = re.compile(r"^f(?=f*_)")  # what generated code puts before names that begin with an underscore


def _held(value: Any) -> Any:
    """A value as plain dicts and lists, without absent fields."""
    if isinstance(value, str | int | Decimal):
        return value
    if isinstance(value, list):
        return [_held(item) for item in value]
    if isinstance(value, msgspec.Struct):
        parts = ((name, getattr(value, attribute)) for name, attribute in _names(type(value)))
        return {name: _held(part) for name, part in parts if part is not None}
    if isinstance(value, Mapping):
        return {name: _held(part) for name, part in value.items() if part is not None}
    return value


@lru_cache(maxsize=1000)  # of records of plans that may be forgotten
def _names(kind: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """The fields of a record, by name and as they are held."""
    return tuple((_ATTRIBUTE.sub("", f.name), f.name) for f in msgspec.structs.fields(kind))


def element(value: Any, index: Any) -> Any:
    """An element of an array, counted from 0, or a field of a json object, or None."""
    if isinstance(value, list) and isinstance(index, int) and not isinstance(index, bool):
        return value[index] if 0 <= index < len(value) else None
    if isinstance(index, str) and isinstance(value, Mapping):
        return value.get(index)
    if isinstance(index, str) and isinstance(value, msgspec.Struct):
        found = {f.encode_name: f.name for f in msgspec.structs.fields(value)}
        return getattr(value, found[index], None) if index in found else None
    return None


def given(record: dict[str, Any]) -> dict[str, Any]:
    """A record without its absent fields."""
    return {name: value for name, value in record.items() if value is not None}


def failed(message: str) -> StepFailure:
    """The failure of a `fail` step."""
    return StepFailure("failed", message)
