"""`wait for` and `emit`: an event wakes who waits for it, counts if it came early, and is taken once."""

import asyncio
from typing import Any

import pytest

from runtime.context import Failed
from runtime.engine import retention
from runtime.engine.engine import Limits
from runtime.failures import StepFailure
from runtime.journal.rows import RunState
from runtime.shapes import integer, reader
from tests.runtime.engine.by_hand import (
    Server,
    Servers,
    World,
    error_of,
    kinds,
    program,
    put,
    read_json,
    refused,
    until,
)

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000

got: list[Any] = []
caught: list[Failed] = []


@pytest.fixture(autouse=True)
def _nothing_yet() -> None:
    got.clear()
    caught.clear()


async def waits(p: Any, ctx: Any) -> bool:
    await ctx.step(put("before"), p.n)
    try:
        got.append(await ctx.wait_for("wait", "paid", p.n, DAY, read_json))
    except StepFailure as failure:
        caught.append(ctx.error(failure))
        await ctx.step(put("else"))
    await ctx.step(put("after"), p.n)
    return False


async def emits(p: Any, ctx: Any) -> bool:
    await ctx.emit("emit", *p.n)
    await ctx.step(put("after_emit"))
    return False


WAITS, EMITS = program(waits), program(emits, "e")


async def emit(server: Server, key: str, value: Any, event: str = "paid") -> None:
    await server.end(await server.post([event, key, value], "e"))


async def test_an_event_wakes_the_run_that_waits_for_it(servers: Servers) -> None:
    server = await servers.start(WAITS, EMITS)
    run_id = await server.post("a")
    detail = await server.end(run_id, RunState.WAITING)
    assert kinds(detail) == {"before": "result", "wait": "timer"}
    await emit(server, "b", 1)
    await emit(server, "a", 2, "sent")
    await emit(server, "a", {"v": 3})
    detail = await server.end(run_id)
    assert (detail.run.state, got) == (RunState.DONE, [{"v": 3}])
    assert kinds(detail) == {"before": "result", "wait": "result", "after": "result"}
    waiting = await server.journal.read(lambda c: c.execute("SELECT count(*) FROM waiters").get)
    assert waiting == 0


async def test_an_event_wakes_everyone_who_waits_for_it(servers: Servers) -> None:
    server = await servers.start(WAITS, EMITS)
    ids = [await server.post("a") for _ in range(5)]
    for run_id in ids:
        await server.end(run_id, RunState.WAITING)
    await emit(server, "a", 1)
    for run_id in ids:
        await server.end(run_id)
    assert got == [1] * 5


async def test_an_event_that_comes_before_the_wait_counts(servers: Servers) -> None:
    gate = asyncio.Event()
    server = await servers.start(WAITS, EMITS, world=World(before=gate))
    run_id = await server.post("a")
    await emit(server, "a", 1)
    gate.set()
    assert (await server.end(run_id)).run.state is RunState.DONE
    assert got == [1]


async def test_an_event_that_is_older_than_the_run_does_not_count(servers: Servers) -> None:
    server = await servers.start(WAITS, EMITS)
    await emit(server, "a", 1)
    run_id = await server.post("a")
    await server.end(run_id, RunState.WAITING)
    await emit(server, "a", 2)
    await server.end(run_id)
    assert got == [2]


async def test_a_wait_and_its_event_outlive_the_server(servers: Servers) -> None:
    run_id = await (await servers.start(WAITS, EMITS)).post("a")
    server = await servers.start(WAITS, EMITS, world=World(before=asyncio.Event()))
    await asyncio.sleep(0.02)
    server = await servers.start(WAITS, EMITS)
    await server.end(run_id, RunState.WAITING)
    await emit(await servers.start(WAITS, EMITS), "a", 1)
    server = await servers.start(WAITS, EMITS)
    assert (await server.end(run_id)).run.state is RunState.DONE
    assert got[-1] == 1


async def test_a_run_that_is_killed_after_its_event_gives_the_same_value_again(servers: Servers) -> None:
    world = World(after=asyncio.Event())
    server = await servers.start(WAITS, EMITS, world=world)
    run_id = await server.post("a")
    await server.end(run_id, RunState.WAITING)
    await emit(server, "a", 1)
    await emit(server, "a", 2)
    await until(lambda: "after:a" in world.calls)
    server = await servers.start(WAITS, EMITS)
    await server.end(run_id)
    assert got == [1, 1]


