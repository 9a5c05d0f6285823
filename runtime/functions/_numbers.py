"""Numbers as the language has them: ints of 64 bits, exact decimals of at most 28 digits, rounded half to even."""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

from runtime.failures import StepFailure

MAX_DIGITS = 28

_LOW, _HIGH = -(2**63), 2**63 - 1
_INT_DIGITS = len(str(_HIGH))
_LONGEST = 200  # characters of a number: nothing longer is worth reading
_WIDE = Context(prec=3 * MAX_DIGITS, rounding=ROUND_HALF_EVEN)  # any decimal, with 28 places behind it
_PLAIN = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_BRAZILIAN = re.compile(r"([+-]?)([0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,([0-9]+))?")
_SWAPPED = str.maketrans(",.", ".,")


def read_decimal(text: str) -> Decimal:
    """Read `-1234.56` or `1.5e3`, spaces around it allowed.

    Raises StepFailure `not_a_number`, or `overflow` beyond 28 digits or an exponent beyond 28.
    """
    number = text.strip()
    if not _PLAIN.fullmatch(number):
        raise StepFailure("not_a_number", "the text is not a number such as 1234.56")
    return _exact(number)


def read_brazilian(text: str) -> Decimal:
    """Read `-1.234,56`, spaces around it allowed; raises as `read_decimal` does."""
    found = _BRAZILIAN.fullmatch(text.strip())
    if found is None:
        raise StepFailure("not_a_number", "the text is not a number such as 1.234,56")
    sign, whole, places = found.groups()
    number = sign + whole.replace(".", "")
    return _exact(f"{number}.{places}" if places else number)


def write_brazilian(value: Decimal | int, places: int) -> str:
    """Write a number such as `-1.234,56`; raises StepFailure `overflow`."""
    return format(rounded(value, places), ",f").translate(_SWAPPED)


def rounded(value: Decimal | int, places: int) -> Decimal:
    """The number with exactly that many decimal places; raises StepFailure `overflow`."""
    number = Decimal(value)
    if number.adjusted() > 2 * MAX_DIGITS:
        raise StepFailure("overflow", "the number is too large to be written out")
    return _unsigned_zero(number.quantize(Decimal(1).scaleb(-places), context=_WIDE))


def check_places(places: int) -> None:
    """Raise StepFailure `out_of_range` where a decimal cannot have that many decimal places."""
    if not 0 <= places <= MAX_DIGITS:
        raise StepFailure("out_of_range", f"a number is rounded to 0 to {MAX_DIGITS} decimal places, not {places}")


def whole(value: Decimal, rounding: str) -> int:
    """The number rounded to an int; raises StepFailure `overflow`."""
    if value.adjusted() >= _INT_DIGITS:
        raise _not_an_int()
    return checked_int(int(value.to_integral_value(rounding)))


def read_int(sign: str, digits: str) -> int:
    """An int from ASCII digits without leading zeros; raises StepFailure `overflow`."""
    if len(digits) > _INT_DIGITS:
        raise _not_an_int()
    return checked_int(int(sign + digits))


def checked_int(value: int) -> int:
    """The number; raises StepFailure `overflow` where it is no int of the language."""
    if not fits_int(value):
        raise _not_an_int()
    return value


def fits_int(value: int) -> bool:
    """Whether a whole number is an int of the language."""
    return _LOW <= value <= _HIGH


def fits_decimal(value: Decimal) -> bool:
    """Whether a number is a decimal of the language."""
    _, digits, exponent = value.as_tuple()
    return len(digits) <= MAX_DIGITS and abs(int(exponent)) <= MAX_DIGITS


def _exact(number: str) -> Decimal:
    value = Decimal(number) if len(number) <= _LONGEST else None
    if value is None or not fits_decimal(value):
        raise StepFailure("overflow", f"the number has more than {MAX_DIGITS} digits or decimal places")
    return _unsigned_zero(value)


def _unsigned_zero(value: Decimal) -> Decimal:
    return value or value.copy_abs()


def _not_an_int() -> StepFailure:
    return StepFailure("overflow", "the number does not fit a signed 64-bit integer")
