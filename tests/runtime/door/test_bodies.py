"""Bodies that are JSON, that are not, and that only look like it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.door.bodies import Screen, decode
from runtime.shapes import DEPTH, MisfitError, NotJsonError, Shape, anything, field, record, scalar, text
from tests.runtime.door.harness import LEAD_SHAPE

NOTHING = record("Nothing")
ANYTHING = record("Anything", field("x", anything))


def read(body: bytes, shape: Shape = LEAD_SHAPE) -> Any:
    return decode(shape, Screen.of(shape), body).payload


def refusal(body: bytes, shape: Shape = LEAD_SHAPE) -> str:
    with pytest.raises(NotJsonError) as refused:
        read(body, shape)
    return str(refused.value)


@pytest.mark.parametrize("space", [b"", b" ", b"\r\n\t "])
def test_json_may_have_space_around_it(space: bytes) -> None:
    assert read(space + b'{"telefone":"1"}' + space).telefone == "1"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "It is empty. Send a JSON object."),
        (b" \r\n", "It is empty. Send a JSON object."),
        (b"\xef\xbb\xbf{}", "It begins with a byte order mark. Send UTF-8 without one."),
        (b"\xff\xfe{\x00}\x00", "It begins with a byte order mark. Send UTF-8 without one."),
        (b"<xml/>", "It looks like XML or HTML. Send a JSON object."),
        *(
            (body, "It is neither an object nor an array: its first character is not { or [. Send a JSON object.")
            for body in (b'"text"', b"1", b"null", b"NaN", b"a=1", b"\x00{}", b"\x0c{}", b"\xc2\xa0{}")
        ),
    ],
)
def test_what_is_no_json_is_named(body: bytes, told: str) -> None:
    assert refusal(body) == told


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"telefone":"1","x":NaN}', "It cannot be read: NaN is not a JSON value."),
        (b'{"telefone":"1","x":-Infinity}', "It cannot be read: -Infinity is not a JSON value."),
        (b'{"telefone":"1"} x', "It cannot be read: Extra data at line 1, column 18."),
        (b'{"telefone":"1"}{}', "It cannot be read: Extra data at line 1, column 17."),
        (b'{"telefone":"1"', "It cannot be read: Expecting ',' delimiter at line 1, column 16."),
        (b'{"telefone":"1","x":"\xff"}', "It cannot be read: byte 21 is not UTF-8."),
        (b'{"telefone":"1","\xc0\xaf":1}', "It cannot be read: byte 17 is not UTF-8."),
        (b'{"telefone":"1","telefone":"2"}', "It cannot be read: an object has the same key twice."),
        (b'{"telefone":"1","t\\u0065lefone":"2"}', "It cannot be read: an object has the same key twice."),
        (b'{"telefone":"1","t\\u0065lefon\\u0065":"2"}', "It cannot be read: an object has the same key twice."),
        (
            b'{"telefone":"1","x":"\\ud800"}',
            "It cannot be read: an escape such as \\ud800 stands alone, and means no character.",
        ),
        (
            b'{"telefone":"\\uDFFF\\uD800"}',
            "It cannot be read: an escape such as \\ud800 stands alone, and means no character.",
        ),
        (
            b'{"telefone":"1","x":' + b"[" * DEPTH + b"]" * DEPTH + b"}",
            "It cannot be read: arrays and objects are nested more than 64 deep.",
        ),
        (b"[" * 200_000, "It cannot be read: arrays and objects are nested more than 64 deep."),
        (b'{"x":' * 100_000, "It cannot be read: arrays and objects are nested more than 64 deep."),
    ],
)
def test_mistakes_are_found_in_the_parts_that_a_flow_skips(body: bytes, told: str) -> None:
    assert refusal(body) == told


@pytest.mark.parametrize(
    "body",
    [
        b'{"telefone":"1","x":"\\ud83d\\ude00"}',
        b'{"telefone":"1","x":"\\\\ud800"}',
        b'{"telefone":"\\u00e9"}',
        b'{"telefone":"1","x":"\\"telefone\\":"}',
        b'{"telefone":"telefone"}',
        b'{"telefone":"1","x":{"telefone":"2"}}',
        b'{"telefone":"1","x":[{"y":1},{"y":1}]}',
        b'{"telefone":"1","x":"' + b"[{" * 200 + b'"}',
        b'{"telefone":"1","x":"\\"' + b"[{" * 200 + b'"}',
        b'{"telefone":"1","x":"\\\\","y":[' + b"[]," * 200 + b"[]]}",
        b'{"telefone":"1","x":' + b"[" * (DEPTH - 1) + b"]" * (DEPTH - 1) + b"}",
    ],
)
def test_suspects_that_did_nothing_are_let_through(body: bytes) -> None:
    assert read(body).telefone


def test_keys_with_characters_beyond_latin_1_are_screened_too() -> None:
    shape = record("S", field("a", scalar, key="名"), field("b", text, key="a/b", required=False))
    assert read('{"名":"1"}'.encode(), shape).a == "1"
    assert "same key twice" in refusal('{"名":"1","\\u540d":"2"}'.encode(), shape)
    assert "same key twice" in refusal('{"名":"1","a/b":"2","a\\/b":"3"}'.encode(), shape)


def test_payload_without_fields_takes_any_object() -> None:
    read(b'{"a":"\\u0041"}', NOTHING)
    with pytest.raises(MisfitError):
        read(b"[]", NOTHING)


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(value=values, ascii_only=st.booleans())
def test_whatever_json_a_library_writes_is_read(value: Any, ascii_only: bool) -> None:  # noqa: FBT001  # drawn
    body = json.dumps({"x": value}, ensure_ascii=ascii_only)
    if value is None:
        return
    assert read(body.encode(), ANYTHING).x == value


@given(depth=st.integers(1, 3 * DEPTH), junk=st.text(alphabet='[]{}"\\ab', max_size=80))
def test_depth_is_counted_outside_of_strings(depth: int, junk: str) -> None:
    body = f"{'[' * depth}{json.dumps(junk)}{']' * depth}".encode()
    deep = depth > DEPTH
    shape = record("S", field("x", scalar))
    with pytest.raises(NotJsonError if deep else MisfitError):
        read(body, shape)


@given(body=st.binary(max_size=200) | st.text(alphabet='{}[]":,\\ud0a 1eE.-', max_size=60).map(str.encode))
def test_no_body_does_worse_than_be_refused(body: bytes) -> None:
    try:
        read(b'{"telefone":' + body)
        read(body)
    except (NotJsonError, MisfitError):
        return
