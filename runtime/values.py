"""Helpers that generated code calls: arithmetic, access to fields, text. Absence is `None`."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

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
    return result


def add(left: Number, right: Number) -> Number:
    """Raises StepFailure `overflow`, as all arithmetic here."""
    return _number(left, right, int.__add__, _EXACT.add)


def subtract(left: Number, right: Number) -> Number:
    """The difference."""
    return _number(left, right, int.__sub__, _EXACT.subtract)


def multiply(left: Number, right: Number) -> Number:
    """The product."""
    return _number(left, right, int.__mul__, _EXACT.multiply)


def divide(left: Number, right: Number) -> Decimal:
    """The quotient as a decimal of 28 digits, half-even. Raises StepFailure `division_by_zero`."""
    _check_divisor(right)
    return _EXACT.divide(Decimal(left), Decimal(right))


def modulo(left: Number, right: Number) -> Number:
    """The remainder, with the dividend's sign. Raises StepFailure `division_by_zero`."""
    _check_divisor(right)
    remainder = _EXACT.remainder(Decimal(left), Decimal(right))
    return int(remainder) if isinstance(left, int) and isinstance(right, int) else remainder


def _check_divisor(value: Number) -> None:
    if value == 0:
        raise StepFailure("division_by_zero", "the divisor is zero")


def negative(value: Number) -> Number:
    """The number with the other sign."""
    return _whole(-value) if isinstance(value, int) else _EXACT.minus(value)


def text_of(*parts: str | Number) -> str:
    """Text with values in it; decimals are written plainly."""
    return "".join(part if isinstance(part, str) else _written(part) for part in parts)


def _written(value: Number) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def member(value: Any, name: str) -> Any:
    """A field of a record, however it is held; None where it is not there."""
    if isinstance(value, Mapping):
        return value.get(name)
    return getattr(value, name, None)


def maybe_member(value: Any, name: str) -> Any:
    """A field of a value that may be absent, or of json, which may be anything."""
    return None if value is None or isinstance(value, str | int | Decimal | list) else member(value, name)


def element(value: Any, index: Any) -> Any:
    """An element of an array, or a field of a json object, or None."""
    if isinstance(value, list) and isinstance(index, int) and not isinstance(index, bool):
        return value[index] if -len(value) <= index < len(value) else None
    if isinstance(value, Mapping) and isinstance(index, str):
        return value.get(index)
    return None


def given(record: dict[str, Any]) -> dict[str, Any]:
    """A record without its absent fields."""
    return {name: value for name, value in record.items() if value is not None}


def failed(message: str) -> StepFailure:
    """The failure of a `fail` step."""
    return StepFailure("failed", message)
