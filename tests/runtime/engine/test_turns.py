"""Whose turn it is: `serial by`, `concurrency`, and a share of the running set for every flow."""

import asyncio
from typing import Any

from runtime.engine.engine import Limits
from runtime.journal.rows import RunState
from runtime.program import Request
from tests.runtime.engine.by_hand import Servers, World, lost, program, put, send, until, wrong


async def work(p: Any, ctx: Any) -> bool:
    await ctx.step(put("x"), p.n)
    return False


def key(payload: Any, _: Request) -> str | None:
    return None if payload.n is None else str(payload.n)[0]


SERIAL = program(work, serial=key)


def in_turn(calls: list[str]) -> dict[str, list[str]]:
    """The calls of each key, in their order."""
    found: dict[str, list[str]] = {}
    for call in calls:
        found.setdefault(call[2], []).append(call[2:])
    return found


async def test_equal_keys_run_one_at_a_time_in_the_order_of_acceptance(servers: Servers) -> None:
    running: dict[str, int] = {}

    class Watching(World):
        async def perform(self, call: Any) -> Any:
            name = str(call.args[0])[0]
            running[name] = running.get(name, 0) + 1
            assert running[name] == 1
            try:
                await asyncio.sleep(0.001)
                return await super().perform(call)
            finally:
                running[name] -= 1

    world = Watching()
    server = await servers.start(SERIAL, world=world)
    ids = await asyncio.gather(*(server.post(f"{'abc'[n % 3]}{n:03}") for n in range(60)))
    for run_id in ids:
        assert (await server.end(run_id)).run.state is RunState.DONE
    assert in_turn(world.calls) == {
        name: [f"{name}{n:03}" for n in range(number, 60, 3)] for number, name in enumerate("abc")
    }


async def test_without_a_key_or_with_another_nobody_waits(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(**{"x:a1": gate})
    server = await servers.start(SERIAL, world=world)
    first, second = await server.post("a1"), await server.post("a2")
    for n in ("b1", None, None):
        await server.end(await server.post(n))
    assert "x:a2" not in world.calls
    gate.set()
    for run_id in (first, second):
        await server.end(run_id)


async def test_turns_are_kept_over_a_kill(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(**{"x:a0": gate})
    server = await servers.start(SERIAL, world=world)
    ids = [await server.post(f"a{n}") for n in range(5)]
    await until(lambda: world.calls == ["x:a0"])
    again = World(**{"x:a0": 0.02})
    server = await servers.start(SERIAL, world=again)
    ids.append(await server.post("a5"))
    for run_id in ids:
        await server.end(run_id)
    assert again.calls == [f"x:a{n}" for n in range(6)]


async def rests(p: Any, ctx: Any) -> bool:
    await ctx.sleep("rest", 40 if p.n == "a0" else 0)
    await ctx.step(put("x"), p.n)
    return False


async def test_a_run_that_waits_keeps_its_turn(servers: Servers) -> None:
    world = World()
    server = await servers.start(program(rests, serial=key), world=world)
    ids = [await server.post(f"a{n}") for n in range(3)]
    await server.end(ids[0], RunState.WAITING)
    for run_id in ids:
        await server.end(run_id)
    assert world.calls == ["x:a0", "x:a1", "x:a2"]


async def sends(p: Any, ctx: Any) -> bool:
    await ctx.step(send("x"), p.n)
    return False


async def test_one_that_is_dead_or_waits_for_a_person_lets_the_next_go(servers: Servers) -> None:
    world = World(**{"x:a0": [lost()], "x:a1": [wrong()]})
    server = await servers.start(program(sends, serial=key), world=world)
    ids = [await server.post(f"a{n}") for n in range(3)]
    states = [(await server.end(run_id)).run.state for run_id in ids]
    assert states == [RunState.PARKED, RunState.DEAD, RunState.DONE]


async def test_turns_hold_when_there_is_little_room(servers: Servers) -> None:
    world = World(x=0.001)
    server = await servers.start(SERIAL, world=world, limits=Limits(running=2))
    ids = await asyncio.gather(*(server.post(f"{'ab'[n % 2]}{n:03}") for n in range(30)))
    for run_id in ids:
        await server.end(run_id)
    assert world.most == 1
    assert in_turn(world.calls) == {name: [f"{name}{n:03}" for n in range(i, 30, 2)] for i, name in enumerate("ab")}


async def test_a_flow_has_so_many_runs_at_the_same_time_and_no_more(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(x=gate)
    server = await servers.start(program(work, concurrency=3), world=world)
    ids = [await server.post(n) for n in range(20)]
    await until(lambda: len(world.calls) == 3)
    await asyncio.sleep(0.02)
    gate.set()
    for run_id in ids:
        await server.end(run_id)
    assert world.most == 3
    assert world.calls == [f"x:{n}" for n in range(20)]


async def test_a_flow_with_a_long_backlog_does_not_hold_up_another(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(x=gate, **{"x:quick": ["ok"]})
    server = await servers.start(
        program(work, concurrency=1), program(work, "slow"), program(work, "g"), world=world, limits=Limits(running=4)
    )
    stuck = [await server.post(n) for n in range(10)] + [await server.post(n, "slow") for n in range(10)]
    for _ in range(3):
        await server.end(await server.post("quick", "g"))
    assert len(world.calls) == 3 + 3  # one of f, half of four of slow
    gate.set()
    for run_id in stuck:
        await server.end(run_id)


async def test_a_limit_holds_for_the_backlog_of_an_earlier_life(servers: Servers) -> None:
    gate = asyncio.Event()
    server = await servers.start(program(work), world=World(x=gate))
    ids = [await server.post(n) for n in range(20)]
    await servers.end()
    world = World(x=0.001)
    server = await servers.start(program(work, concurrency=2), world=world)
    for run_id in ids:
        await server.end(run_id)
    assert world.most == 2
