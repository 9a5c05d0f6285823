"""format_phone: the rows of tests/vectors/phones.tsv, and what must hold for any text."""

import ast
import csv
import re
from pathlib import Path
from random import Random
from typing import NamedTuple

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.catalog import Example
from runtime.failures import StepFailure
from runtime.functions import FUNCTIONS
from runtime.functions.format_phone import (
    _ANY,
    _USUAL_BRAZILIAN,
    SIGNATURE,
    Phone,
    _parse_anything,
    _usual_brazilian,
    _Wanted,
    format_phone,
    match_key,
    parse_phone,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "phones.tsv"

bounded = settings(max_examples=400, derandomize=True, database=None, deadline=None)


class Row(NamedTuple):
    typed: str
    region: str
    expected: str  # E.164 or "invalid"
    note: str
    type: str
    repairs: str  # of an invalid row: the failure's code


def rows() -> list[Row]:
    with VECTORS.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Row(*row) for row in reader][1:]


ROWS = rows()
VALID = [row for row in ROWS if row.expected != "invalid"]
INVALID = [row for row in ROWS if row.expected == "invalid"]


def attempt(
    typed: str, region: str = "BR", area_code: str | None = None, **options: bool | None
) -> Phone | StepFailure:
    try:
        return parse_phone(typed, region, area_code, **options)
    except StepFailure as failure:
        return failure


def outcome(typed: str, region: str = "BR", area_code: str | None = None, **options: bool | None) -> Phone | str:
    found = attempt(typed, region, area_code, **options)
    return found if isinstance(found, Phone) else found.code


@pytest.mark.parametrize("row", VALID, ids=lambda row: row.typed)
def test_valid_rows_give_number_type_and_repairs(row: Row) -> None:
    phone = parse_phone(row.typed, row.region)
    assert (phone.e164, phone.type, ",".join(phone.repairs)) == (
        row.expected,
        row.type,
        row.repairs,
    )


@pytest.mark.parametrize("row", INVALID, ids=lambda row: row.typed or "empty")
def test_invalid_rows_fail_with_their_code(row: Row) -> None:
    with pytest.raises(StepFailure) as caught:
        format_phone(row.typed, row.region)
    assert caught.value.code == row.repairs


@pytest.mark.parametrize("example", SIGNATURE.examples, ids=lambda example: example.call)
def test_examples_of_the_signature_hold(example: Example) -> None:
    # Named arguments are the only syntax of the language in these calls that Python lacks.
    call = ast.parse(example.call.replace(": true", "=True").replace(": ", "="), mode="eval").body
    assert isinstance(call, ast.Call)
    arguments = [ast.literal_eval(argument) for argument in call.args]
    named = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}
    found = outcome(*arguments, **named)
    expected = example.fails or ast.literal_eval(example.gives or "None")
    assert (found.e164 if isinstance(found, Phone) else found) == expected


def test_the_registry_has_the_function() -> None:
    assert (SIGNATURE, format_phone) in FUNCTIONS


def test_the_registry_is_sorted_by_name() -> None:
    names = [signature.name for signature, _ in FUNCTIONS]
    assert names == sorted(names)


