"""`wait` and `wait until`: the instant is recorded, and what is over stays over."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runtime.journal.protocol import JournalError
from runtime.journal.rows import Kind, RunState
from runtime.journal.writes import Record
from tests.runtime.engine.by_hand import Clock, Servers, World, error_of, kinds, program, put, refused

HOUR = 3_600_000


def instant(clock: Clock, milliseconds: int) -> datetime:
    return datetime.fromtimestamp(clock() / 1000, UTC) + timedelta(milliseconds=milliseconds)


async def naps(p: Any, ctx: Any) -> bool:
    await ctx.sleep("wait", p.n)
    await ctx.step(put("after"))
    return False


async def until_then(p: Any, ctx: Any) -> bool:
    await ctx.sleep_until("wait", datetime.fromisoformat(p.n))
    await ctx.step(put("after"))
    return False


async def test_a_run_goes_on_at_an_instant(servers: Servers) -> None:
    server = await servers.start(program(until_then))
    then = instant(servers.clock, 60)
    detail = await server.end(await server.post(then.isoformat()))
    assert (detail.run.state, kinds(detail)) == (RunState.DONE, {"wait": "result", "after": "result"})
    assert detail.run.ended_at is not None
    assert detail.run.ended_at >= then.timestamp() * 1000


@pytest.mark.parametrize("milliseconds", [0, -HOUR])
async def test_an_instant_that_is_past_means_now(servers: Servers, milliseconds: int) -> None:
    server = await servers.start(program(until_then))
    detail = await server.end(await server.post(instant(servers.clock, milliseconds).isoformat()))
    assert detail.run.state is RunState.DONE


@pytest.mark.parametrize("milliseconds", [0, -5])
async def test_no_time_is_no_wait(servers: Servers, milliseconds: int) -> None:
    server = await servers.start(program(naps))
    assert (await server.end(await server.post(milliseconds))).run.state is RunState.DONE


@pytest.mark.parametrize("flow", [naps, until_then])
async def test_a_wait_outlives_the_server(servers: Servers, flow: Any) -> None:
    server = await servers.start(program(flow))
    n = HOUR if flow is naps else instant(servers.clock, HOUR).isoformat()
    run_id = await server.post(n)
    detail = await server.end(run_id, RunState.WAITING)
    assert (server.engine.running, kinds(detail)) == (0, {"wait": "timer"})
    servers.clock.ahead = HOUR // 2
    server = await servers.start(program(flow))
    await server.end(run_id, RunState.WAITING)
    servers.clock.ahead = HOUR
    world = World()
    server = await servers.start(program(flow), world=world)
    assert (await server.end(run_id)).run.state is RunState.DONE
    assert world.calls == ["after"]


@pytest.mark.parametrize("flow", [naps, until_then])
async def test_a_wait_that_is_over_stays_so_when_the_clock_is_set_back(servers: Servers, flow: Any) -> None:
    n = 20 if flow is naps else instant(servers.clock, 20).isoformat()
    world = World(after=[refused(retry_after=0.03)])
    server = await servers.start(program(flow), world=world)
    run_id = await server.post(n)
    while "after" not in kinds(await server.end(run_id, RunState.WAITING)):
        pass
    servers.clock.ahead = -HOUR
    server = await servers.start(program(flow), world=world)
    detail = await server.end(run_id, RunState.WAITING)
    assert (detail.run.step, error_of(detail)["code"]) == ("after", "connect")


class Refusing:
    """A journal that refuses the end of a wait once."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal
        self._refused = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def commit(self, *writes: Any) -> "asyncio.Future[None]":
        ends = any(isinstance(one, Record) and (one.step, one.kind) == ("wait", Kind.RESULT) for one in writes)
        if self._refused or not ends:
            kept: asyncio.Future[None] = self._journal.commit(*writes)
            return kept
        self._refused = True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(JournalError("torn cable"))
        return future


async def test_nothing_happens_after_a_wait_before_its_end_is_on_disk(servers: Servers) -> None:
    world = World()
    server = await servers.start(program(naps), world=world, wrap=Refusing)
    detail = await server.end(await server.post(20))
    assert (detail.run.state, world.calls) == (RunState.DONE, ["after"])
    assert [(row.step, row.kind) for row in detail.steps] == [("wait", Kind.RESULT), ("after", Kind.RESULT)]
