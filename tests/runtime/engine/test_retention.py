"""A server forgets what is over, by a clock that the test holds, and nothing that a run still needs."""

from typing import Any

import pytest

from runtime.engine import retention
from runtime.journal.protocol import JournalError
from runtime.journal.rows import RunState
from runtime.journal.writes import Prune
from tests.runtime.engine.by_hand import Server, Servers, World, program, put, until, wrong

DAY = 86_400_000


async def once(p: Any, ctx: Any) -> bool:
    await ctx.step(put("x"), p.n)
    return False


async def waits(_: Any, ctx: Any) -> bool:
    await ctx.sleep("wait", 200 * DAY)
    return False


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a server look often, so that a test need not wait."""
    monkeypatch.setattr(retention, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.001)


async def left(server: Server) -> set[tuple[str, str]]:
    return {(run.id, run.state.value) for run in await server.journal.runs(limit=999)}


async def plans(server: Server) -> set[str]:
    found: set[str] = await server.journal.read(
        lambda c: {str(plan) for (plan,) in c.execute("SELECT plan FROM plans")}
    )
    return found


async def prunes(server: Server, number: int = 3) -> None:
    """Wait until a server has looked so many times."""
    end = server.journal.commits + number
    await until(lambda: server.journal.commits >= end)


async def test_runs_go_when_they_are_over_and_the_dead_later(servers: Servers) -> None:
    week = program(once, "week", keep=7 * DAY)
    server = await servers.start(program(once), week, program(waits, "slow"), world=World(**{"x:bad": wrong()}))
    done, dead = await server.post(), await server.post("bad")
    short, short_dead = await server.post(0, "week"), await server.post("bad", "week")
    slow = await server.post(0, "slow")
    for run in (done, dead, short, short_dead):
        await server.end(run)
    await server.end(slow, RunState.WAITING)
    expected = [
        (7 * DAY - 60_000, {done, dead, short, short_dead, slow}),
        (7 * DAY + 60_000, {done, dead, slow}),
        (30 * DAY + 60_000, {dead, slow}),
        (90 * DAY + 60_000, {slow}),
    ]
    for ahead, runs in expected:
        servers.clock.ahead = ahead
        await prunes(server)
        assert {run for run, _ in await left(server)} == runs
    servers.clock.ahead = 200 * DAY + 60_000
    server = await servers.start(program(once), week, program(waits, "slow"))
    assert (await server.end(slow)).run.state is RunState.DONE


async def test_many_runs_go_slice_by_slice_while_others_are_accepted(servers: Servers) -> None:
    server = await servers.start(program(once))
    old = [await server.post(n) for n in range(450)]
    await server.end(old[-1])
    await until(lambda: server.engine.running == 0)
    servers.clock.ahead = 31 * DAY
    fresh = [await server.post(n) for n in range(20)]
    for run in fresh:
        await server.end(run)
    while len(await left(server)) > 20:
        await prunes(server, 1)
    assert {run for run, _ in await left(server)} == set(fresh)


async def test_the_plan_of_a_flow_that_is_gone_goes_with_its_last_run(servers: Servers) -> None:
    server = await servers.start(program(once), program(waits, "old"), program(once, "unused"))
    slow = await server.post(0, "old")
    await server.end(slow, RunState.WAITING)
    server = await servers.start(program(once))
    await prunes(server)
    assert await plans(server) == {"plan-f", "plan-old"}
    servers.clock.ahead = 200 * DAY + 1000
    server = await servers.start(program(once), program(waits, "old"))
    await server.end(slow)
    servers.clock.ahead = 231 * DAY
    server = await servers.start(program(once))
    await prunes(server)
    assert await plans(server) == {"plan-f"}


async def test_a_plan_that_another_took_the_place_of_is_kept_for_what_is_being_accepted(servers: Servers) -> None:
    server = await servers.start(program(once), program(once, "other"))
    await server.engine.keep({"f": server.programs["f"]})
    await prunes(server)
    assert await plans(server) == {"plan-f", "plan-other"}
    servers.clock.ahead = 2 * 3_600_000
    await prunes(server)
    assert await plans(server) == {"plan-f"}


class Refusing:
    """Takes what is to be forgotten, or has no room for it."""

    def __init__(self) -> None:
        self.full = False
        self.asked: list[tuple[int, float]] = []

    async def commit(self, slice_: Prune) -> None:
        self.asked.append((slice_.slice, slice_.seconds))
        slice_.more = len(self.asked) < 4
        if self.full:
            raise JournalError("no room", full=True)


async def test_on_a_full_disk_slices_are_as_small_as_can_be_until_all_is_over() -> None:
    journal: Any = Refusing()
    retention_ = retention.Retention(journal, lambda: 0)
    journal.full = True
    with pytest.raises(JournalError):
        await retention_.work()
    journal.full = False
    for _ in range(4):
        await retention_.work()
    usual, small = (200, 0.01), (1, 0.0)
    assert journal.asked == [usual, small, small, small, usual]