# What people type -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "e164", "repairs"),
    [
        ("11 3333-4444 / 11 98765-4321", "+5511987654321", ("first_of_many",)),
        ("(11) 98765-4321 (11) 3333-4444", "+5511987654321", ("first_of_many",)),
        ("fixo 11 3333-4444\ncel 11 98765-4321", "+5511987654321", ("first_of_many",)),
        ("11 3333-4444, 11 2222-3333", "+551133334444", ("first_of_many",)),
        ("11 98765-4321 ou +55 11 98765-4321", "+5511987654321", ()),
        ("CPF 123.456.789-09, tel 11 98765-4321", "+5511987654321", ()),
        ("11/98765-4321", "+5511987654321", ()),
        ("11 3333-4444/4445", "+551133334444", ()),
        ("0**11 98765-4321", "+5511987654321", ("trunk_0",)),
        ("+55 (0xx11) 8765-4321", "+5511987654321", ("trunk_0", "ninth_digit")),
        ("055 11 98765-4321", "+5511987654321", ("carrier_code",)),
        ("55 011 98765-4321", "+5511987654321", ("trunk_0",)),
        ("0800 123 4567", "+558001234567", ()),
        ("+55 0800 123 4567", "+558001234567", ()),
        ("++55 11 98765-4321", "+5511987654321", ()),
        ("+0055 11 98765-4321", "+5511987654321", ()),
        ("%2B5511987654321", "+5511987654321", ()),
        ("'+5511987654321", "+5511987654321", ()),
        ("\u202a+55 11 98765\u20114321\u202c", "+5511987654321", ()),
        ("\uff0b\uff15\uff15 11 98765\u20134321", "+5511987654321", ()),
        ("\u0661\u0661 98765-4321", "+5511987654321", ()),
        ("1198765432.0", "+5511998765432", ("ninth_digit",)),
        ("5511987654321,00", "+5511987654321", ()),
        ("tel:+55-11-98765-4321;ext=12", "+5511987654321", ()),
        ("whatsapp:+5511987654321", "+5511987654321", ()),
        ("5511987654321:12@s.whatsapp.net", "+5511987654321", ()),
        ("https://api.whatsapp.com/send?phone=351912345678&text=11", "+351912345678", ()),
        ("5215512345678@c.us", "+525512345678", ("mx_1",)),
        ("+44 (0)20 7946 0958", "+442079460958", ()),
        ("+1 (415) 555-2671 x123", "+14155552671", ()),
        ("+800 1234 5678", "+80012345678", ()),
    ],
)
def test_what_is_typed_is_read(typed: str, e164: str, repairs: tuple[str, ...]) -> None:
    phone = parse_phone(typed)
    assert (phone.e164, phone.repairs) == (e164, repairs)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("{{phone_2}}", "no_digits"),
        ("${11987654321}", "no_digits"),
        ("joao1198765432@gmail.com", "no_digits"),
        ("5511987654321-1612345678@g.us", "no_digits"),
        ("123456789012345@lid", "no_digits"),
        (" \u200b ", "empty"),
        ("1.1987654321E10", "scientific_notation"),
        ("+55 99123-4567", "missing_area_code"),
        ("190", "bad_length"),
        ("905321234567", "bad_length"),
        ("11987654321 1133334444", "bad_length"),
        ("+" + "1" * 40, "bad_length"),
        ("9" * 1000, "bad_length"),
        ("0055 11 98765-43210", "bad_length"),
        ("0055 23 98765-4321", "bad_area_code"),
        ("0300 123 4567", "bad_area_code"),
        ("11 1876-5432", "invalid_for_country"),
        ("11 88765-4321", "invalid_for_country"),
        ("+11 98765-4321", "invalid_for_country"),
    ],
)
def test_what_is_not_surely_a_number_is_refused(typed: str, code: str) -> None:
    assert outcome(typed) == code


def test_the_area_code_of_the_flow_completes_local_numbers() -> None:
    assert outcome("98765-4321", "BR", "11") == Phone(
        "+5511987654321", "BR", "mobile", ("area_code",), suspicious=False
    )
    assert outcome("3456-7890", "BR", "11") == Phone("+551134567890", "BR", "fixed", ("area_code",), suspicious=False)


def test_the_area_code_of_the_flow_never_completes_a_nationwide_number() -> None:
    assert outcome("4004-1234", "BR", "11") == "invalid_for_country"


def test_an_area_code_of_the_flow_that_does_not_exist_is_said() -> None:
    assert outcome("98765-4321", "BR", "23") == "bad_area_code"


def test_a_region_that_does_not_exist_is_said() -> None:
    assert outcome("98765-4321", "ZZ") == "unknown_region"


