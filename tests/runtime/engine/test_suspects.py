"""Runs that were in memory when the server died: which of them killed it is found, and the others go on."""

import asyncio
from typing import Any

import pytest

from runtime.context import Call
from runtime.engine.engine import Limits
from runtime.journal.rows import RunDetail, RunState
from runtime.program import Program, Request
from tests.runtime.engine.by_hand import Server, Servers, World, error_of, program, put, refused, until, wrong

SLOW = Limits(reread_seconds=0.02, trial_seconds=60)  # nobody waits for the end of a trial


async def work(p: Any, ctx: Any) -> bool:
    await ctx.step(put("x"), p.n)
    return False


def key(payload: Any, _: Request) -> str:
    return str(payload.n)[0]


FLOW = program(work)


class Deadly(World):
    """A world in which some steps kill the server when they are called, after so many seconds."""

    def __init__(self, *names: str, after: float = 0, **outcomes: Any) -> None:
        super().__init__(**outcomes)
        self.deadly = names
        self.after = after
        self.killed = asyncio.Event()

    async def perform(self, call: Call) -> Any:
        if f"{call.spec.id}:{call.args[0]}" in self.deadly:
            self.calls.append(f"{call.spec.id}:{call.args[0]}")
            await asyncio.sleep(self.after)
            self.killed.set()
            await asyncio.Event().wait()
        return await super().perform(call)


async def stuck(servers: Servers, *names: Any, flow: Program = FLOW) -> list[str]:
    """Deliveries whose runs are in memory, all of them, when the server dies."""
    world = World(x=asyncio.Event())
    server = await servers.start(flow, world=world)
    ids = [await server.post(n) for n in names]
    await until(lambda: len(world.calls) == len(names))
    await servers.stop()
    return ids


async def called(world: World, *names: str) -> None:
    await until(lambda: world.calls == list(names))


async def detail_of(server: Server, run_id: str) -> RunDetail:
    found: RunDetail | None = await server.journal.run(run_id)
    assert found is not None
    return found


async def test_suspects_run_one_at_a_time_in_the_order_of_acceptance(servers: Servers) -> None:
    ids = await stuck(servers, *range(5))
    world = World(x=0.002)
    server = await servers.start(FLOW, world=world)
    for run_id in ids:
        assert (await server.end(run_id)).run.state is RunState.DONE
    assert (world.calls, world.most) == ([f"x:{n}" for n in range(5)], 1)


async def test_what_was_not_in_memory_does_not_wait_for_suspects(servers: Servers) -> None:
    await stuck(servers, "a", "b")
    world = World(**{"x:a": asyncio.Event()})
    server = await servers.start(FLOW, world=world, limits=SLOW)
    await called(world, "x:a")
    for n in range(3):
        await server.end(await server.post(n))
    assert world.calls == ["x:a", "x:0", "x:1", "x:2"]


async def test_the_next_suspect_waits_no_longer_than_a_trial_takes(servers: Servers) -> None:
    await stuck(servers, "a", "b", "c")
    world = World(x=asyncio.Event())
    await servers.start(FLOW, world=world, limits=Limits(trial_seconds=0.02))
    await called(world, "x:a", "x:b", "x:c")


async def test_after_a_stop_in_good_order_nobody_is_suspected(servers: Servers) -> None:
    world = World(x=asyncio.Event())
    server = await servers.start(FLOW, world=world)
    ids = [await server.post(n) for n in range(3)]
    await until(lambda: len(world.calls) == 3)
    await servers.end()
    world = World(x=asyncio.Event())
    server = await servers.start(FLOW, world=world, limits=SLOW)
    await until(lambda: len(world.calls) == 3)
    assert [(await detail_of(server, run_id)).deaths for run_id in ids] == [0, 0, 0]


async def test_what_came_from_the_backlog_is_suspected_as_well(servers: Servers) -> None:
    world = World(x=asyncio.Event())
    server = await servers.start(FLOW, world=world, limits=Limits(running=4))
    ids = [await server.post(n) for n in range(5)]  # a flow has half of the places
    await until(lambda: len(world.calls) == 2)
    await servers.end()
    world = World(**{"x:0": "ok", "x:1": "ok"}, x=asyncio.Event())
    await servers.start(FLOW, world=world, limits=Limits(running=4))
    await called(world, "x:0", "x:1", "x:2", "x:3")
    server = await servers.start(FLOW, world=World(x=asyncio.Event()))
    assert [(await detail_of(server, run_id)).deaths for run_id in ids] == [0, 0, 1, 1, 0]


async def test_after_its_second_death_a_suspect_begins_with_nothing_beside_it(servers: Servers) -> None:
    await stuck(servers, "a")
    beside = World(x=asyncio.Event())
    server = await servers.start(FLOW, world=beside)
    await until(lambda: beside.calls == ["x:a"])
    await server.post("b")
    await until(lambda: beside.calls == ["x:a", "x:b"])
    gate = asyncio.Event()
    world = World(**{"x:a": gate})
    server = await servers.start(FLOW, world=world, limits=SLOW)
    await called(world, "x:a")
    run_id = await server.post("c")  # it is taken, and waits
    await asyncio.sleep(0.02)
    assert world.calls == ["x:a"]
    gate.set()
    await server.end(run_id)
    await until(lambda: sorted(world.calls) == ["x:a", "x:b", "x:c"])


async def test_what_is_to_be_alone_is_so_for_its_trial_only(servers: Servers) -> None:
    ids = await stuck(servers, "a")
    world = World(x=asyncio.Event())
    await servers.start(FLOW, world=world)
    await called(world, "x:a")
    world = World(**{"x:a": asyncio.Event()})
    server = await servers.start(FLOW, world=world, limits=Limits(trial_seconds=0.01))
    assert (await detail_of(server, ids[0])).deaths == 2
    await server.end(await server.post("b"))
    assert world.calls == ["x:a", "x:b"]


