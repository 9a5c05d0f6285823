"""Deadlines of bodies."""

import asyncio

import pytest

from runtime.door.answers import Refused
from runtime.door.hooks import Hook, make_table
from runtime.door.intake import Intake
from tests.runtime.door.harness import KEY, UNLOCKED, House, program

[HOOK] = make_table(KEY, [program()], UNLOCKED).values()


async def never() -> dict[str, object]:
    await asyncio.Event().wait()
    return {}


async def status_of(intake: Intake, hook: Hook = HOOK) -> int:
    try:
        await intake.read(hook, never, 10)
    except Refused as refused:
        return int(refused.answer.start["status"])
    return 200


async def test_body_that_does_not_come_is_refused_in_time() -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert await status_of(Intake(1_000, 0.1)) == 408
    assert 0.09 <= loop.time() - start < 1


async def test_answer_to_a_slow_body_says_how_long_it_may_take() -> None:
    intake = Intake(1_000, 0.05)
    with pytest.raises(Refused) as refused:
        await intake.read(HOOK, never, 10)
    assert refused.value.answer.body == (
        b'{"type":"urn:seta:problem:too-slow","title":"The body came too slowly","status":408,'
        b'"detail":"It has to be here 0.05 s after the headers. Nothing was stored: send it again."}'
    )


async def test_each_body_has_its_own_deadline() -> None:
    intake = Intake(1_000, 0.2)
    loop = asyncio.get_running_loop()
    start = loop.time()
    ends: list[float] = []

    async def one(pause: float) -> None:
        await asyncio.sleep(pause)
        assert await status_of(intake) == 408
        ends.append(loop.time() - start - pause)

    await asyncio.gather(one(0), one(0.05), one(0.3))
    assert len(ends) == 3
    assert all(0.19 <= end < 0.35 for end in ends)


async def test_interrupted_reading_leaves_its_task_unharmed() -> None:
    intake = Intake(1_000, 0.05)
    assert await status_of(intake) == 408
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert await status_of(intake) == 408


async def test_cancellation_from_outside_passes_through() -> None:
    task = asyncio.ensure_future(status_of(Intake(1_000, 5)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_stopping_server_answers_those_who_still_send() -> None:
    intake = Intake(1_000, 5)
    tasks = [asyncio.ensure_future(status_of(intake)) for _ in range(3)]
    await asyncio.sleep(0)
    intake.end()
    assert await asyncio.gather(*tasks) == [503, 503, 503]


async def test_body_in_time_is_not_interrupted_later() -> None:
    house = House(seconds=0.05)
    assert (await house.post()).status == 200
    await asyncio.sleep(0.1)
    assert (await house.post()).status == 200