@pytest.mark.parametrize(
    ("typed", "region", "e164"),
    [
        ("912 345 678", "PT", "+351912345678"),
        ("351912345678", "PT", "+351912345678"),
        ("00351912345678", "US", "+351912345678"),
        ("011 55 11 8765-4321", "US", "+5511987654321"),
        ("(11) 98765-4321", "br", "+5511987654321"),
    ],
)
def test_the_region_is_the_country_of_numbers_without_country_code(typed: str, region: str, e164: str) -> None:
    assert format_phone(typed, region) == e164


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("11 98765-4321", "+5511987654321"),
        ("11 8765-4321", "+5511987654321"),
        ("+1 415 555 2671", "+14155552671"),  # its plan does not tell: it may be one
        ("11 3333-4444", "not_mobile"),
        ("0800 123 4567", "not_mobile"),
        ("+351 210 123 456", "not_mobile"),
        ("11 3333-4444 / 11 98765-4321", "+5511987654321"),
        ("11 3333-4444 / 11 2222-3333", "not_mobile"),
    ],
)
def test_a_flow_may_take_mobiles_alone(typed: str, found: str) -> None:
    phone = outcome(typed, mobile=True)
    assert (phone.e164 if isinstance(phone, Phone) else phone) == found


def test_where_only_mobiles_are_taken_argentina_gets_its_9() -> None:
    mobile = outcome("+54 11 2345-6789", mobile=True)
    assert mobile == Phone("+5491123456789", "AR", "mobile", ("ar_9",), suspicious=False)
    assert outcome("+54 9 11 2345-6789", mobile=True) == outcome("+54 9 11 2345-6789")
    assert outcome("11 2345-6789", "AR", mobile=True) == mobile
    assert outcome("+54 800 345 6789", mobile=True) == "not_mobile"


def test_a_flow_may_refuse_numbers_of_which_a_digit_may_be_lost() -> None:
    assert outcome("1198765432", complete=True) == "missing_ninth_digit"
    assert outcome("fone: 1198765432", complete=True) == "missing_ninth_digit"
    assert outcome("11 98765-4321", complete=True) == outcome("11 98765-4321")
    assert outcome("11 3333-4444", complete=True) == outcome("11 3333-4444")
    assert outcome("1198765432 / 11 3333-4444", complete=True) == outcome("11 3333-4444")


def test_an_option_that_is_absent_is_not_asked_for() -> None:
    assert outcome("11 3333-4444", mobile=None, complete=None) == outcome("11 3333-4444")


def test_one_digit_repeated_is_suspicious() -> None:
    assert parse_phone("11 99999-9999").suspicious
    assert not parse_phone("11 98765-4321").suspicious


def test_every_code_of_the_signature_is_one_that_happens() -> None:
    seen = {row.repairs for row in INVALID}
    codes = (
        outcome("1,5E+12"),
        outcome("1", "ZZ"),
        outcome("11 3333-4444", mobile=True),
        outcome("11 8765-4321", complete=True),
    )
    seen |= {code for code in codes if isinstance(code, str)}
    assert seen == set(SIGNATURE.failures)


# For any text ---------------------------------------------------------------------------------

area_codes = st.text("123456789", min_size=2, max_size=2)


@st.composite
def typed_in_brazil(draw: st.DrawFn) -> str:
    """Write a number as forms do, now and then with a digit or a mark out of place."""
    prefix = draw(st.sampled_from(["", "", "55", "+55", "+55 ", "55-", "0", "015", "0055", "90"]))
    area = draw(st.sampled_from(["11", "55", "82", "99", "23", "80"]))
    opening, closing = draw(st.sampled_from([("(", ") "), ("(", ")"), ("", " "), ("", ""), ("", "/")]))
    start = draw(st.sampled_from(["9", "9 ", "9.", "", ""])) + draw(four_digits)
    gap = draw(st.sampled_from(["-", " ", "", ".", "  "]))
    end = draw(st.one_of(four_digits, four_digits, st.text("0123456789", max_size=6)))
    after = draw(st.sampled_from(["", "", "", " ", ".0", " ramal 12"]))
    return prefix + opening + area + closing + start + gap + end + after


four_digits = st.text("0123456789", min_size=4, max_size=4)
numberlike = st.one_of(
    typed_in_brazil(),
    st.text("0123456789+-. ()/", max_size=24),
    st.text("0559 -().", max_size=20),
)


def thorough(typed: str, wanted: _Wanted = _ANY) -> Phone | str:
    try:
        return _parse_anything(typed, "BR", None, wanted)
    except StepFailure as failure:
        return str(failure)


def fast(typed: str) -> Phone | str | None:
    try:
        return _usual_brazilian(typed)
    except StepFailure as failure:
        return str(failure)