# --- time


async def test_when_the_time_is_over_the_wait_fails(servers: Servers) -> None:
    async def short(_: Any, ctx: Any) -> bool:
        await ctx.wait_for("wait", "paid", "a", 20, read_json)
        return False

    server = await servers.start(program(short))
    detail = await server.end(await server.post())
    assert (detail.run.state, kinds(detail)) == (RunState.DEAD, {"wait": "failed"})
    told = error_of(detail)
    assert (told["step"], told["code"], told["message"]) == ("wait", "timeout", "no event paid came in time")


async def test_else_goes_on_after_the_time_and_stays_on_its_way(servers: Servers) -> None:
    server = await servers.start(WAITS, EMITS)
    run_id = await server.post("a")
    await server.end(run_id, RunState.WAITING)
    servers.clock.ahead = DAY + HOUR
    world = World(after=asyncio.Event())
    server = await servers.start(WAITS, EMITS, world=world)
    await until(lambda: "after:a" in world.calls)
    await emit(server, "a", 1)  # too late
    server = await servers.start(WAITS, EMITS)
    detail = await server.end(run_id)
    assert (detail.run.state, got) == (RunState.DONE, [])
    assert {(error.step, error.code) for error in caught} == {("wait", "timeout")}
    assert kinds(detail) == {"before": "result", "wait": "failed", "else": "result", "after": "result"}


