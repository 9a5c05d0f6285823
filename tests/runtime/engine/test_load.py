"""How many bytes are in memory: large deliveries wait in the journal, however few they are."""

import asyncio
from typing import Any

import pytest

from runtime.beside import beside
from runtime.engine.engine import Limits
from runtime.journal.rows import RunState
from tests.runtime.engine.by_hand import Servers, World, program, put, until

LARGE = "x" * 300


async def work(p: Any, ctx: Any) -> bool:
    await ctx.step(put("x"), p.n[-1])
    return False


async def reads(p: Any, ctx: Any) -> bool:
    await ctx.step(put("first"))
    await ctx.step(put("x"), p.n[-1])
    return False


F, G, H = program(work), program(work, "g"), program(work, "h")


async def test_large_deliveries_of_one_flow_leave_half_to_others(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(x=gate)
    server = await servers.start(F, G, H, world=world, limits=Limits(load=1200))
    ids = [await server.post(f"{LARGE}{n}") for n in range(5)]
    ids += [await server.post(f"{LARGE}{n}", "g") for n in "abc"]
    ids.append(await server.post("z", "h"))
    await until(lambda: len(world.calls) == 4)
    await asyncio.sleep(0.02)
    assert (world.calls, server.engine.running) == (["x:0", "x:1", "x:a", "x:b"], 4)
    gate.set()
    for run_id in ids:
        await server.end(run_id)
    assert sorted(world.calls) == [f"x:{n}" for n in "01234abcz"]


@pytest.mark.parametrize("load", [1, 600])
async def test_one_that_is_larger_than_the_limit_runs_alone(servers: Servers, load: int) -> None:
    world = World(x=0.001)
    server = await servers.start(F, world=world, limits=Limits(load=load))
    ids = [await server.post(f"{LARGE * 4}{n}") for n in range(5)]
    for run_id in ids:
        await server.end(run_id)
    assert (world.most, world.calls) == (1, [f"x:{n}" for n in range(5)])


async def test_many_small_values_count_as_what_they_are_once_they_are_decoded(servers: Servers) -> None:
    world = World(x=0.001)
    server = await servers.start(F, world=world, limits=Limits(load=10_000))
    ids = [await server.post([*[{}] * 100, n]) for n in range(5)]  # 400 bytes, and 100 objects
    for run_id in ids:
        await server.end(run_id)
    assert (world.most, world.calls) == (1, [f"x:{n}" for n in range(5)])


async def test_what_runs_go_on_with_counts_too(servers: Servers) -> None:
    gate = asyncio.Event()
    server = await servers.start(program(reads), world=World(first=LARGE, x=gate))
    ids = [await server.post(f"{n}") for n in range(6)]
    for run_id in ids:
        while len((await server.end(run_id, RunState.ACCEPTED)).steps) < 1:
            await asyncio.sleep(0.002)
    world = World(x=[0.01])
    server = await servers.start(program(reads), world=world, limits=Limits(load=1200, trial_seconds=0.001))
    for run_id in ids:
        await server.end(run_id)
    assert len(world.calls) == 6
    assert world.most <= 2


async def test_a_large_body_from_the_journal_is_read_beside_the_event_loop(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    async def watched(work: Any, body: bytes, *rest: Any) -> Any:
        read.append(len(body))
        return await beside(work, body, *rest)

    monkeypatch.setattr("runtime.engine.runs.beside", watched)
    server = await servers.start(program(work, concurrency=1), world=World(x=0.001))
    ids = [await server.post("x" * size + str(size % 10)) for size in (1, 1_100_000, 2)]
    for run_id in ids:
        await server.end(run_id)
    assert (len(read), read[0] > 1_100_000) == (1, True)


async def test_small_ones_are_not_held_up(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(x=gate)
    server = await servers.start(F, world=world, limits=Limits(load=10_000))
    ids = [await server.post(f"{n % 10}") for n in range(50)]
    await until(lambda: len(world.calls) == 50)
    gate.set()
    for run_id in ids:
        await server.end(run_id)