async def test_three_deaths_alone_make_a_dead_letter_that_can_be_retried(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    [run_id] = await stuck(servers, "a")
    for strikes in range(3):
        world = World(x=asyncio.Event())
        server = await servers.start(FLOW, world=world)
        await called(world, "x:a")
        assert (await detail_of(server, run_id)).strikes == strikes
    server = await servers.start(FLOW)
    told = [vars(entry) for entry in caplog.records if entry.getMessage() == "run is dead"]
    assert [(one["flow"], one["run"], one["code"]) for one in told] == [("f", run_id, "poison")]
    assert {key: count.number for key, count in server.engine.counts.runs.items()} == {("f", "dead"): 1}
    dead = await detail_of(server, run_id)
    assert (dead.run.state, dead.deaths, dead.strikes, dead.run.ended_at is None) == (RunState.DEAD, 4, 3, False)
    assert error_of(dead) == {
        "step": "",
        "code": "poison",
        "message": "the server died 3 times while this run was the only one in memory",
        "attempt": 0,
    }
    assert server.world.calls == []
    await server.engine.hands.retry(dead)
    assert (await server.end(run_id)).run.state is RunState.DONE
    assert ((await detail_of(server, run_id)).deaths, server.world.calls) == (0, ["x:a"])


async def test_a_death_with_others_beside_it_is_no_strike(servers: Servers) -> None:
    ids = await stuck(servers, "a", "b")
    for _ in range(2):
        world = World(x=asyncio.Event())
        server = await servers.start(FLOW, world=world, limits=Limits(trial_seconds=0.001))
        await called(world, "x:a", "x:b")
    server = await servers.start(FLOW, world=World(x=asyncio.Event()), limits=SLOW)
    found = [await detail_of(server, run_id) for run_id in ids]
    assert [(one.deaths, one.strikes) for one in found] == [(3, 0), (3, 0)]


async def test_a_suspect_that_waits_is_suspected_no_more(servers: Servers) -> None:
    [run_id] = await stuck(servers, "a")
    world = World(**{"x:a": refused(60)})
    server = await servers.start(FLOW, world=world)
    assert (await server.end(run_id, RunState.WAITING)).deaths == 0


async def test_a_suspect_that_was_cancelled_is_not_begun(servers: Servers) -> None:
    ids = await stuck(servers, "a", "b")
    world = World(**{"x:a": asyncio.Event()})
    server = await servers.start(FLOW, world=world, limits=SLOW)
    await called(world, "x:a")
    for run_id in reversed(ids):
        await server.engine.hands.cancel(await detail_of(server, run_id))
    await server.end(await server.post("c"))
    assert world.calls == ["x:a", "x:c"]


async def test_a_limit_holds_for_suspects_and_the_first_place_is_theirs(servers: Servers) -> None:
    flow = program(work, concurrency=1)
    await stuck(servers, "a", flow=flow)
    world = World(x=0.002)
    server = await servers.start(flow, world=world)
    for run_id in [await server.post("b"), await server.post("c")]:
        await server.end(run_id)
    assert (world.calls, world.most) == (["x:a", "x:b", "x:c"], 1)


async def test_a_suspect_keeps_the_turn_of_its_key(servers: Servers) -> None:
    flow, gate = program(work, serial=key), asyncio.Event()
    world = World(**{"x:a1": wrong()}, x=asyncio.Event())
    server = await servers.start(flow, world=world)
    old = await server.end(await server.post("a1"))
    for name in ("z", "a2"):
        await server.post(name)
    await until(lambda: len(world.calls) == 3)
    world = World(**{"x:z": gate})
    server = await servers.start(flow, world=world, limits=SLOW)
    await called(world, "x:z")
    await server.engine.hands.retry(old)
    await asyncio.sleep(0.02)
    assert world.calls == ["x:z"]
    gate.set()
    await server.end(old.run.id, RunState.DONE)
    assert world.calls == ["x:z", "x:a2", "x:a1"]


async def test_a_poison_is_found_among_many_and_all_others_are_done(servers: Servers) -> None:
    world = Deadly("x:bad", x=0.005)
    server = await servers.start(FLOW, world=world)
    ids = [await server.post(n) for n in (*range(8), "bad", *range(8, 16))]
    bad = ids.pop(8)
    deaths = 0
    while (await detail_of(server, bad)).run.state is not RunState.DEAD:
        await world.killed.wait()
        deaths += 1
        world = Deadly("x:bad", x=0.005)
        server = await servers.start(FLOW, world=world)
        ids.append(await server.post(f"late{deaths}"))
    for run_id in ids:
        assert (await server.end(run_id)).run.state is RunState.DONE
    assert deaths == 5


async def test_what_kills_late_is_found_too(servers: Servers) -> None:
    limits = Limits(reread_seconds=0.02, trial_seconds=0.01)
    world = Deadly("x:bad", x=0.2, after=0.05)
    server = await servers.start(FLOW, world=world, limits=limits)
    ids = [await server.post(n) for n in ("one", "bad", "two")]
    deaths = 0
    while (await detail_of(server, ids[1])).run.state is not RunState.DEAD:
        await world.killed.wait()
        deaths += 1
        assert deaths < 12
        world = Deadly("x:bad", x=0.2, after=0.05)
        server = await servers.start(FLOW, world=world, limits=limits)
    for run_id in (ids[0], ids[2]):
        assert (await server.end(run_id)).run.state is RunState.DONE