@settings(bounded, max_examples=600)
@given(st.from_regex(_USUAL_BRAZILIAN, fullmatch=True))
def test_whatever_the_fast_path_takes_the_thorough_one_reads_alike(typed: str) -> None:
    assert fast(typed) == thorough(typed)


@pytest.mark.parametrize("prefix", ["", "55", "+55", "55 ", "+55 "])
@pytest.mark.parametrize("mask", ["({}) {}-{}", "({}){}-{}", "{} {}-{}", "{} {} {}", "{}{}{}", "{}-{}-{}"])
@pytest.mark.parametrize("start", ["98765", "9 8765", "8765", "3456"])
def test_the_fast_path_takes_the_usual_masks(prefix: str, mask: str, start: str) -> None:
    typed = prefix + mask.format("55", start, "4321")
    found = fast(typed)
    assert isinstance(found, Phone)
    assert found == thorough(typed)


def written_at_random(random: Random) -> str:
    """A number as forms, sheets and other systems write it, now and then with something wrong in it."""
    area = random.choice(["11", "55", "82", "99", "23", f"{random.randrange(100):02}"])
    digits = random.choice(["9", "9", "9", ""]) + str(random.randrange(10**7, 10**8))[: random.choice([8] * 9 + [7])]
    mask = random.choice(
        ["({}) {}-{}", "({}){}-{}", "{} {}-{}", "{} {} {}", "{}{}{}", "{}-{}-{}", "{}/{}.{}", "{}  {} {}"]
    )
    before = random.choice(["", "", "", "55", "+55", "+55 ", "55-", "0", "015", "0055", "fone ", " ", "+"])
    return (
        before + mask.format(area, digits[:-4], digits[-4:]) + random.choice(["", "", "", " ", ".0", " ramal 1", "9"])
    )


def compare_paths(count: int) -> None:
    """What the fast path takes, the thorough one reads alike, for every option; and it takes enough to matter."""
    random, taken = Random(7), 0
    for _ in range(count):
        typed = written_at_random(random)
        found = fast(typed)
        if found is None:
            continue
        taken += 1
        assert found == thorough(typed), typed
        for wanted in (_Wanted(mobile=True), _Wanted(complete=True)):
            chosen = outcome(typed, mobile=wanted.mobile, complete=wanted.complete)
            slow = thorough(typed, wanted)
            assert chosen == (slow if isinstance(slow, Phone) else slow.partition(":")[0]), typed
    assert taken > count / 4


def test_the_fast_path_and_the_thorough_one_agree_on_what_people_type() -> None:
    compare_paths(2_000)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_fast_path_and_the_thorough_one_agree_on_200_000_numbers() -> None:
    compare_paths(200_000)


@bounded
@given(
    st.one_of(numberlike, st.text(max_size=30)),
    st.sampled_from(["BR", "US", "MX", "AR"]),
    st.booleans(),
    st.booleans(),
)
def test_it_is_idempotent_for_every_option(typed: str, region: str, mobile: bool, complete: bool) -> None:  # noqa: FBT001  # drawn
    first = outcome(typed, region, "11", mobile=mobile, complete=complete)
    if isinstance(first, Phone):
        assert format_phone(first.e164, region, "11", mobile, complete) == first.e164


@bounded
@given(st.one_of(numberlike, st.text(max_size=30)), st.sampled_from(["BR", "US", "MX", "AR"]))
def test_it_is_idempotent(typed: str, region: str) -> None:
    first = outcome(typed, region, "11")
    if isinstance(first, Phone):
        assert format_phone(first.e164, region, "11") == first.e164
        assert format_phone(first.e164) == first.e164


@bounded
@given(st.one_of(numberlike, st.text(max_size=30)), st.sampled_from(["BR", "US"]))
def test_messages_show_two_digits_at_most(typed: str, region: str) -> None:
    failure = attempt(typed, region)
    if isinstance(failure, StepFailure):
        assert failure.code in SIGNATURE.failures
        assert re.search(r"\d{3}", failure.message) is None


