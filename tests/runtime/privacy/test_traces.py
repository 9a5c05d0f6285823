"""A phone or an email in a text, in whatever form it was written."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.failures import StepFailure
from runtime.functions.format_phone import format_phone
from runtime.privacy.traces import Keys, Traces, keys_of

PHONE = "+5511987654321"


def found(keys: Keys, *texts: bytes | str | None) -> bool:
    return Traces(keys).are_in(texts)


@pytest.mark.parametrize(
    "text",
    [
        "+5511987654321",
        "5511987654321",
        "11987654321",
        "(11) 98765-4321",
        "11 9 8765 4321",
        "11.98765.4321",
        "11/98765-4321",
        "+55 11 98765-4321",
        "+55 (0) 11 98765-4321",
        "0055 11 98765-4321",
        "011 98765-4321",
        "0 15 11 98765-4321",
        "0xx11 98765-4321",
        "1187654321",
        "(11) 8765-4321",
        "5511987654321:12@s.whatsapp.net",
        "https://wa.me/5511987654321?text=oi",
        "%2B55%2011%2098765-4321",
        "\uff11\uff11\uff19\uff18\uff17\uff16\uff15\uff14\uff13\uff12\uff11",
        "tel 11 3333-4444 ou 11 98765-4321",
        "11987654321.0",
        '{"telefone":11987654321}',
        r'"+55\u00a011\u00a098765\u20114321"',
        json.dumps(json.dumps({"telefone": "\u202a+55 11 98765\u20114321\u202c"})),  # as people paste it
    ],
)
def test_a_phone_is_found_in_any_form(text: str) -> None:
    for of in ("+5511987654321", "1187654321"):
        assert found(keys_of(of, None), text)
    assert found(Keys(PHONE), text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "(21) 98765-4321",
        "119876543210",
        "211987654321",
        "1198765432",
        "98765-4321",
        "5521987654321",
        '{"ddd":"11","numero":"987654321"}',
        '[{"a":11},{"b":987654321}]',
        "",
    ],
)
def test_another_number_is_not_taken_for_it(text: str) -> None:
    assert not found(Keys(PHONE), text)


def test_a_fixed_line_has_one_form() -> None:
    assert found(Keys("+551133334444"), "(11) 3333-4444")
    assert not found(Keys("+551133334444"), "(11) 93333-4444")
    assert not found(Keys("+5511933334444"), "(11) 3333-4444")


@pytest.mark.parametrize(
    ("phone", "texts"),
    [
        ("+351912345678", ["912 345 678", "00351 912345678", "+351 912-345-678"]),
        ("+12025550123", ["(202) 555-0123", "1 202 555 0123"]),
        ("+525512345678", ["55 1234 5678", "+52 1 55 1234 5678"]),
        ("+290 22158".replace(" ", ""), ["+290 22158"]),
    ],
)
def test_phones_of_other_countries_are_found(phone: str, texts: list[str]) -> None:
    assert [found(Keys(phone), text) for text in texts] == [True] * len(texts)


def test_a_short_number_counts_with_its_country_only() -> None:
    assert not found(Keys("+29022158"), "order 22158")


@pytest.mark.parametrize(
    "text",
    [
        "joao@example.com",
        "JOAO@Example.com",
        "<joao@example.com>",
        "mailto:joao@example.com?subject=oi",
        "joao@example.com.",
        "joao%40example.com",
        r'"\njoao@example.com"',
        r'"{\"email\":\"joao@example.com\"}"',
        r'"joao\u0040example.com"',
    ],
)
def test_an_email_is_found_in_any_form(text: str) -> None:
    assert found(keys_of(None, " Joao@example.com "), text)


@pytest.mark.parametrize(
    "text", ["maria.joao@example.com", "joao@example.com.br", "joao@example.comum", "xjoao@example.com", "joao@example"]
)
def test_another_email_is_not_taken_for_it(text: str) -> None:
    assert not found(Keys(email="joao@example.com"), text)


def test_either_of_two_keys_is_enough() -> None:
    both = Keys(PHONE, "joao@example.com")
    assert found(both, None, b"{}", b"tel: 11987654321")
    assert found(both, "", b'"joao@example.com"')
    assert not found(both, b"nobody", None)


def test_ids_of_persons_are_found_as_they_are() -> None:
    assert Traces(Keys(PHONE), ["0f3a"]).are_in([b'{"person":"0f3a"}'])


@pytest.mark.parametrize("email", ["", "joao", "joao@", "joao@example", "a b@example.com", "joao@exa mple.com"])
def test_an_email_that_is_none_is_refused(email: str) -> None:
    with pytest.raises(ValueError, match="this is no email address"):
        keys_of(None, email)


def test_a_phone_that_is_none_is_refused() -> None:
    with pytest.raises(StepFailure, match=re.escape("the text holds no phone number")):
        keys_of("nobody", None)


SEPARATORS = st.sampled_from(["", " ", "-", ".", ") ", " - ", "\u00a0", "\u2011"])


@given(data=st.data(), mobile=st.from_regex(r"\A(11|21|48|85)9[6-9][0-9]{7}\Z"), nine=st.booleans())
def test_whatever_format_phone_reads_as_it_is_found(data: st.DataObject, mobile: str, nine: bool) -> None:  # noqa: FBT001  # hypothesis gives it
    area, rest = mobile[:2], mobile[2:] if nine else mobile[3:]
    text = data.draw(st.sampled_from(["", "+55", "55", "0", "0055"])) + data.draw(SEPARATORS).replace(")", "")
    text += area + data.draw(SEPARATORS) + rest[:-4] + data.draw(SEPARATORS) + rest[-4:]
    try:
        phone = format_phone(text)
    except StepFailure:
        return
    assert phone == f"+55{mobile}"
    assert found(Keys(phone), json.dumps({"telefone": text}))
    assert found(Keys(phone), json.dumps({"telefone": text}, ensure_ascii=False).encode())
