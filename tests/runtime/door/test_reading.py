"""Which kind a body is, what is kept of it, and what a sender of another kind is told."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from runtime.door.reading import kind_of
from runtime.program import NO_REQUEST, Request
from runtime.shapes import Shape, anything, array, boolean, decimal, field, integer, record, text, whole
from tests.runtime.door.harness import House, Reply, program

FORM = "application/x-www-form-urlencoded"
JSON_OR_FORM = ("json", "form")
EVERYTHING = ("json", "form", "multipart", "text")


@pytest.mark.parametrize(
    ("accept", "body", "media", "kind"),
    [
        # what begins as JSON is JSON, whatever it is said to be
        (JSON_OR_FORM, b'{"a":1}', FORM, "json"),
        (EVERYTHING, b" [1]", "text/plain", "json"),
        (EVERYTHING, b"\r\n\t {}", "", "json"),
        (("form",), b"{}", FORM, "json"),
        # except of multipart, and for a flow that takes text and no JSON
        (JSON_OR_FORM, b"{}", "multipart/form-data; boundary=x", "multipart"),
        (("text",), b'{"a":1}', "application/json", "text"),
        # otherwise it is what its type says
        (JSON_OR_FORM, b"a=1", FORM, "form"),
        (JSON_OR_FORM, b"a=1", "Application/X-WWW-Form-URLencoded ;charset=utf-8", "form"),
        (JSON_OR_FORM, b"", FORM, "form"),
        (JSON_OR_FORM, b"x", "application/json", "json"),
        (JSON_OR_FORM, b"x", "application/cloudevents+json", "json"),
        (JSON_OR_FORM, b"<x/>", "text/xml", "text"),
        (EVERYTHING, b"a=1", FORM, "form"),
        # a flow that takes text takes what it takes no other way
        (("text",), b"<x/>", FORM, "text"),
        (("json", "text"), b"a=1", FORM, "text"),
        (("text",), b"--x", "multipart/form-data; boundary=x", "multipart"),
        # nothing is said of it
        (("json",), b"a=1", "", "json"),
        (JSON_OR_FORM, b"a=1", "", "json"),
        (("form",), b"a=1", "", "form"),
        (EVERYTHING, b"a=1", "", "text"),
        (("multipart",), b"a=1", "", "text"),
        # the reader of JSON says best what is wrong with these
        (("json",), b"", "text/plain", "json"),
        (("json",), b" \n", "text/plain", "json"),
        (("json",), b"\xef\xbb\xbf{}", "text/plain", "json"),
        (("json", "text"), b"", "text/plain", "text"),
    ],
)
def test_kind_of_a_body(accept: Sequence[str], body: bytes, media: str, kind: str) -> None:
    assert kind_of(accept, body, media.encode()) == kind


async def post(shape: Shape, body: str, accept: tuple[str, ...] = JSON_OR_FORM, media: str = FORM) -> tuple[Reply, Any]:
    house = House(program(shape=shape, accept=accept))
    reply = await house.post(body.encode(), content_type=media)
    return reply, house.engine.accepted[0] if house.engine.accepted else None


ELEMENTOR = record(
    "Elementor",
    field("form", record("Form", field("id", text), field("name", text)).kind()),
    field(
        "fields",
        record(
            "Fields",
            field("nome", record("Nome", field("value", text)).kind()),
            field("valor", record("Valor", field("value", decimal)).kind(), required=False),
        ).kind(),
    ),
)


async def test_form_of_elementor_is_read_into_the_declared_record() -> None:
    body = (
        "form%5Bid%5D=ab12&form%5Bname%5D=Contato&fields%5Bnome%5D%5Bid%5D=nome&fields%5Bnome%5D%5Bvalue%5D=Jo%C3%A3o+Silva"
        "&fields[valor][value]=10.50&meta%5Bdate%5D%5Bvalue%5D=2026-01-31"
    )
    reply, kept = await post(ELEMENTOR, body)
    assert reply.status == 200
    assert (kept.payload.form.id, kept.payload.form.name) == ("ab12", "Contato")
    assert kept.payload.fields.nome.value == "João Silva"
    assert str(kept.payload.fields.valor.value) == "10.50"


async def test_form_is_kept_as_json_and_marked_as_a_form() -> None:
    reply, kept = await post(record("L", field("n", integer), field("tags", array(text))), "n=+7&tags[]=a&tags[]=b")
    assert reply.status == 200
    assert json.loads(kept.body) == {"n": " 7", "tags": ["a", "b"]}
    assert kept.request == Request({}, {}, form=True)
    assert record("L", field("n", integer)).decode_form(kept.body).payload.n == 7


async def test_json_is_kept_as_it_came() -> None:
    _, kept = await post(record("L", field("n", integer)), '{ "n": 7 }')
    assert (kept.body, kept.request) == (b'{ "n": 7 }', NO_REQUEST)


async def test_whole_form_goes_under_one_name() -> None:
    _, kept = await post(whole("corpo", anything), "a=1&b[c]=x&d=%7B%22e%22%3A2%7D")
    assert kept.payload.corpo == {"a": "1", "b": {"c": "x"}, "d": {"e": 2}}


TEXT = whole("corpo", text)
ONLY_TEXT = ("text",)


@pytest.mark.parametrize(
    ("body", "media", "corpo"),
    [
        (b"<nota><valor>1</valor></nota>", "application/xml", "<nota><valor>1</valor></nota>"),
        ("olá".encode(), "text/plain", "olá"),
        (b'{"a":1}', "application/json", '{"a":1}'),
        (b"", "text/plain", ""),
        (b"\xef\xbb\xbfa", "", "a"),
        ("São".encode("latin-1"), "text/plain; charset=ISO-8859-1", "São"),
        ("São €".encode("cp1252"), 'text/xml;charset="windows-1252"', "São €"),
        (b"a\r\nb\x00", "application/octet-stream", "a\r\nb\x00"),
    ],
)
async def test_flow_that_takes_text_gets_the_whole_body(body: bytes, media: str, corpo: str) -> None:
    house = House(program(shape=TEXT, accept=ONLY_TEXT))
    reply = await house.post(body, content_type=media)
    assert reply.status == 200
    [kept] = house.engine.accepted
    assert kept.payload.corpo == corpo
    assert json.loads(kept.body) == corpo
    assert TEXT.decode(kept.body).payload == kept.payload


@pytest.mark.parametrize(
    ("body", "media", "detail"),
    [
        (b"a\xff", "text/plain", "Its byte 1 is not UTF-8. Send UTF-8. Nothing was stored."),
        (
            b"a",
            "text/plain; charset=utf-16",
            "Its character set is none that is read here. Send UTF-8. Nothing was stored.",
        ),
    ],
)
async def test_text_that_cannot_be_read_is_refused(body: bytes, media: str, detail: str) -> None:
    house = House(program(shape=TEXT, accept=ONLY_TEXT))
    reply = await house.post(body, content_type=media)
    assert (reply.status, reply.json()["type"], reply.json()["detail"]) == (400, "urn:seta:problem:not-text", detail)


async def test_flow_that_takes_anything_gets_values_and_texts() -> None:
    accept, shape = ("json", "form", "text"), whole("corpo", anything)
    _, value = await post(shape, '{"a":[1]}', accept, "text/plain")
    _, fields = await post(shape, "a=1", accept)
    _, xml = await post(shape, "<a/>", accept, "text/xml")
    assert [kept.payload.corpo for kept in (value, fields, xml)] == [{"a": [1]}, {"a": "1"}, "<a/>"]


async def test_every_problem_of_a_form_is_told() -> None:
    shape = record(
        "L",
        field("n", integer),
        field("ok", boolean),
        field("quem", record("Q", field("a", text)).kind()),
        field("nome", text),
        field("um", text),
    )
    reply, _ = await post(shape, "n=7.5&ok=maybe&quem=x&um=1&um=2")
    assert reply.status == 422
    assert reply.json()["problems"] == [
        {"pointer": "/n", "expected": "int", "got": "text"},
        {"pointer": "/ok", "expected": "bool", "got": "text"},
        {"pointer": "/quem", "expected": "object", "got": "text"},
        {"pointer": "/nome", "expected": "text", "got": "nothing"},
        {"pointer": "/um", "expected": "text", "got": "an array"},
    ]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("a=%ff", "What is percent-encoded in it is not UTF-8. Send UTF-8. Nothing was stored."),
        ("a=1&" * 1000 + "b=2", "It has more than 1000 fields. Nothing was stored."),
        ("a" + "[b]" * 64 + "=1", "Its fields are nested more than 64 deep. Nothing was stored."),
        (
            "a=1&a[b]=2",
            "One of its fields is a value and also holds others, by the brackets in their names. Nothing was stored.",
        ),
    ],
)
async def test_form_that_cannot_be_read_is_refused(body: str, detail: str) -> None:
    reply, kept = await post(ELEMENTOR, body)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json() == {
        "type": "urn:seta:problem:not-form",
        "title": "The body is not a form",
        "status": 400,
        "detail": detail,
        "flow": "retomada",
    }
    assert kept is None


@pytest.mark.parametrize(
    ("accept", "body", "media", "came", "send", "header"),
    [
        (("json",), "a=1", FORM, "a form", "a JSON object (application/json)", "application/json"),
        (
            JSON_OR_FORM,
            "<x/>",
            "text/xml",
            "neither JSON nor a form",
            "a JSON object (application/json) or a form (application/x-www-form-urlencoded)",
            "application/json, application/x-www-form-urlencoded",
        ),
        (("form",), "{}", FORM, "JSON", "a form (application/x-www-form-urlencoded)", FORM),
        (
            ("text",),
            "--x",
            "multipart/form-data; boundary=x",
            "a form of several parts",
            "text (text/plain)",
            "text/plain",
        ),
    ],
)
async def test_kind_that_the_flow_does_not_take_is_answered_with_what_to_send(  # noqa: PLR0913, PLR0917  # a row of the table
    accept: tuple[str, ...], body: str, media: str, came: str, send: str, header: str
) -> None:
    house = House(program(accept=accept))
    reply = await house.post(body.encode(), content_type=media)
    assert reply.headers == {"server": "seta", "content-type": "application/problem+json", "accept": header}
    assert reply.json() == {
        "type": "urn:seta:problem:unaccepted",
        "title": "The flow does not take such bodies",
        "status": 415,
        "detail": f"It is {came}: send {send}. The flow's clause `accept` says what it takes. Nothing was stored.",
        "flow": "retomada",
        "accept": list(accept),
    }
    assert house.engine.accepted == []
    assert house.intake.held == 0
