"""`dedupe by`: a repeat of a delivery gets the first run's id, and what that one answered."""

import asyncio
from typing import Any

import pytest

from runtime.engine import retention
from runtime.engine.answers import Answered
from runtime.failures import StepFailure
from runtime.program import Dedupe, Request
from tests.runtime.engine.by_hand import Server, Servers, World, program, put, until

HOUR = 3_600_000


def key(payload: Any, request: Request) -> str | None:
    if payload.n == "broken":
        raise StepFailure("overflow", "no key can be computed")
    return None if payload.n is None else f"{payload.n}{request.headers.get('x-id', '')}"


async def once(p: Any, ctx: Any) -> bool:
    await ctx.step(put("x"), p.n)
    return False


async def answers(p: Any, ctx: Any) -> bool:
    await ctx.step(put("x"), p.n)
    await ctx.respond("respond", 200, {"got": p.n})
    return False


ONCE = program(once, dedupe=Dedupe(key, HOUR))
ANSWERS = program(answers, responds=True, dedupe=Dedupe(key, HOUR))


async def number_of_runs(server: Server) -> int:
    return len(await server.journal.runs(limit=99))


async def test_a_repeat_gets_the_first_run_s_id_and_makes_no_run(servers: Servers) -> None:
    world = World()
    server = await servers.start(ONCE, world=world)
    first = await server.deliver("a")
    await server.end(first.run_id)
    for _ in range(3):
        repeat = await server.deliver("a")
        assert (repeat.run_id, repeat.repeat, repeat.answer, repeat.recorded) == (first.run_id, True, None, None)
    other = await server.deliver("b")
    assert (other.repeat, other.run_id != first.run_id) == (False, True)
    await server.end(other.run_id)
    assert (await number_of_runs(server), world.calls) == (2, ["x:a", "x:b"])
    assert server.engine.running == 0


@pytest.mark.parametrize("n", [None, "broken"])
async def test_without_a_key_there_is_no_repeat(servers: Servers, n: Any) -> None:
    server = await servers.start(ONCE)
    runs = [await server.deliver(n) for _ in range(3)]
    assert len({run.run_id for run in runs}) == 3
    assert not any(run.repeat for run in runs)


async def test_of_many_at_once_exactly_one_runs(servers: Servers) -> None:
    world = World()
    server = await servers.start(ONCE, program(once, "g"), world=world)
    mixed = [server.deliver(f"k{n % 3}") for n in range(30)] + [server.deliver(n, "g") for n in range(10)]
    found = await asyncio.gather(*mixed)
    assert len({run.run_id for run in found[:30]}) == 3
    assert sum(run.repeat for run in found) == 27
    for run in found:
        await server.end(run.run_id)
    assert sorted(call for call in world.calls if "k" in call) == ["x:k0", "x:k1", "x:k2"]


async def test_the_request_may_be_part_of_the_key(servers: Servers) -> None:
    server = await servers.start(ONCE)
    first = await server.deliver("a", request=Request({"x-id": "1"}, {}))
    assert not (await server.deliver("a", request=Request({"x-id": "2"}, {}))).repeat
    assert (await server.deliver("a", request=Request({"x-id": "1"}, {}))).run_id == first.run_id


async def test_keys_are_of_one_flow(servers: Servers) -> None:
    server = await servers.start(ONCE, program(once, "g", dedupe=Dedupe(key, HOUR)))
    assert not (await server.deliver("a")).repeat
    assert not (await server.deliver("a", "g")).repeat


async def test_keys_outlive_the_server(servers: Servers) -> None:
    first = await (await servers.start(ONCE)).deliver("a")
    repeat = await (await servers.start(ONCE)).deliver("a")
    assert (repeat.run_id, repeat.repeat) == (first.run_id, True)


async def test_after_the_window_it_is_a_new_delivery(servers: Servers) -> None:
    server = await servers.start(ONCE)
    first = await server.deliver("a")
    servers.clock.ahead = HOUR - 60_000
    assert (await server.deliver("a")).run_id == first.run_id
    servers.clock.ahead = HOUR + 60_000
    second = await server.deliver("a")
    assert not second.repeat
    servers.clock.ahead = 2 * HOUR
    assert (await server.deliver("a")).run_id == second.run_id


async def test_a_repeat_gets_the_answer_that_was_given(servers: Servers) -> None:
    server = await servers.start(ANSWERS)
    first = await server.deliver("a")
    assert first.answer is not None
    assert await first.answer == Answered(200, b'{"got":"a"}')
    server = await servers.start(ANSWERS)
    repeat = await server.deliver("a")
    assert (repeat.run_id, repeat.recorded, repeat.answer) == (first.run_id, Answered(200, b'{"got":"a"}'), None)


async def test_a_repeat_before_the_answer_gets_the_run_s_id(servers: Servers) -> None:
    gate = asyncio.Event()
    server = await servers.start(ANSWERS, world=World(x=gate))
    first = await server.deliver("a")
    repeat = await server.deliver("a")
    assert (repeat.run_id, repeat.repeat, repeat.recorded) == (first.run_id, True, None)
    gate.set()
    assert first.answer is not None
    await first.answer


async def test_what_is_over_is_forgotten_a_little_at_a_time(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "LOOK_SECONDS", 0.01)
    server = await servers.start(ONCE)
    await asyncio.gather(*(server.deliver(n) for n in range(450)))
    servers.clock.ahead = HOUR // 2
    await server.deliver("young")
    servers.clock.ahead = HOUR + 60_000
    left = [0]

    async def count() -> None:
        left[0] = await server.journal.read(lambda c: c.execute("SELECT count(*) FROM dedupe").get)

    await count()
    while left[0] > 1:
        await asyncio.sleep(0.005)
        await count()
    assert (await server.deliver("young")).repeat
    await until(lambda: server.engine.running == 0)
