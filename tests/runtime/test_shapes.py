"""Payload types at the door: the fast way and the slow way say the same, and every problem is told."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.functions import cpf, format_phone
from runtime.shapes import (
    Field,
    Kind,
    MisfitError,
    NotJsonError,
    Problem,
    Shape,
    anything,
    array,
    boolean,
    check_unique_keys,
    day,
    decimal,
    email,
    enum,
    field,
    integer,
    moment,
    nominal,
    ranged,
    reader,
    record,
    scalar,
    span,
    text,
    url,
    whole,
)
from runtime.shapes.reading import load_exactly, loads

phone = nominal("phone", partial(format_phone.format_phone, region="BR"))
SIMPLE = [
    text,
    boolean,
    integer,
    decimal,
    scalar,
    anything,
    email,
    moment,
    day,
    span,
    url,
    phone,
    nominal("cpf", cpf.cpf),
    enum("site", "anuncio", ""),
    ranged(text, 1, 5),
    ranged(integer, 0, None),
    ranged(decimal, None, 10),
]


def nested(parts: list[Kind]) -> Kind:
    return shape(parts).kind()


def shape(parts: list[Kind], *, required: bool = True) -> Shape:
    fields = [field(f"f{number}", kind, required=required or bool(number % 2)) for number, kind in enumerate(parts)]
    return record("R", *fields)


kinds = st.recursive(
    st.sampled_from(SIMPLE),
    lambda inner: st.one_of(inner.map(array), st.lists(inner, max_size=3).map(nested)),
    max_leaves=4,
)

JSON_TEXTS = [
    "null", "true", "0", "-1", "1.50", "1e3", "9223372036854775807", "9223372036854775808", '""', '"a"',
    '"site"', '"11999998888"', '"ana@example.com"', '"2024-02-29"', '"2024-02-29T10:00:00-03:00"',
    '"2024-02-29T10:00:00"', '"90s"', '"https://a.example/x"', '"529.982.247-25"', '"12.5"', '"NaN"',
    '"\\ud83d\\ude00"', "[]", "{}", "[1]", '["a", ""]', '{"f0": 1}', '{"f0": "a", "f1": null}',
]  # fmt: skip
values = st.recursive(
    st.sampled_from(JSON_TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        st.lists(inner, max_size=3).map(
            lambda parts: "{" + ", ".join(f'"f{n}": {part}' for n, part in enumerate(parts)) + "}"
        ),
    ),
    max_leaves=4,
)


def outcome(decode: Any, body: bytes) -> Any:
    try:
        decoded = decode(body)
    except MisfitError as misfit:
        return misfit.problems
    except NotJsonError:
        return "not JSON"
    return plain(decoded.payload), decoded.left_out


def plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {f: plain(getattr(value, f)) for f in value.__struct_fields__}
    return [plain(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=600)
@given(st.lists(kinds, min_size=1, max_size=3), st.booleans(), st.lists(values, max_size=3))
def test_the_fast_way_and_the_slow_way_agree(parts: list[Kind], required: bool, given_values: list[str]) -> None:  # noqa: FBT001  # drawn
    known = shape(parts, required=required)
    body = ("{" + ", ".join(f'"f{n}": {value}' for n, value in enumerate(given_values)) + "}").encode()
    assert outcome(known.decode, body) == outcome(lambda b: known.read(loads(b)), body)


LEAD = record(
    "Lead",
    field("telefone", scalar),
    field("nome", text, required=False, lenient=True),
    field("email", email, required=False, lenient=True),
    field("origem", enum("site", "anuncio"), required=False, default="site"),
)


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ("{}", [Problem("/telefone", "text or number", "nothing")]),
        ('{"telefone": ""}', [Problem("/telefone", "text or number", "empty text")]),
        ("[]", [Problem("", "object", "an array")]),
        (
            '{"telefone": {}, "origem": "loja", "nome": 3}',
            [Problem("/telefone", "text or number", "an object"), Problem("/origem", '"site" | "anuncio"', "text")],
        ),
    ],
)
def test_every_problem_is_told_at_once_and_a_lenient_field_is_none(body: str, problems: list[Problem]) -> None:
    with pytest.raises(MisfitError) as caught:
        LEAD.decode(body.encode())
    assert caught.value.problems == problems


def test_a_lenient_field_that_does_not_fit_is_left_out_and_told() -> None:
    decoded = LEAD.decode(b'{"telefone": 11999998888.0, "nome": 3, "email": "x", "origem": null}')
    assert plain(decoded.payload) == {"telefone": "11999998888.0", "nome": None, "email": None, "origem": "site"}
    assert decoded.left_out == ("/nome", "/email")


def test_values_come_in_the_one_form_of_their_type() -> None:
    known = record(
        "All",
        field("phone", phone),
        field("email", email),
        field("valor", decimal),
        field("quando", moment),
        field("dia", day),
        field("prazo", span),
        field("utm", text, key="utm-source"),
    )
    body = {
        "phone": "(11) 99999-8888",
        "email": " Ana@Example.COM ",
        "valor": "10.50",
        "quando": "2024-02-29T10:00:00-03:00",
        "dia": "2024-02-29",
        "prazo": "2h",
        "utm-source": "x",
    }
    assert plain(known.decode(json.dumps(body).encode()).payload) == {
        "phone": "+5511999998888",
        "email": "Ana@example.com",
        "valor": Decimal("10.50"),
        "quando": datetime(2024, 2, 29, 13, tzinfo=UTC),
        "dia": date(2024, 2, 29),
        "prazo": timedelta(hours=2),
        "utm": "x",
    }


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("90s", timedelta(seconds=90)),
        ("PT5400S", timedelta(minutes=90)),
        ("PT1H30M", timedelta(minutes=90)),
        ("P1DT0.5S", timedelta(days=1, milliseconds=500)),
        ("-P1D", timedelta(days=-1)),
        ("P1Y", None),
        ("PT", None),
        ("-2h", None),
        ("P999999999DT999999999999S", None),
    ],
)
def test_duration_is_read_as_flows_write_it_and_as_it_leaves(written: str, meaning: timedelta | None) -> None:
    found = outcome(record("R", field("prazo", span)).decode, json.dumps({"prazo": written}).encode())
    assert found == (({"prazo": meaning}, ()) if meaning is not None else [Problem("/prazo", "duration", "text")])


@given(st.timedeltas())
def test_every_duration_that_leaves_is_read_again(left: timedelta) -> None:
    assert reader(span)(msgspec.json.encode(left)) == left


def test_a_pointer_escapes_what_json_pointers_escape() -> None:
    known = record("R", Field("a", "a/b~c", integer))
    with pytest.raises(MisfitError) as caught:
        known.decode(b'{"a/b~c": true}')
    assert [problem.pointer for problem in caught.value.problems] == ["/a~1b~0c"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"telefone": 1} x',
        b'{"telefone": NaN}',
        b'{"telefone": "\xff"}',
        b'{"telefone": "\\ud800"}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_not_json_is_told_apart(body: bytes) -> None:
    with pytest.raises(NotJsonError):
        LEAD.decode(body)


def test_a_key_twice_anywhere_is_found() -> None:
    check_unique_keys(b'{"a": {"b": 1}, "c": {"b": 1}}')
    with pytest.raises(NotJsonError, match="same key twice"):
        check_unique_keys(b'{"a": [{"b": 1, "\\u0062": 2}]}')


def test_the_whole_body_may_be_one_value() -> None:
    known = whole("corpo", array(integer))
    assert known.decode(b"[1, 2]").payload.corpo == [1, 2]
    with pytest.raises(MisfitError):
        known.decode(b'{"corpo": [1]}')


def test_a_reader_checks_what_comes_back() -> None:
    read = reader(record("R", field("id", integer)).kind())
    assert read(b'{"id": 5, "more": 1}').id == 5
    with pytest.raises(MisfitError, match="/id should be int, is text"):
        read(b'{"id": "5"}')


# --- values of forms: what they mean is for the type to say

PAIR = record("Pair", field("a", integer), field("b", text, required=False))


@pytest.mark.parametrize(
    ("kind", "value", "meaning"),
    [
        (text, "12", "12"),
        (scalar, "12", "12"),
        (integer, "12", 12),
        (integer, " -7 ", -7),
        (integer, "+7", 7),
        (integer, 7, 7),  # of JSON in a field
        (decimal, "10.50", Decimal("10.50")),
        *((boolean, word, True) for word in ("true", "1", "on", "yes", "sim", "Sim", "ON ")),
        *((boolean, word, False) for word in ("false", "0", "off", "no", "não", "NAO")),
        (email, "a@B.example", "a@b.example"),
        (phone, "11 99999-8888", "+5511999998888"),
        (enum("site", "loja"), "loja", "loja"),
        (day, "2026-01-31", date(2026, 1, 31)),
        (span, "2h", timedelta(hours=2)),
        (ranged(integer, 1, 9), "9", 9),
        (array(text), "um", ["um"]),
        (array(integer), ["1", "2"], [1, 2]),
        (array(integer), '["1", 2]', [1, 2]),
        (array(text), {"10": "c", "2": "b", "0": "a"}, ["a", "b", "c"]),
        (array(PAIR.kind()), {"0": {"a": "1"}, "1": {"a": "2"}}, [{"a": 1, "b": None}, {"a": 2, "b": None}]),
        (array(PAIR.kind()), {"a": "1"}, [{"a": 1, "b": None}]),
        (PAIR.kind(), '{"a": "1", "b": "x"}', {"a": 1, "b": "x"}),
        (anything, "12", "12"),
        (anything, ' {"a": [1, "2"]}', {"a": [1, "2"]}),
        (anything, "{not JSON}", "{not JSON}"),
        (anything, {"0": "a"}, {"0": "a"}),
    ],
)
def test_value_of_a_form_is_read_as_its_type(kind: Kind, value: Any, meaning: Any) -> None:
    form = record("F", field("x", kind))
    assert plain(form.decode_form(json.dumps({"x": value}).encode()).payload.x) == meaning


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        (integer, "1.0", Problem("/x", "int", "text")),
        (integer, "1_000", Problem("/x", "int", "text")),
        (integer, "٣", Problem("/x", "int", "text")),
        (integer, "9223372036854775808", Problem("/x", "int", "text")),
        (integer, "", Problem("/x", "int", "empty text")),
        (boolean, "talvez", Problem("/x", "bool", "text")),
        (decimal, "NaN", Problem("/x", "decimal", "text")),
        (decimal, "1,50", Problem("/x", "decimal", "text")),
        (text, ["a", "b"], Problem("/x", "text", "an array")),
        (PAIR.kind(), "{not JSON}", Problem("/x", "object", "text")),
        (PAIR.kind(), '{"a": 1, "a": 2}', Problem("/x", "object", "text")),
        (PAIR.kind(), "[" * 200_000, Problem("/x", "object", "text")),
        (PAIR.kind(), '{"a": "x"}', Problem("/x/a", "int", "text")),
        (array(integer), {"0": "1", "b": "2"}, Problem("/x/0", "int", "an object")),
        (array(integer), {"9" * 5000: "1"}, Problem("/x/0", "int", "an object")),
    ],
)
def test_value_of_a_form_that_does_not_fit_is_told(kind: Kind, value: Any, problem: Problem) -> None:
    form = record("F", field("x", kind))
    with pytest.raises(MisfitError) as misfit:
        form.decode_form(json.dumps({"x": value}).encode())
    assert misfit.value.problems == [problem]


@pytest.mark.parametrize(
    ("kind", "value"),
    [(integer, "12"), (boolean, "true"), (array(text), "um"), (array(text), {"0": "a"}), (PAIR.kind(), '{"a": 1}')],
)
def test_nothing_of_json_is_read_as_a_form_would_be(kind: Kind, value: Any) -> None:
    with pytest.raises(MisfitError):
        record("J", field("x", kind)).decode(json.dumps({"x": value}).encode())


def test_empty_field_of_a_form_is_absent_unless_it_is_text() -> None:
    form = record(
        "F", field("n", integer, required=False, default=3), field("t", text), field("e", email, required=False)
    )
    assert plain(form.decode_form(b'{"n":"","t":"","e":""}').payload) == {"n": 3, "t": "", "e": None}


def test_default_that_is_given_as_json_is_read_as_its_kind_and_takes_the_place_of_what_is_absent() -> None:
    inner = record("Inner", field("x", integer), field("y", text, key="y-z", required=False, default="k"))
    shape = record(
        "P",
        field("d", day, required=False, given='"2024-12-31"'),
        field("xs", array(text), required=False, given='["a"]'),
        field("r", inner.kind(), required=False, given='{"x":1}'),
    )
    for body in (b"{}", b'{"d":null,"xs":null,"r":null}', b'{"d":""}'):
        found = shape.decode(body).payload
        assert (found.d, found.xs, found.r.x, found.r.y) == (date(2024, 12, 31), ["a"], 1, "k")
    assert shape.decode(b'{"d":"2020-01-01","xs":[],"r":{"x":2,"y-z":"q"}}').payload.r.y == "q"
    assert shape.schema["properties"]["r"]["default"] == {"x": 1}


@pytest.mark.parametrize("required", [True, False])
def test_empty_text_is_told_where_a_range_forbids_it(required: bool) -> None:  # noqa: FBT001  # drawn
    shape = record("S", field("x", ranged(text, 1, None), required=required))
    with pytest.raises(MisfitError) as misfit:
        shape.decode(b'{"x":""}')
    assert misfit.value.problems == [Problem("/x", "text(1..)", "empty text")]
    assert shape.decode(b'{"x":"a"}').payload.x == "a"
    loose = record("S", field("x", ranged(text, 0, 3), required=required))
    assert loose.decode(b'{"x":""}').payload.x == ""


numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
written: st.SearchStrategy[str] = st.recursive(
    numbers | st.sampled_from(["null", "true", "false", '"\\u00e9"', '"{"', '"1"']) | st.text().map(json.dumps),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda parts: f"[{', '.join(parts)}]")
        | st.dictionaries(st.text(max_size=3).map(json.dumps), inner, max_size=4).map(
            lambda parts: "{" + ", ".join(f"{key}: {value}" for key, value in parts.items()) + "}"
        )
    ),
    max_leaves=12,
)


@given(value=written)
def test_any_json_is_the_same_read_fast_and_by_its_characters(value: str) -> None:
    slow = reader(anything)(value.encode())
    assert repr(load_exactly(value.encode())) == repr(slow)
    assert repr(whole("x", anything).decode(value.encode()).payload.x) == repr(slow)


@pytest.mark.parametrize("body", [b'[{"a":1,"a":2}]', b'["\\ud800"]', b"[NaN]", b"[1] x", b'["\xff"]'])
def test_what_is_no_json_is_refused_read_fast_too(body: bytes) -> None:
    with pytest.raises(NotJsonError):
        load_exactly(body)
    with pytest.raises(NotJsonError):
        whole("x", anything).decode(body)


def test_no_more_than_a_thousand_problems_are_looked_for() -> None:
    shape = record("S", field("a", integer), field("x", array(integer)))
    with pytest.raises(MisfitError) as misfit:
        shape.decode(b'{"x":[' + b",".join([b'""'] * 5000) + b"]}")
    assert len(misfit.value.problems) == 1000
    assert misfit.value.problems[:2] == [Problem("/a", "int", "nothing"), Problem("/x/0", "int", "empty text")]
    with pytest.raises(MisfitError):
        reader(array(integer))(b"[" + b",".join([b'""'] * 5000) + b"]")


def test_problems_of_what_nobody_insists_on_hide_none_of_the_others() -> None:
    shape = record(
        "S", field("loose", array(integer), required=False, lenient=True), field("x", array(integer), required=False)
    )
    many = b"[" + b",".join([b'""'] * 5000) + b"]"
    with pytest.raises(MisfitError):
        shape.decode(b'{"loose":' + many + b',"x":[""]}')
