"""Deliveries whose commit does not go as it should."""

import asyncio
from typing import Any

import pytest

from runtime.journal.protocol import JournalError
from runtime.journal.rows import RunState
from tests.runtime.engine.by_hand import Servers, World, program, put, until


async def work(p: Any, ctx: Any) -> bool:
    await ctx.step(put("x"), p.n)
    return False


async def test_a_delivery_whose_sender_is_gone_runs_all_the_same(servers: Servers) -> None:
    world = World()
    server = await servers.start(program(work), world=world)
    await server.end(await server.post(0))
    accepting = asyncio.create_task(server.deliver(1))
    await asyncio.sleep(0)
    accepting.cancel()
    await asyncio.gather(accepting, return_exceptions=True)
    assert accepting.cancelled()
    await until(lambda: world.calls == ["x:0", "x:1"])
    await until(lambda: server.engine.running == 0)


@pytest.mark.parametrize("responds", [False, True])
async def test_a_delivery_that_cannot_be_kept_is_refused_and_takes_no_place(
    servers: Servers, caplog: pytest.LogCaptureFixture, *, responds: bool
) -> None:
    server = await servers.start(program(work, responds=responds))
    await server.end(await server.post(0))
    one = server.programs["f"]
    with pytest.raises(JournalError, match="the delivery could not be kept"):
        await server.engine.accept(one, one.payload.decode(b"{}").payload, "text")  # type: ignore[arg-type]
    assert server.engine.running == 0
    assert "a write could not be kept: Accept" in caplog.text
    assert (await server.end(await server.post(1))).run.state is RunState.DONE


async def test_a_run_whose_plan_is_gone_parks_and_nobody_waits_for_it(servers: Servers) -> None:
    server = await servers.start(program(work), world=World(x=asyncio.Event()))
    run_id = await server.post(1)
    await until(lambda: server.world.calls)
    server = await servers.start(program(work, "g"))
    assert (await server.end(run_id)).run.state is RunState.PARKED
    assert server.engine.running == 0
