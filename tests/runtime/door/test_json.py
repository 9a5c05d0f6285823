"""JSON of all kinds through the door, and text of all kinds through it and out again."""

import json
from urllib.parse import urlencode

import pytest

from runtime.shapes import anything, array, field, record, scalar, text, whole
from tests.naughty import NAUGHTY
from tests.runtime.door.harness import PATH, House, program
from tests.runtime.door.json_cases import BAD, GOOD, OURS

STATUSES = {
    **dict.fromkeys(GOOD, 200),
    **dict.fromkeys(BAD, 400),
    **{name: status for name, (_, status) in OURS.items()},
}
BODIES = {**GOOD, **BAD, **{name: body for name, (body, _) in OURS.items()}}
MEDIA = "application/json"


async def answered(shape_name: str, body: bytes) -> tuple[int, House]:
    shape = {"any": whole("x", anything), "none": record("Nothing"), "strange": record("S", field("zz", scalar))}
    house = House(program(shape=shape[shape_name]))
    return (await house.post(body, content_type=MEDIA)).status, house


@pytest.mark.parametrize("name", BODIES)
async def test_body_is_taken_or_refused_as_its_name_says(name: str) -> None:
    status, house = await answered("any", BODIES[name])
    assert status == STATUSES[name]
    assert house.intake.held == 0
    assert [kept.body for kept in house.engine.accepted] == [BODIES[name]] * (status == 200)


@pytest.mark.parametrize("name", [name for name in BAD if BAD[name].startswith(b"{") and "same" not in name])
@pytest.mark.parametrize("shape", ["none", "strange"])
async def test_mistakes_are_found_where_a_flow_reads_nothing(shape: str, name: str) -> None:
    status, house = await answered(shape, BAD[name])
    assert (status, house.engine.accepted) == (400, [])


async def test_key_that_nobody_reads_may_come_twice() -> None:
    assert (await answered("none", BAD["n_object_same_key"]))[0] == 200


@pytest.mark.parametrize("name", [name for name in GOOD if GOOD[name].lstrip().startswith(b"{")])
async def test_objects_are_taken_where_a_flow_reads_nothing(name: str) -> None:
    assert (await answered("none", GOOD[name]))[0] == 200


@pytest.mark.parametrize("ascii_only", [True, False])
async def test_any_text_comes_through_as_it_was_sent(ascii_only: bool) -> None:  # noqa: FBT001  # drawn
    shape = record("P", field("all", array(text)), field("any", anything))
    sent = {"all": NAUGHTY, "any": {word: word for word in NAUGHTY}}
    body = json.dumps(sent, ensure_ascii=ascii_only).encode()
    house = House(program(shape=shape, limit=10_000_000))
    assert (await house.post(body)).status == 200
    [kept] = house.engine.accepted
    assert (kept.payload.all, kept.payload.any) == (NAUGHTY, sent["any"])
    assert kept.body == body


@pytest.mark.parametrize("word", NAUGHTY, ids=range(len(NAUGHTY)))
async def test_any_text_comes_through_a_form_as_it_was_sent(word: str) -> None:
    shape = record("P", field("word", text))
    house = House(program(shape=shape, accept=("form", "multipart"), limit=10_000_000))
    coded = urlencode({"word": word}).encode()
    assert (await house.post(coded, content_type="application/x-www-form-urlencoded")).status == 200
    part = b'--XX\r\nContent-Disposition: form-data; name="word"\r\n\r\n' + word.encode() + b"\r\n--XX--\r\n"
    assert (await house.post(part, content_type="multipart/form-data; boundary=XX")).status == 200
    first, second = house.engine.accepted
    assert (first.payload.word, second.payload.word) == (word, word)
    assert shape.decode_form(first.body).payload.word == word


async def test_any_text_is_a_header_or_parameter_as_it_was_sent() -> None:
    house = House(program(headers=("x-word",), query=("word",), shape=record("Nothing")))
    words = [word for word in NAUGHTY if len(word) < 1000]
    for word in words:
        target = f"{PATH}?{urlencode({'word': word})}".encode()
        value = word.translate(dict.fromkeys(map(ord, "\r\n\0"))).strip().encode()
        reply = await house.ask("POST", target, [(b"x-word", value), (b"content-length", b"2")], [b"{}"])
        assert reply.status == 200
        request = house.engine.accepted[-1].request
        assert (request.query["word"], request.headers["x-word"]) == (word, value.decode())
