"""format_phone: what people and systems type as a phone number, as E.164.

Brazil's numbering is decided here by rules, because `phonenumbers` neither inserts the ninth digit
nor reads `0055`, unlisted carriers or several numbers in one field. Every other country's numbering
is decided by `phonenumbers`.
"""

import re
from dataclasses import dataclass, replace

import phonenumbers

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure
from runtime.functions._phone_texts import candidates

SIGNATURE = Function(
    name="format_phone",
    params=(
        Param("number", "text", doc="what was typed; one field may hold several numbers"),
        Param(
            "region",
            "text",
            required=False,
            constant=True,
            doc="ISO 3166 alpha-2 country of numbers typed without country code; default BR",
        ),
        Param(
            "area_code",
            "text",
            required=False,
            constant=True,
            doc="Brazilian area code (DDD) for numbers typed without one",
        ),
        Param("mobile", "bool", required=False, doc="true takes mobiles alone"),
        Param(
            "complete",
            "bool",
            required=False,
            doc="true refuses a Brazilian mobile without its ninth digit: it may also be one that lost another digit",
        ),
    ),
    result="phone",
    doc=(
        "Turns what was typed as a phone number into E.164, such as +5511987654321.\n\n"
        "Reads masks, trunk zeros and carrier codes, links and ids of WhatsApp, extensions and "
        "numbers exported as floats; of several numbers it takes the first valid mobile, else the "
        "first valid one. A Brazilian mobile of eight digits gets its ninth. What is not surely a "
        "phone number is refused, never guessed."
    ),
    rewrites=True,
    failures=(
        "bad_area_code",
        "bad_length",
        "empty",
        "invalid_for_country",
        "missing_area_code",
        "missing_ninth_digit",
        "no_digits",
        "not_mobile",
        "scientific_notation",
        "unknown_region",
        "unparseable",
    ),
    examples=(
        Example('format_phone("(11) 98765-4321")', gives='"+5511987654321"'),
        Example('format_phone("558287654321")', gives='"+5582987654321"'),
        Example('format_phone("98765-4321", area_code: "11")', gives='"+5511987654321"'),
        Example('format_phone("98765-4321")', fails="missing_area_code"),
        Example('format_phone("912 345 678", region: "PT")', gives='"+351912345678"'),
        Example('format_phone("+52 1 55 1234 5678")', gives='"+525512345678"'),
        Example('format_phone("11 3333-4444 / 11 98765-4321")', gives='"+5511987654321"'),
        Example('format_phone("5,51199E+12")', fails="scientific_notation"),
        Example('format_phone("11 3333-4444", mobile: true)', fails="not_mobile"),
        Example('format_phone("+54 11 2345-6789", mobile: true)', gives='"+5491123456789"'),
        Example('format_phone("11 8765-4321", complete: true)', fails="missing_ninth_digit"),
    ),
)


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone number that its country's plan allows.

    `country` is ISO 3166 alpha-2, or 001 for numbers of no country. `type` is mobile, fixed,
    fixed_or_mobile (where the plan does not tell, as in the United States), toll_free or another
    type of `phonenumbers`. `repairs` names what had to be mended: trunk_0, carrier_code, area_code
    (the flow's was filled in), ninth_digit, mx_1, ar_9, first_of_many. `suspicious` marks what is valid
    but looks typed to fill a field: one digit repeated.
    """

    e164: str
    country: str
    type: str
    repairs: tuple[str, ...]
    suspicious: bool


def format_phone(
    number: str,
    region: str = "BR",
    area_code: str | None = None,
    mobile: bool | None = None,  # noqa: FBT001  # a flow may give it by place
    complete: bool | None = None,  # noqa: FBT001  # the same
) -> str:
    """Give the number in E.164; fail as `parse_phone` does. Idempotent."""
    return parse_phone(number, region, area_code, mobile=mobile, complete=complete).e164


def parse_phone(
    text: str,
    region: str = "BR",
    area_code: str | None = None,
    *,
    mobile: bool | None = None,
    complete: bool | None = None,
) -> Phone:
    """Read the phone number in `text`: the first valid mobile, else the first valid number.

    `mobile` and `complete` refuse other numbers. Raises StepFailure with one of SIGNATURE's codes; its message shows
    two digits at most.
    """
    wanted = _Wanted(mobile=mobile or False, complete=complete or False) if mobile or complete else _ANY
    if region == "BR":
        usual = _usual_brazilian(text)
        if usual is not None:
            return usual if wanted is _ANY else _suited(usual, wanted)
    return _parse_anything(text, region.upper(), area_code, wanted)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which numbers a flow takes."""

    mobile: bool = False
    complete: bool = False


_ANY = _Wanted()


def _suited(phone: Phone, wanted: _Wanted) -> Phone:
    """The phone, if the flow takes it; raises StepFailure."""
    if wanted.complete and "ninth_digit" in phone.repairs:
        raise _refusal("missing_ninth_digit", phone.e164, "lacks the ninth digit that every mobile of Brazil has")
    if not wanted.mobile or "mobile" in phone.type:
        return phone
    if phone.country == "AR" and phone.type == "fixed":
        # Argentina's mobiles have the number of a fixed line, and from abroad a 9 before it.
        return replace(_by_library(f"+549{phone.e164[3:]}", None, None), repairs=(*phone.repairs, "ar_9"))
    raise _refusal("not_mobile", phone.e164, "is no mobile")


def match_key(e164: str) -> str:
    """Give one key for both forms of a Brazilian mobile, with and without the ninth digit.

    WhatsApp keeps ids from before the ninth digit, so one person comes under two numbers. Only
    mobiles whose last eight digits begin with 6 to 9 ever had the short form; without its 9, any
    other one would be somebody's fixed line.
    """
    return _MOBILE_WITH_LEGACY_FORM.sub(r"\1\2", e164)


_MOBILE_WITH_LEGACY_FORM = re.compile(r"\A(\+55[1-9][1-9])9([6-9]\d{7})\Z", re.ASCII)
_LEGACY_MOBILE = re.compile(r"\A(\+55[1-9][1-9])([6-9]\d{7})\Z", re.ASCII)


def both_forms(e164: str) -> tuple[str, ...]:
    """Every number under which the person of a number may be known, itself first."""
    others = (match_key(e164), _LEGACY_MOBILE.sub(r"\g<1>9\2", e164))
    return (e164, *(other for other in others if other != e164))


# Brazil -------------------------------------------------------------------------------------------

# The 67 national codes in use. Source: Anatel, Consulta Pública 274/2000, art. 22, III.
_AREA_CODES = frozenset(
    tens + unit
    for tens, units in {
        "1": "123456789",
        "2": "12478",
        "3": "1234578",
        "4": "123456789",
        "5": "1345",
        "6": "123456789",
        "7": "134579",
        "8": "123456789",
        "9": "123456789",
    }.items()
    for unit in units
)

# The usual masks and nothing else, so that the thorough path could find no other number in a match.
# No area code has a zero; what has one there is 0800 and its like.
_USUAL_BRAZILIAN = re.compile(r" *(?:\+?55[ -]?)?\(?([1-9][1-9])\)?[ -]?(9?)[ .]?(\d{4})[ .-]?(\d{4}) *", re.ASCII)

# A carrier is known by length, not by name: the two digits after `0` that area code and subscriber
# leave over. So 031 is the trunk zero and an area code in one number, a carrier in another.
_TYPED_IN_BRAZIL = re.compile(
    r"(?P<trunk>0(?P<carrier>[1-9]\d(?=\d{10,11}$))?)?"
    r"(?P<area>[1-9]\d(?=\d{8,9}$))?(?P<subscriber>\d{8,9})"
)
_TOLL_FREE = re.compile(r"0?(800\d{6,7})")

# 4004-, 4020-, 300x-: one number for the whole country, which no area code makes international.
_NATIONWIDE = re.compile(r"(?:4(?:00\d|020|370|864)|300\d)\d{4}")


def _usual_brazilian(text: str) -> Phone | None:
    """Do as the thorough path does, for the usual masks only; None if `text` has another shape."""
    usual = _USUAL_BRAZILIAN.fullmatch(text)
    if usual is None:
        return None
    area, nine, start, end = usual.groups()
    return _brazilian(area, nine + start + end, ())


def _brazilian(area: str, subscriber: str, repairs: tuple[str, ...]) -> Phone:
    """Judge the number of a subscriber of eight or nine digits.

    Since the end of 2016 every mobile has 9 and eight digits (Anatel, Resolução 553/2010), so eight
    digits from 6 to 9 are an old mobile. Fixed lines kept eight digits, from 2 to 5.
    """
    if area not in _AREA_CODES:
        raise _refusal("bad_area_code", subscriber, "has an area code that Brazil does not use")
    kind = "mobile"
    if len(subscriber) == 8 and subscriber[0] in "6789":
        subscriber = "9" + subscriber
        repairs = (*repairs, "ninth_digit")
    elif len(subscriber) == 8 and subscriber[0] in "2345":
        kind = "fixed"
    elif len(subscriber) == 8 or subscriber[0] != "9":
        why = "is neither a mobile (9 and eight digits) nor a fixed line (2 to 5 and seven) of Brazil"
        raise _refusal("invalid_for_country", subscriber, why)
    return _phone(f"+55{area}{subscriber}", "BR", kind, repairs)


def _within_brazil(digits: str, area_code: str | None) -> Phone:
    """Read a number as typed inside Brazil, with or without trunk zero, carrier and area code."""
    toll_free = _TOLL_FREE.fullmatch(digits)
    if toll_free:
        return _phone(f"+55{toll_free[1]}", "BR", "toll_free", ())
    typed = _TYPED_IN_BRAZIL.fullmatch(digits)
    if typed is None:
        why = f"has a length of {len(digits)}; area code and number have 10 or 11 digits in Brazil"
        raise _refusal("bad_length", digits, why)
    repairs: tuple[str, ...] = ()
    if typed["trunk"]:
        repairs = ("carrier_code",) if typed["carrier"] else ("trunk_0",)
    if typed["area"]:
        return _brazilian(typed["area"], typed["subscriber"], repairs)
    return _local(typed["subscriber"], area_code, repairs)


def _local(subscriber: str, area_code: str | None, repairs: tuple[str, ...]) -> Phone:
    """Read a number typed without area code, which only the flow can know."""
    if area_code is None:
        raise _refusal("missing_area_code", subscriber, "has no area code, and the flow names none")
    if _NATIONWIDE.fullmatch(subscriber):
        why = "is a nationwide service number, which has no international form"
        raise _refusal("invalid_for_country", subscriber, why)
    return _brazilian(area_code, subscriber, (*repairs, "area_code"))


# Any text -----------------------------------------------------------------------------------------


def _parse_anything(text: str, region: str, area_code: str | None, wanted: _Wanted = _ANY) -> Phone:
    """Do it thoroughly, for any text and any region."""
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise StepFailure("unknown_region", f"there is no region {region!r}; use a code such as BR")
    phones: dict[str, Phone] = {}
    failures: list[tuple[int, StepFailure]] = []
    for international, digits in candidates(text):
        try:
            phone = _read(digits, international=international, region=region, area_code=area_code)
            phone = _suited(phone, wanted)
            phones.setdefault(phone.e164, phone)
        except StepFailure as failure:
            failures.append((len(digits), failure))
    if phones:
        return _chosen(list(phones.values()))
    if not failures:
        raise StepFailure("no_digits", "the text holds no phone number")
    # The candidate with the most digits is what was meant as the number: its failure helps.
    raise max(failures, key=lambda pair: pair[0])[1]


def _chosen(phones: list[Phone]) -> Phone:
    """Take the first mobile, else the first of all; mark it where there was a choice."""
    first = next((phone for phone in phones if "mobile" in phone.type), phones[0])
    return first if len(phones) == 1 else replace(first, repairs=(*first.repairs, "first_of_many"))


# Countries ----------------------------------------------------------------------------------------

_TYPES = {"fixed_line": "fixed", "fixed_line_or_mobile": "fixed_or_mobile"}


def _read(digits: str, *, international: bool, region: str, area_code: str | None) -> Phone:
    """Read one candidate as a number of the country that its prefix or the region names."""
    if not digits.strip("0"):
        raise _refusal("unparseable", digits, "is nothing but zeros")
    if international:
        return _international(digits, area_code)
    if region != "BR":
        return _typed_in(region, digits, area_code)
    if digits.startswith("00"):
        return _international(digits, area_code)
    if digits.startswith("55") and len(digits) >= 12:  # in fewer, 55 is an area code
        return _within_brazil(digits[2:], area_code)
    return _within_brazil(digits, area_code)


def _international(digits: str, area_code: str | None) -> Phone:
    """Read a number with country code; zeros before it are the international prefix 00."""
    digits = digits.lstrip("0")
    if digits.startswith("55"):
        return _within_brazil(digits[2:], area_code)
    if digits.startswith("521") and len(digits) == 13:
        # Mexico gave up the 1 before mobiles in 2019; ids of older WhatsApp accounts keep it.
        phone = _by_library(f"+52{digits[3:]}", None, area_code)
        return replace(phone, repairs=("mx_1",))
    return _by_library(f"+{digits}", None, area_code)


def _typed_in(region: str, digits: str, area_code: str | None) -> Phone:
    """Read a number typed in another country, perhaps with a country code but without `+`."""
    try:
        return _by_library(digits, region, area_code)
    except StepFailure:
        own_code = str(phonenumbers.country_code_for_region(region))
        if not digits.startswith(("00", own_code)):
            raise
    return _international(digits, area_code)


def _by_library(number: str, region: str | None, area_code: str | None) -> Phone:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.TOO_LONG:
            raise _refusal("bad_length", number, "has more digits than any number") from None
        raise _refusal("unparseable", number, "has no country code in use") from None
    if parsed.country_code == 55:  # dialled from abroad, such as 011 55 in the United States
        return _within_brazil(phonenumbers.national_significant_number(parsed), area_code)
    if not phonenumbers.is_valid_number(parsed):
        raise _refusal("invalid_for_country", number, "is not in its country's numbering plan")
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    country = phonenumbers.region_code_for_number(parsed) or "001"
    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(parsed)).lower()
    return _phone(e164, country, _TYPES.get(kind, kind), ())


def _phone(e164: str, country: str, kind: str, repairs: tuple[str, ...]) -> Phone:
    return Phone(e164, country, kind, repairs, suspicious=e164[-8:] == e164[-1] * 8)


def _refusal(code: str, digits: str, why: str) -> StepFailure:
    """Say why, and which number by two digits only: it is personal data."""
    which = f"the number ending in {digits[-2:]}" if len(digits) >= 6 else "the number"
    return StepFailure(code, f"{which} {why}")
