"""Bodies with files lie on the disk while they come; the memory they take is counted all the same."""

import asyncio
import hmac
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from runtime.door.answers import Refused
from runtime.door.app import Door
from runtime.door.arriving import IN_MEMORY, Arriving, Spool
from runtime.door.intake import Intake
from runtime.program import Guard
from runtime.shapes import Shape, array, field, integer, record, text
from tests.runtime.door.harness import PATH, House, Reply, program
from tests.runtime.door.test_app import Looking
from tests.runtime.door.test_parts import MEDIA, form, part

FILE = record("File", field("name", text), field("size", integer))
WITH_CONTENT = record("File", field("name", text), field("size", integer), field("base64", text))
LARGE = bytes(range(256)) * 4 * (IN_MEMORY // 1024) * 4  # a megabyte of all there is
PIECE = 65_536


def payload(file: Shape) -> Shape:
    return record("P", field("foto", file.kind()))


def house(shape: Shape, room: int = 64_000_000, secrets: dict[str, str] | None = None, **clauses: Any) -> House:
    one = program(shape=shape, accept=("multipart",), limit=50_000_000, **clauses)
    return House(one, room=room, secrets=secrets)


async def send(door: House, body: bytes, **headers: str) -> tuple[Reply, int]:
    """Send a body in pieces; the answer, and the most that was held of it."""
    held: list[int] = []

    async def watch() -> None:
        while True:
            held.append(door.intake.held)
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    pieces = [body[at : at + PIECE] for at in range(0, len(body), PIECE)]
    sent = {"content_length": str(len(body)), "content_type": MEDIA, **headers}
    reply = await door.request("POST", PATH, pieces, **sent)
    watching.cancel()
    return reply, max(held)


async def test_large_form_is_not_held_in_memory_while_it_comes() -> None:
    door = house(payload(FILE))
    reply, most = await send(door, form(part("foto", LARGE, file="a.png")))
    assert (reply.status, door.engine.accepted[0].payload.foto.size) == (200, len(LARGE))
    assert 0 < most <= IN_MEMORY
    assert door.intake.held == 0


async def test_content_that_a_flow_declares_comes_out_as_it_was_sent() -> None:
    door = house(payload(WITH_CONTENT))
    body = form(part("foto", LARGE, file="a.png"))
    reply, _ = await send(door, body)
    assert reply.status == 200
    [kept] = door.engine.accepted
    assert b64decode(kept.payload.foto.base64) == LARGE
    assert door.intake.held == 0


async def test_form_that_is_kept_reads_again_as_it_was_read_first() -> None:
    shape = record(
        "P",
        field("n", integer),
        field("fotos", array(WITH_CONTENT.kind())),
        field("raw", record("R", field("x", integer, required=False)).kind()),
    )
    door = house(shape)
    fotos = [part("fotos", LARGE[:size], file=f"{size}") for size in (0, 1, 2, 3, IN_MEMORY)]
    reply, _ = await send(door, form(part("n", "7"), part("raw", '{"x":null}'), *fotos))
    assert reply.status == 200
    [kept] = door.engine.accepted
    assert shape.decode_form(kept.body).payload == kept.payload
    assert [foto.size for foto in kept.payload.fotos] == [0, 1, 2, 3, IN_MEMORY]


async def test_large_forms_are_decoded_one_at_a_time_and_nobody_is_refused() -> None:
    door = house(payload(WITH_CONTENT))
    at_once: list[int] = []
    accept = door.engine.accept

    async def watched(*args: Any) -> Any:
        at_once.append(1)
        await asyncio.sleep(0.01)
        assert at_once == [1]
        at_once.pop()
        return await accept(*args)

    door.door = Door(Looking(watched), door.hooks, door.readiness, door.intake)
    body = form(part("foto", LARGE, file="a.png"))
    replies = await asyncio.gather(*(send(door, body) for _ in range(4)))
    assert [reply.status for reply, _ in replies] == [200] * 4


async def test_turn_is_given_back_whatever_becomes_of_a_form() -> None:
    door = house(payload(FILE), guard=Guard("token", {"secret": "S"}, {"header": "X"}), secrets={"S": "s"})
    body = form(part("foto", LARGE, file="a.png"))
    sent = [(LARGE, "s"), (body, "other"), (form(part("x", LARGE, file="x")), "s"), (body, "s")]
    assert [(await send(door, one, x=token))[0].status for one, token in sent] == [400, 401, 422, 200]


async def test_large_form_is_judged_over_its_bytes_before_it_is_read() -> None:
    guard = Guard("github", {"secret": "S"}, {})
    body = form(part("foto", LARGE, file="a.png"))
    proof = {"x_hub_signature_256": f"sha256={hmac.digest(b's3cr3t', body, sha256).hex()}"}
    guarded = house(payload(FILE), guard=guard, secrets={"S": "s3cr3t"})
    assert (await send(guarded, body, **proof))[0].status == 200
    tampered = house(payload(FILE), guard=guard, secrets={"S": "s3cr3t"})
    assert (await send(tampered, body.replace(b"a.png", b"b.png"), **proof))[0].status == 401
    assert tampered.engine.accepted == []


async def test_large_form_that_is_none_is_refused() -> None:
    reply, _ = await send(house(payload(FILE)), LARGE)
    assert (reply.status, reply.json()["type"]) == (400, "urn:seta:problem:not-multipart")


async def test_form_larger_than_the_limit_is_refused_while_it_comes() -> None:
    door = House(program(shape=payload(FILE), accept=("multipart",), limit=len(LARGE)))
    pieces = [LARGE[:PIECE]] * 100
    reply = await door.request("POST", PATH, pieces, transfer_encoding="chunked", content_type=MEDIA)
    assert (reply.status, door.intake.held) == (413, 0)


async def test_file_has_no_name_and_is_gone_with_what_was_read(tmp_path: Path) -> None:
    arriving = Arriving(Spool(tmp_path))
    await arriving.put_down([LARGE[:PIECE]] * 4)
    content = await arriving.whole([LARGE[:PIECE]])
    arriving.close()
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  # of a test
    assert bytes(content) == LARGE[:PIECE] * 5
    assert (len(content), content[PIECE : PIECE + 3], content[-1:]) == (5 * PIECE, LARGE[:3], LARGE[PIECE - 1 : PIECE])


async def test_small_form_makes_no_file() -> None:
    door = house(payload(FILE))
    door.intake = door.door._intake = Intake(64_000_000, 5, Spool(Path("/nowhere")))  # noqa: SLF001  # for one test
    reply, _ = await send(door, form(part("foto", LARGE[: IN_MEMORY // 2], file="a.png")))
    assert (reply.status, door.intake.held) == (200, 0)


@pytest.mark.parametrize(
    ("spool", "status"),
    [(Spool(Path("/nowhere")), 503), (Spool(None, lambda: False), 507)],
)
async def test_disk_that_takes_no_file_refuses_and_holds_nothing(spool: Spool, status: int) -> None:
    door = house(payload(FILE))
    door.intake = door.door._intake = Intake(64_000_000, 5, spool)  # noqa: SLF001  # for one test
    reply, _ = await send(door, form(part("foto", LARGE, file="a.png")))
    assert (reply.status, door.intake.held) == (status, 0)


async def coming(intake: Intake, part: bytes, pause: float, times: int) -> int:
    """Read a form whose parts come so far apart; the status of the refusal, or 200."""
    left = times

    async def receive() -> dict[str, Any]:
        nonlocal left
        left -= 1
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": part, "more_body": left > 0}

    [hook] = house(payload(FILE)).hooks.table.values()
    try:
        intake.let_go(await intake.read(hook, receive, None, spooled=True))
    except Refused as refused:
        return int(refused.answer.start["status"])
    return 200


async def test_large_form_has_its_time_for_each_piece_that_lies_on_the_disk() -> None:
    intake = Intake(64_000_000, 1.0)
    assert await coming(intake, b"x" * IN_MEMORY, pause=0.25, times=6) == 200
    assert await coming(intake, b"x" * PIECE, pause=0.25, times=6) == 408
    assert intake.held == 0
