"""Functions of numbers: against Python's own, and there and back."""

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.functions.abs_ import abs_
from runtime.functions.as_decimal import as_decimal
from runtime.functions.as_int import as_int
from runtime.functions.ceil import ceil
from runtime.functions.floor import floor
from runtime.functions.format_brl import format_brl
from runtime.functions.format_decimal_br import format_decimal_br
from runtime.functions.max_ import max_
from runtime.functions.min_ import min_
from runtime.functions.parse_brl import parse_brl
from runtime.functions.parse_decimal import parse_decimal
from runtime.functions.parse_decimal_br import parse_decimal_br
from runtime.functions.parse_int import parse_int
from runtime.functions.round_ import round_
from runtime.functions.sum_ import sum_
from tests.runtime.functions.failing import code

WIDE = Context(prec=99, rounding=ROUND_HALF_EVEN)

ints = st.integers(-(2**63), 2**63 - 1)
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**17), max_value=10**17, places=9)
places = st.integers(0, 9)


@given(ints)
def test_an_int_is_read_back(number: int) -> None:
    assert parse_int(str(number)) == number
    assert parse_int(f" {number:+030} ") == number


@pytest.mark.parametrize(
    "text", ["", " ", "+", "--1", "1_000", "1.0", "1e3", "0x10", "\uff11\uff12", "²", "\u0661", "1 2", "infinity"]
)
def test_what_is_not_surely_an_int_is_refused(text: str) -> None:
    assert code(parse_int, text) == "not_a_number"


def test_ints_have_64_bits() -> None:
    assert parse_int("-9223372036854775808") == -(2**63)
    assert code(parse_int, "-9223372036854775809") == "overflow"
    assert code(parse_int, "9" * 100_000) == "overflow"
    assert code(ceil, Decimal("9223372036854775806.5") + 1) == "overflow"
    assert code(floor, Decimal("1E+999999")) == "overflow"


@given(decimals)
def test_a_decimal_is_read_back(number: Decimal) -> None:
    assert parse_decimal(str(number)) == number
    assert parse_decimal_br(format_decimal_br(number, 9)) == number


@pytest.mark.parametrize(
    "text", ["", ".5", "5.", "1,5", "1_0", "NaN", "-Infinity", "\u0661.\u0665", "1e1000", "1e", "0x1p3", "1 5"]
)
def test_what_is_not_surely_a_decimal_is_refused(text: str) -> None:
    assert code(parse_decimal, text) == "not_a_number"


@pytest.mark.parametrize(
    "text", ["", "1,", ",5", "1.23", "1.2345", "12.34,5", "1,234.56", "1.234.5", "1234.567", "1e3"]
)
def test_what_is_not_surely_a_brazilian_decimal_is_refused(text: str) -> None:
    assert code(parse_decimal_br, text) == "not_a_number"


def test_decimals_have_28_digits_and_an_exponent_up_to_28() -> None:
    assert parse_decimal("9" * 28) == Decimal("9" * 28)
    assert parse_decimal("1e-28") == Decimal("1e-28")
    assert code(parse_decimal, "9" * 29) == "overflow"
    assert code(parse_decimal, "1e-29") == "overflow"
    assert code(parse_decimal, "0" * 100_000) == "overflow"
    assert code(parse_decimal_br, "0," + "1" * 29) == "overflow"


@given(decimals, places)
def test_rounding_is_half_even_and_done_once(number: Decimal, wanted: int) -> None:
    rounded = round_(number, wanted)

    assert rounded == number.quantize(Decimal(1).scaleb(-wanted), context=WIDE)
    assert round_(rounded, wanted) == rounded
    assert abs_(rounded - number) * 2 <= Decimal(1).scaleb(-wanted)


def test_rounding_adds_no_decimal_places_and_makes_no_negative_zero() -> None:
    assert str(round_(Decimal("1.5"), 4)) == "1.5"
    assert str(round_(Decimal("-0.4"))) == "0"
    assert str(round_(Decimal("9" * 27 + ".5"))) == "1" + "0" * 27


@given(decimals)
def test_floor_and_ceil_are_those_of_mathematics(number: Decimal) -> None:
    assert floor(number) == math.floor(number)
    assert ceil(number) == math.ceil(number)


@given(decimals | ints, decimals | ints)
def test_of_two_numbers_one_is_the_larger_and_the_other_the_smaller(a: Decimal | int, b: Decimal | int) -> None:
    assert sorted([Decimal(a), Decimal(b)]) == [min_(a, b), max_(a, b)]


@given(st.lists(decimals | st.integers(-1000, 1000)))
def test_a_sum_is_exact(numbers: list[Decimal | int]) -> None:
    total = Decimal(0)
    for number in numbers:
        total = WIDE.add(total, Decimal(number))

    assert sum_(numbers) == total


def test_a_sum_of_more_than_there_are_digits_for_is_a_failure() -> None:
    assert code(sum_, [Decimal("9E+999999")] * 2) == "overflow"


@given(decimals)
def test_an_amount_is_read_back_to_the_centavo(number: Decimal) -> None:
    assert parse_brl(format_brl(number)) == round_(number, 2)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("-0.004"), "R$ 0,00"),
        (Decimal("-0.006"), "-R$ 0,01"),
        (Decimal(10**6), "R$ 1.000.000,00"),
        (1, "R$ 1,00"),
        (Decimal("1E+3"), "R$ 1.000,00"),
        (Decimal("9" * 28), "R$ 9" + ".999" * 9 + ",00"),
    ],
)
def test_amounts_are_written(number: Decimal | int, text: str) -> None:
    assert format_brl(number) == text


@pytest.mark.parametrize("text", ["", "R$", "R$ 1.5", "--1", "-R$ -1", "-+1", "R$ R$ 1", "1,00 R$", "r$ 1"])
def test_what_is_not_surely_an_amount_is_refused(text: str) -> None:
    assert code(parse_brl, text) == "not_a_number"


def test_an_amount_may_have_a_space_that_does_not_break() -> None:
    assert parse_brl("R$\u00a01.234,56") == Decimal("1234.56")
    assert str(parse_brl("-R$ 0,00")) == "0.00"


def test_numbers_beyond_all_bounds_are_not_written_out() -> None:
    assert code(format_brl, Decimal("1E+60")) == "overflow"
    assert code(format_decimal_br, Decimal("1E+999999"), 0) == "overflow"
    assert format_decimal_br(Decimal("1E-999999"), 2) == "0,00"


def test_json_numbers_beyond_the_bounds_are_absent() -> None:
    assert as_int(2**63) is None
    assert as_int(-(2**63)) == -(2**63)
    assert as_decimal(10**5000) is None
    assert as_decimal(Decimal("1E+1000")) is None
    assert as_decimal("1" * 29) is None
    assert as_decimal({"a": 1}) is None