@bounded
@given(area_codes, st.text("0123456789", min_size=7, max_size=7), st.sampled_from("2345"))
def test_fixed_lines_of_brazil_are_those_of_the_library(area: str, line: str, first: str) -> None:
    known = phonenumbers.parse(f"+55{area}{first}{line}")
    fixed = phonenumbers.number_type(known) == phonenumbers.PhoneNumberType.FIXED_LINE
    found = outcome(area + first + line)
    assert (isinstance(found, Phone) and found.type == "fixed") == fixed


@bounded
@given(area_codes, st.text("0123456789", min_size=8, max_size=8))
def test_mobiles_of_brazil_are_those_of_the_library(area: str, line: str) -> None:
    known = phonenumbers.parse(f"+55{area}9{line}")
    mobile = phonenumbers.number_type(known) == phonenumbers.PhoneNumberType.MOBILE
    found = outcome(f"{area}9{line}")
    assert (isinstance(found, Phone) and found.type == "mobile") == mobile


OTHER_REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS - {"BR"})
FORMATS = (
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.RFC3966,
)


NATIONAL = phonenumbers.PhoneNumberFormat.NATIONAL


@pytest.mark.parametrize("region", OTHER_REGIONS)
def test_other_countries_are_read_as_by_the_library(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is not None:
            written = [phonenumbers.format_number(number, form) for form in FORMATS]
            assert {format_phone(text) for text in written} == {written[0]}


REGIONS = (
    *("AE", "AO", "AR", "AT", "AU", "BE", "BO", "CA", "CH", "CL", "CN", "CO", "CR", "CV", "CZ", "DE", "DK", "DO"),
    *("EC", "EG", "ES", "FI", "FR", "GB", "GR", "HU", "ID", "IE", "IL", "IN", "IT", "JP", "KR", "MX", "MZ", "NG"),
    *("NL", "NO", "NZ", "PA", "PE", "PH", "PL", "PT", "PY", "RO", "SE", "TR", "US", "UY", "VE", "ZA"),
)
KINDS = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)


@st.composite
def abroad(draw: st.DrawFn) -> phonenumbers.PhoneNumber:
    """A valid number of another country: one that its plan gives as an example, with other digits at its end."""
    example = phonenumbers.example_number_for_type(draw(st.sampled_from(REGIONS)), draw(st.sampled_from(KINDS)))
    assert example is not None
    assert example.national_number is not None
    number = phonenumbers.PhoneNumber()
    number.merge_from(example)
    number.national_number = example.national_number // 10**5 * 10**5 + draw(st.integers(0, 10**5 - 1))
    return number if phonenumbers.is_valid_number(number) else example


def test_fifty_other_regions_are_compared() -> None:
    assert len(set(REGIONS)) >= 50
    assert set(REGIONS) <= set(OTHER_REGIONS)


@settings(bounded, max_examples=300)
@given(abroad())
def test_valid_numbers_of_other_countries_are_those_of_the_library(number: phonenumbers.PhoneNumber) -> None:
    region = phonenumbers.region_code_for_number(number)
    assert region is not None
    *international, national = (phonenumbers.format_number(number, form) for form in (*FORMATS, NATIONAL))
    e164 = international[0]
    assert {format_phone(text) for text in international} == {e164}
    assert {format_phone(text, region) for text in (*international, national)} == {e164}
    parsed = phonenumbers.parse(national, region)
    assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == e164


# The key that joins both forms of a mobile ----------------------------------------------------


@pytest.mark.parametrize("e164", ["+5511987654321", "+551187654321"])
def test_both_forms_of_a_mobile_have_one_key(e164: str) -> None:
    assert match_key(e164) == "+551187654321"


@pytest.mark.parametrize(
    "e164",
    ["+5511934567890", "+551134567890", "+14155552671", "+558001234567", "+5491123456789"],
)
def test_every_other_number_is_its_own_key(e164: str) -> None:
    assert match_key(e164) == e164


@bounded
@given(numberlike)
def test_a_key_never_joins_a_fixed_line_and_a_mobile(typed: str) -> None:
    phone = outcome(typed)
    if isinstance(phone, Phone):
        again = parse_phone(match_key(phone.e164))
        assert (again.e164, again.type) == (phone.e164, phone.type)