class Held:
    """A journal that finds no run due until a test says so."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal
        self.due = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def due_runs(self, now: int, limit: int) -> Any:
        return await self._journal.due_runs(now, limit) if self.due else []


@pytest.mark.parametrize(("minutes", "found"), [(-1, [1]), (+1, [])])
async def test_between_an_event_and_the_end_of_the_time_the_earlier_one_counts(
    servers: Servers, minutes: int, found: list[int]
) -> None:
    """The run itself comes by only after both."""
    server = await servers.start(WAITS, EMITS, wrap=Held)
    run_id = await server.post("a")
    await server.end(run_id, RunState.WAITING)
    servers.clock.ahead = DAY + minutes * MINUTE
    await emit(server, "a", 1)
    servers.clock.ahead = DAY + HOUR
    server = await servers.start(WAITS, EMITS)
    assert (await server.end(run_id)).run.state is RunState.DONE
    assert (got, len(caught)) == (found, 1 - len(found))


async def test_an_event_is_kept_so_long_and_for_those_who_wait_even_longer(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "LOOK_SECONDS", 0.01)
    gate = asyncio.Event()
    limits = Limits(keep_events=HOUR)
    server = await servers.start(WAITS, EMITS, world=World(**{"before:late": gate}), limits=limits, wrap=Held)
    waiting, late = await server.post("a"), await server.post("late")
    await server.end(waiting, RunState.WAITING)
    await emit(server, "a", 1)
    await emit(server, "late", 2)
    servers.clock.ahead = 2 * HOUR
    await asyncio.sleep(0.05)
    kept = await server.journal.read(lambda c: c.execute("SELECT key FROM events").fetchall())
    assert kept == [("a",)]
    gate.set()
    await server.end(late, RunState.WAITING)
    server = await servers.start(WAITS, EMITS, limits=limits)
    await server.end(waiting)
    assert got == [1]
    assert (await server.end(late, RunState.WAITING)).run.ended_at is None


# --- several


async def talk(_: Any, ctx: Any) -> bool:
    got.append(await ctx.wait_for("first", "said", "a", DAY, read_json))
    got.append(await ctx.wait_for("second", "said", "a", DAY, read_json))
    await ctx.step(put("after"))
    got.append(await ctx.wait_for("third", "said", "a", DAY, read_json))
    return False


@pytest.mark.parametrize("killed", [False, True])
async def test_one_wait_after_the_other_takes_one_event_after_the_other(servers: Servers, *, killed: bool) -> None:
    flows = (program(talk), EMITS)
    server = await servers.start(*flows)
    run_id = await server.post()
    for number in (1, 2, 3):
        await emit(server, "a", number, "said")
        if killed:
            await server.end(run_id, RunState.WAITING, RunState.DONE)
            server = await servers.start(*flows)
    assert (await server.end(run_id)).run.state is RunState.DONE
    assert got[-3:] == [1, 2, 3]


async def both(_: Any, ctx: Any) -> bool:
    async def one(ctx: Any) -> Any:
        return await ctx.wait_for("one", "paid", "a", DAY, read_json)

    async def two(ctx: Any) -> Any:
        return await ctx.wait_for("two", "paid", "a", DAY, read_json)

    async def other(ctx: Any) -> Any:
        return await ctx.step(put("other"))

    got.append(await ctx.all("parallel", one, two, other))
    return False


async def test_branches_that_wait_for_the_same_event_both_have_it(servers: Servers) -> None:
    server = await servers.start(program(both), EMITS)
    run_id = await server.post()
    await server.end(run_id, RunState.WAITING)
    await emit(server, "a", 1)
    await server.end(run_id)
    assert got == [[1, 1, "other"]]


async def test_an_event_that_comes_while_another_branch_works_is_not_missed(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(other=gate)
    server = await servers.start(program(both), EMITS, world=world)
    run_id = await server.post()
    await until(lambda: world.calls == ["other"])
    await emit(server, "a", 1)
    gate.set()
    assert (await server.end(run_id)).run.state is RunState.DONE
    assert got[-1] == [1, 1, "other"]


async def test_a_branch_that_wakes_for_itself_leaves_the_others_waiting(servers: Servers) -> None:
    world = World(other=[refused(), refused(), "other"])
    server = await servers.start(program(both), EMITS, world=world)
    run_id = await server.post()
    await until(lambda: world.calls.count("other") == 3)
    detail = await server.end(run_id, RunState.WAITING)
    assert kinds(detail) == {"one": "timer", "two": "timer", "other": "result"}
    await emit(server, "a", 1)
    await server.end(run_id)
    assert got[-1] == [1, 1, "other"]


# --- emit


async def test_an_event_is_emitted_once_however_often_its_run_is_killed(servers: Servers) -> None:
    world = World(after_emit=asyncio.Event())
    server = await servers.start(EMITS, world=world)
    run_id = await server.post(["paid", "a", 1], "e")
    await until(lambda: "after_emit" in world.calls)
    server = await servers.start(EMITS)
    await server.end(run_id)
    events = await server.journal.read(lambda c: c.execute("SELECT name, key, value FROM events").fetchall())
    assert events == [("paid", "a", b"1")]


async def test_a_run_takes_its_own_event(servers: Servers) -> None:
    async def itself(_: Any, ctx: Any) -> bool:
        await ctx.emit("emit", "paid", "a", 7)
        got.append(await ctx.wait_for("wait", "paid", "a", DAY, read_json))
        return False

    server = await servers.start(program(itself))
    assert (await server.end(await server.post())).run.state is RunState.DONE
    assert got == [7]


async def test_an_event_that_does_not_fit_is_a_failure_every_time(servers: Servers) -> None:
    async def typed(_: Any, ctx: Any) -> bool:
        try:
            await ctx.wait_for("wait", "paid", "a", DAY, reader(integer))
        except StepFailure as failure:
            caught.append(ctx.error(failure))
        await ctx.step(put("after"))
        return False

    world = World(after=[refused(), "ok"])
    server = await servers.start(program(typed), EMITS, world=world)
    run_id = await server.post()
    await server.end(run_id, RunState.WAITING)
    await emit(server, "a", "text")
    assert (await server.end(run_id)).run.state is RunState.DONE
    assert {(error.step, error.code) for error in caught} == {("wait", "result")}
    assert len(caught) == 2


async def loops(p: Any, ctx: Any) -> bool:
    async def body(ctx: Any, item: Any) -> None:
        got.append(await ctx.wait_for("wait", "paid", item, DAY, read_json))

    await ctx.each("for", p.n, body, most=9, at_once=1)
    return False


async def test_item_by_item_a_body_may_wait_for_its_event(servers: Servers) -> None:
    server = await servers.start(program(loops), EMITS)
    run_id = await server.post(["x", "y"])
    await emit(server, "y", 2)
    await emit(server, "x", 1)
    detail = await server.end(run_id)
    assert (got[-2:], kinds(detail)) == ([1, 2], {"wait[0]": "result", "wait[1]": "result"})
