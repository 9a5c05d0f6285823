"""Forms of several parts: fields, files, JSON inside a field."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.door.parts import read_parts
from runtime.door.texts import UnreadableError
from runtime.shapes import Shape, anything, array, field, integer, record, text
from tests.runtime.door.harness import House, Reply, program

MEDIA = "multipart/form-data; boundary=XX"
FILE = record("File", field("name", text), field("type", text), field("size", integer))
WITH_CONTENT = record("F", field("name", text), field("size", integer), field("base64", text))


def part(name: str, content: bytes | str, *, file: str | None = None, media: str = "") -> bytes:
    said = f'Content-Disposition: form-data; name="{name}"' + ("" if file is None else f'; filename="{file}"')
    typed = f"\r\nContent-Type: {media}" if media else ""
    return (
        f"--XX\r\n{said}{typed}\r\n\r\n".encode()
        + (content.encode() if isinstance(content, str) else content)
        + b"\r\n"
    )


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--XX--\r\n"


async def post(shape: Shape, body: bytes, media: str = MEDIA, limit: int = 1_000_000) -> tuple[Reply, Any]:
    house = House(program(shape=shape, accept=("multipart",), limit=limit))
    reply = await house.post(body, content_type=media)
    return reply, house.engine.accepted[0] if house.engine.accepted else None


JOTFORM = record(
    "JotForm",
    field("formID", integer),
    field("submissionID", text),
    field(
        "rawRequest",
        record(
            "Raw",
            field("q3_nome", record("Nome", field("first", text), field("last", text)).kind()),
            field("q5_qtd", integer),
            field("q6_tags", array(text), required=False),
        ).kind(),
    ),
)


async def test_json_inside_a_field_is_read_into_the_declared_record() -> None:
    raw = {"q3_nome": {"first": "João", "last": "Silva"}, "q5_qtd": "3", "q6_tags": ["a"], "other": 1}
    body = form(part("formID", "241"), part("submissionID", "9"), part("rawRequest", json.dumps(raw)))
    reply, kept = await post(JOTFORM, body)
    assert reply.status == 200
    payload = kept.payload
    assert (payload.formID, payload.submissionID) == (241, "9")
    assert (payload.rawRequest.q3_nome.first, payload.rawRequest.q5_qtd, payload.rawRequest.q6_tags) == (
        "João",
        3,
        ["a"],
    )
    assert kept.request.form
    assert JOTFORM.decode_form(kept.body).payload == payload


async def test_file_is_a_record_and_its_content_is_not_kept() -> None:
    shape = record("P", field("nome", text), field("anexo", FILE.kind()))
    body = form(part("nome", "Ana"), part("anexo", b"\x00\xff" * 100, file="foto 1.png", media="image/png"))
    reply, kept = await post(shape, body)
    assert reply.status == 200
    assert json.loads(kept.body) == {"nome": "Ana", "anexo": {"name": "foto 1.png", "type": "image/png", "size": 200}}
    assert (kept.payload.anexo.name, kept.payload.anexo.size) == ("foto 1.png", 200)


@pytest.mark.parametrize(
    ("shape", "name", "pick"),
    [
        (record("P", field("a", WITH_CONTENT.kind())), "a", lambda p: p.a),
        (record("P", field("a", WITH_CONTENT.kind(), required=False)), "a", lambda p: p.a),
        (record("P", field("a", array(WITH_CONTENT.kind()))), "a[]", lambda p: p.a[0]),
        (record("P", field("a", array(WITH_CONTENT.kind()))), "a[0]", lambda p: p.a[0]),
        (record("P", field("a", array(WITH_CONTENT.kind()))), "a", lambda p: p.a[0]),
        (record("P", field("a", record("Q", field("b", WITH_CONTENT.kind())).kind())), "a[b]", lambda p: p.a.b),
    ],
)
async def test_content_is_kept_where_the_flow_declares_it(shape: Shape, name: str, pick: Any) -> None:
    reply, kept = await post(shape, form(part(name, b"\x00\x01\x02", file="x"), part("z", b"zz", file="z")))
    assert reply.status == 200
    file = pick(kept.payload)
    assert (file.name, file.size, file.base64) == ("x", 3, "AAEC")
    assert b"eno=" not in kept.body


async def test_several_files_of_one_field_are_an_array() -> None:
    shape = record("P", field("fotos", array(FILE.kind())))
    _, kept = await post(shape, form(part("fotos", b"1", file="a"), part("fotos", b"22", file="b")))
    assert [(foto.name, foto.type, foto.size) for foto in kept.payload.fotos] == [
        ("a", "application/octet-stream", 1),
        ("b", "application/octet-stream", 2),
    ]


async def test_field_for_a_file_that_was_left_empty_is_absent() -> None:
    shape = record("P", field("foto", FILE.kind(), required=False))
    _, kept = await post(shape, form(part("foto", b"", file="", media="application/octet-stream")))
    assert kept.payload.foto is None


async def test_empty_file_with_a_name_is_a_file() -> None:
    _, kept = await post(record("P", field("foto", FILE.kind())), form(part("foto", b"", file="a.txt")))
    assert kept.payload.foto.size == 0


async def test_file_where_a_text_is_declared_is_told() -> None:
    reply, _ = await post(record("P", field("nome", text)), form(part("nome", b"x", file="a")))
    assert reply.json()["problems"] == [{"pointer": "/nome", "expected": "text", "got": "an object"}]


async def test_text_that_looks_like_a_form_or_json_stays_in_multipart() -> None:
    reply, kept = await post(record("P", field("x", anything)), b"\r\n" + form(part("x", "12")))
    assert (reply.status, kept.payload.x) == (200, "12")


async def test_text_in_an_old_character_set_is_read_as_its_part_says() -> None:
    body = form(part("nome", "João".encode("latin-1"), media="text/plain; charset=iso-8859-1"))
    _, kept = await post(record("P", field("nome", text)), body)
    assert kept.payload.nome == "João"


async def test_body_larger_than_the_limit_is_refused() -> None:
    reply, _ = await post(record("P", field("a", FILE.kind())), form(part("a", b"x" * 500, file="a")), limit=400)
    assert reply.status == 413


NOT_AS_IT_SHOULD = "It is cut short, has more than 1000 parts, or they are not as multipart/form-data has them."


@pytest.mark.parametrize(
    ("body", "media", "told"),
    [
        (b"", MEDIA, NOT_AS_IT_SHOULD),
        (b"{}", MEDIA, NOT_AS_IT_SHOULD),
        (part("a", "1"), MEDIA, NOT_AS_IT_SHOULD),
        (form(part("a", "1"))[:-6], MEDIA, NOT_AS_IT_SHOULD),
        (form(part("a", "1")), "multipart/form-data; boundary=YY", NOT_AS_IT_SHOULD),
        (form(part("a", "1")).replace(b"\r\n", b"\n"), MEDIA, NOT_AS_IT_SHOULD),
        (form(part("a", "1")).replace(b"form-data", b"attachment"), MEDIA, NOT_AS_IT_SHOULD),
        (form(part("a", "1")).replace(b'"a"', b'"\xff"'), MEDIA, NOT_AS_IT_SHOULD),
        (form(part("a" * 5000, "1")), MEDIA, NOT_AS_IT_SHOULD),
        (form(*[part("a", "1")] * 1001), MEDIA, NOT_AS_IT_SHOULD),
        (
            form(part("a", "1")),
            "multipart/form-data",
            "Its content type names no boundary. Leave that header to what makes the form.",
        ),
        (form(part("a", b"\xff")), MEDIA, "Its byte 0 is not UTF-8. Send UTF-8."),
        *(
            (body, MEDIA, "One of its fields is a value and also holds others, by the brackets in their names.")
            for body in (
                form(part("a", "", file="x"), part("a[b]", "1")),
                form(part("a[b]", "1"), part("a", "", file="x")),
            )
        ),
        (
            form(part("a", "1"), part("a[b]", "1")),
            MEDIA,
            "One of its fields is a value and also holds others, by the brackets in their names.",
        ),
    ],
)
async def test_form_that_cannot_be_read_is_refused(body: bytes, media: str, told: str) -> None:
    reply, kept = await post(FILE, body, media)
    assert reply.json() == {
        "type": "urn:seta:problem:not-multipart",
        "title": "The body is not a form of several parts",
        "status": 400,
        "detail": f"{told} Nothing was stored.",
        "flow": "retomada",
    }
    assert kept is None


@given(
    fields=st.dictionaries(st.text("abc", min_size=1, max_size=3), st.binary(max_size=200_000), max_size=3),
)
def test_every_file_is_read_whole_whatever_it_holds(fields: dict[str, bytes]) -> None:
    parts = [part(name, content, file="f") for name, content in fields.items() if b"\r\n--XX" not in content]
    found = read_parts(form(*parts) if parts else b"--XX--", MEDIA.encode(), lambda _: True)
    assert {name: file["size"] for name, file in found.items()} == {
        name: len(content) for name, content in fields.items() if b"\r\n--XX" not in content
    }


@given(body=st.binary(max_size=100) | st.text(alphabet='-X\r\n:;="namefor-dt', max_size=100).map(str.encode))
def test_no_form_does_worse_than_be_refused(body: bytes) -> None:
    for sent in (body, b"--XX\r\n" + body, form(part("a", body)), form(body)):
        try:
            read_parts(sent, MEDIA.encode(), lambda _: False)
        except UnreadableError:
            continue
