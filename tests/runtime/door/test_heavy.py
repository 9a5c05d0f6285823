"""Bodies of a great many values take many times their room once they are decoded: that is done one at a time."""

import asyncio
import sys
from typing import Any

import pytest

from runtime.door.app import Door
from runtime.door.arriving import is_heavy
from runtime.door.reading import take
from runtime.shapes import anything, field, record
from tests.runtime.door.harness import PATH, House, program
from tests.runtime.door.test_app import Looking

SHAPE = record("P", field("a", anything))
HEAVY = b'{"a":[' + b"{}," * 10_000 + b"{}]}"
LIGHT = b'{"a":[' + b"{}," * 3_000 + b"{}]}"


@pytest.mark.parametrize(
    ("body", "heavy"),
    [
        (HEAVY, True),
        (LIGHT, False),
        (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", True),
        (b'{"a":"' + b"x" * 5_000_000 + b'"}', False),
        (b"", False),
    ],
)
def test_a_body_is_heavy_by_its_values_not_by_its_bytes(body: bytes, *, heavy: bool) -> None:
    assert is_heavy(body) is heavy


async def test_heavy_bodies_are_decoded_one_at_a_time_and_light_ones_go_by() -> None:
    house = House(program(shape=SHAPE))
    accept, first, go_on = house.engine.accept, asyncio.Event(), asyncio.Event()
    at_once: list[int] = []

    async def watched(*args: Any) -> Any:
        if len(args[2]) < len(HEAVY):
            return await accept(*args)
        at_once.append(1)
        first.set()
        await go_on.wait()
        assert at_once == [1]
        at_once.pop()
        return await accept(*args)

    house.door = Door(Looking(watched), house.hooks, house.readiness, house.intake)
    heavies = [asyncio.create_task(house.post(HEAVY)) for _ in range(3)]
    await first.wait()
    assert (await house.post(LIGHT)).status == 200
    assert house.intake.held == 3 * len(HEAVY)
    go_on.set()
    assert [(await heavy).status for heavy in heavies] == [200] * 3
    assert house.intake.held == 0


async def test_the_loop_gets_the_interpreter_sooner_while_a_heavy_body_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual, seen = sys.getswitchinterval(), list[float]()

    def watched(*args: Any) -> Any:
        seen.append(sys.getswitchinterval())
        return take(*args)

    monkeypatch.setattr("runtime.door.app.take", watched)
    house = House(program(shape=SHAPE))
    assert [(await house.post(body)).status for body in (HEAVY, HEAVY[:-1])] == [200, 400]
    assert (len(seen), max(seen) < usual, sys.getswitchinterval()) == (2, True, usual)


async def test_turn_and_room_are_given_back_whatever_becomes_of_a_heavy_body() -> None:
    house = House(program(shape=SHAPE))
    bodies = [HEAVY[:-1], HEAVY.replace(b'"a"', b'"b"'), HEAVY]
    assert [(await house.post(body)).status for body in bodies] == [400, 422, 200]
    assert house.intake.held == 0


async def test_a_heavy_body_that_is_cancelled_while_it_waits_holds_nothing() -> None:
    house = House(program(shape=SHAPE))
    async with house.intake._turn:  # noqa: SLF001  # another body's turn, for as long as this takes
        waiting = asyncio.create_task(house.request("POST", PATH, [HEAVY], content_length=str(len(HEAVY))))
        while house.intake.held == 0:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert house.intake.held == 0
    assert (await house.post(HEAVY)).status == 200
