"""A look into the journal takes a while: what happens to runs meanwhile is neither done twice nor overlooked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from runtime.journal import SqliteJournal
from runtime.journal.rows import RunState
from runtime.journal.writes import Accept
from tests.runtime.engine.by_hand import Servers, World, program, put

HOUR = 3_600_000


class Looking:
    """A journal that lets something happen before a look into the backlog, or between it and what it tells.

    It can also tell late of acceptances. Used as `wrap`, once a server.
    """

    def __init__(self) -> None:
        self.before: Callable[[], Awaitable[None]] | None = None
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.empty = asyncio.Event()  # a look found nothing
        self.told = asyncio.Event()
        self.told.set()
        self._journal: Any = None

    def __call__(self, journal: SqliteJournal) -> "Looking":
        self._journal = journal
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def open_runs_of(self, *args: Any) -> Any:
        if self.before is not None:
            await self.before()
        rows = await self._journal.open_runs_of(*args)
        if not rows:
            self.empty.set()
        if rows and (happens := self.meanwhile) is not None:
            self.meanwhile = None
            await happens()
        return rows

    def commit(self, *writes: Any) -> "asyncio.Future[None]":
        kept: asyncio.Future[None] = self._journal.commit(*writes)
        return asyncio.ensure_future(self._late(kept)) if isinstance(writes[0], Accept) else kept

    async def _late(self, kept: "asyncio.Future[None]") -> None:
        await kept
        await self.told.wait()


async def flow(p: Any, ctx: Any) -> bool:
    """Wait an hour where it is the first, then do its step."""
    if p.n == 1:
        await ctx.sleep("wait", HOUR)
    await ctx.step(put("a"), p.n)
    return False


async def reaches(journal: Any, run_id: str, state: RunState) -> None:
    async with asyncio.timeout(10):
        while (await journal.run(run_id)).run.state is not state:
            await asyncio.sleep(0.002)


async def test_a_run_that_wakes_during_a_look_that_goes_past_it_is_begun(servers: Servers) -> None:
    gate, looking = asyncio.Event(), Looking()
    server = await servers.start(program(flow, concurrency=1), world=World(**{"a:2": gate}), wrap=looking)
    await looking.empty.wait()
    sleeper = await server.post(1)
    await server.end(sleeper, RunState.WAITING)
    running, behind = await server.post(2), await server.post(3)

    async def has_ended() -> None:
        await reaches(server.journal, running, RunState.DONE)

    async def wake() -> None:
        servers.clock.ahead = HOUR
        server.engine.look()
        await reaches(server.journal, sleeper, RunState.ACCEPTED)
        await asyncio.sleep(0.02)  # until the engine knows

    looking.before, looking.meanwhile = has_ended, wake
    gate.set()
    for run_id in (running, behind, sleeper):
        assert (await server.end(run_id)).run.state is RunState.DONE


async def test_a_run_that_ends_during_a_look_is_not_begun_again(servers: Servers) -> None:
    gate, looking, world = asyncio.Event(), Looking(), World()
    world.outcomes["a:2"] = [gate]
    server = await servers.start(program(flow), world=world, wrap=looking)
    await looking.empty.wait()
    sleeper = await server.post(1)
    await server.end(sleeper, RunState.WAITING)
    running = await server.post(2)

    async def end() -> None:
        gate.set()
        await reaches(server.journal, running, RunState.DONE)
        await asyncio.sleep(0.02)  # until the engine knows

    looking.meanwhile = end
    servers.clock.ahead = HOUR
    server.engine.look()
    await server.end(sleeper)
    await asyncio.sleep(0.02)
    assert sorted(world.calls) == ["a:1", "a:2"]


async def test_a_run_that_is_found_before_its_acceptance_is_known_is_begun_once(servers: Servers) -> None:
    looking, world = Looking(), World()
    server = await servers.start(program(flow), world=world, wrap=looking)
    await looking.empty.wait()
    sleeper = await server.post(1)
    await server.end(sleeper, RunState.WAITING)
    looking.told.clear()
    arriving = asyncio.create_task(server.post(2))
    async with asyncio.timeout(10):
        while len(await server.journal.open_runs(0, 9)) < 1:
            await asyncio.sleep(0.002)
    servers.clock.ahead = HOUR
    server.engine.look()
    await server.end(sleeper)
    looking.told.set()
    await server.end(await arriving)
    await asyncio.sleep(0.02)
    assert sorted(world.calls) == ["a:1", "a:2"]
