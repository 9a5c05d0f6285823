"""Arithmetic and equality as docs/language.md says them."""

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

DIGITS, PLACES = 28, 28  # of a decimal
_ROOMY = Context(prec=200)


class Fault(Exception):  # noqa: N818  # it becomes a failure of the step
    """Why a computation has no result."""


def calculated(op: str, left: Any, right: Any) -> Any:
    """The result of `+ - * / %`; raises Fault."""
    if op in "/%" and right == 0:
        raise Fault("division_by_zero")
    try:
        if isinstance(left, date | timedelta) or isinstance(right, timedelta):
            return _moved(op, left, right)
        if isinstance(left, int) and isinstance(right, int) and op != "/":
            return _whole(op, left, right)
        return _decimal(_exact(op, Decimal(left), Decimal(right)))
    except OverflowError as error:
        raise Fault("overflow") from error


def _moved(op: str, left: Any, right: Any) -> Any:
    """Times; a date moves by whole days."""
    by_clock = not isinstance(left, date) or isinstance(left, datetime) or isinstance(right, date)
    if not by_clock and right % timedelta(days=1):
        raise Fault("not_whole_days")
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case _:
            return left * right


def _whole(op: str, left: int, right: int) -> int:
    found = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__, "%": _remainder}[op](left, right)
    if not -(2**63) <= found < 2**63:
        raise OverflowError
    return found


def _remainder(left: int, right: int) -> int:
    """What a division towards zero leaves: it has the dividend's sign."""
    return abs(left) % abs(right) * (-1 if left < 0 else 1)


def _exact(op: str, left: Decimal, right: Decimal) -> Decimal:
    match op:
        case "+":
            return _ROOMY.add(left, right)
        case "-":
            return _ROOMY.subtract(left, right)
        case "*":
            return _ROOMY.multiply(left, right)
        case "/":
            return _ROOMY.divide(left, right)
        case _:
            places = min(_exponent(left), _exponent(right))
            dividend, divisor = (int(value.scaleb(-places, _ROOMY)) for value in (left, right))
            if abs(dividend) // abs(divisor) >= 10**DIGITS:
                raise OverflowError
            return Decimal(_remainder(dividend, divisor)).scaleb(places, _ROOMY)


def _exponent(value: Decimal) -> int:
    return int(value.as_tuple().exponent)


def _decimal(value: Decimal) -> Decimal:
    """At most 28 digits and 28 places, the rest rounded half-even; no zero below zero, none beyond 28 zeros."""
    if _exponent(value) > PLACES:
        if value:
            raise OverflowError
        return Decimal(0)
    finest = max(value.adjusted() - DIGITS + 1, -PLACES)
    rounded = value.quantize(Decimal(1).scaleb(finest), ROUND_HALF_EVEN, _ROOMY) if _exponent(value) < finest else value
    return rounded or abs(rounded)


def same(left: Any, right: Any) -> bool:
    """Equality by value; a field that is absent is as one that is not there."""
    match left, right:
        case dict(), dict():
            return all(same(left.get(key), right.get(key)) for key in {*left, *right})
        case list(), list():
            return len(left) == len(right) and all(map(same, left, right))
        case _:
            return bool(left == right)
