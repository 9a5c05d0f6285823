"""What people do to runs: retry, cancel, resolve; with a server and without one."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from runtime.engine.hands import Hands, WrongState
from runtime.journal import open_journal
from runtime.journal.protocol import JournalError
from runtime.journal.rows import Kind, RunDetail, RunState
from runtime.journal.writes import Cancel, Record
from tests.runtime.engine.by_hand import (
    Server,
    Servers,
    World,
    error_of,
    kinds,
    lost,
    now,
    program,
    put,
    send,
    until,
    wrong,
)


async def detail(server: Server, run_id: str) -> RunDetail:
    found: RunDetail | None = await server.journal.run(run_id)
    assert found is not None
    return found


async def retry(server: Server, run_id: str) -> None:
    await server.engine.hands.retry(await detail(server, run_id))


async def cancel(server: Server, run_id: str) -> RunDetail:
    await server.engine.hands.cancel(await detail(server, run_id))
    return await detail(server, run_id)


async def two(p: Any, ctx: Any) -> bool:
    await ctx.step(put("a"), p.n)
    await ctx.step(put("b"), p.n)
    return False


async def sends(p: Any, ctx: Any) -> bool:
    got = await ctx.step(send("s"))
    await ctx.step(put("after"), got, p.n)
    return False


# --- retry


async def test_a_dead_run_goes_on_where_it_failed_with_the_same_key(servers: Servers) -> None:
    world = World(b=[wrong(), "fine"])
    server = await servers.start(program(two), world=world)
    run = await server.post(1)
    await server.end(run, RunState.DEAD)
    await retry(server, run)
    done = await server.end(run, RunState.DONE)
    assert world.calls == ["a:1", "b:1", "b:1"]
    assert (len(world.keys["b:1"]), kinds(done), error_of(done)) == (1, {"a": "result", "b": "result"}, {})


async def test_a_retried_run_has_all_its_tries_again(servers: Servers) -> None:
    world = World(b=[lost(), lost(), lost(), lost(), lost(), lost(), "fine"])
    server = await servers.start(program(two), world=world)
    run = await server.post(1)
    assert error_of(await server.end(run, RunState.DEAD))["attempt"] == 5
    await retry(server, run)
    assert (await server.end(run, RunState.DONE)).steps[-1].attempt == 2


async def test_what_the_handler_did_is_done_again_if_the_run_fails_again(servers: Servers) -> None:
    async def flow(p: Any, ctx: Any) -> bool:
        await ctx.step(put("a"), p.n)
        await ctx.step(put("b"), p.n)
        return False

    async def handler(_: Any, ctx: Any, error: Any) -> bool:
        ctx.log("on_error/log", error.code)
        await ctx.step(put("on_error/alert"), error.code)
        return False

    world = World(b=[wrong("first"), wrong("second"), "fine"])
    server = await servers.start(program(flow, handler=handler), world=world)
    run = await server.post(1)
    await server.end(run, RunState.DEAD)
    await retry(server, run)
    again = await server.end(run, RunState.DEAD)
    assert [row.value for row in again.steps if row.step == "on_error/log"] == [b'"second"']
    await retry(server, run)
    done = await server.end(run, RunState.DONE)
    assert world.calls == ["a:1", "b:1", "on_error/alert:first", "b:1", "on_error/alert:second", "b:1"]
    assert kinds(done) == {"a": "result", "b": "result"}


async def test_all_branches_that_failed_are_tried_again(servers: Servers) -> None:
    async def flow(_: Any, ctx: Any) -> bool:
        async def branch(ctx: Any, name: str) -> None:
            await ctx.step(put(name))

        await ctx.all("parallel", *(lambda ctx, name=name: branch(ctx, name) for name in "xyz"))
        return False

    world = World(x=[wrong(), "fine"], z=[wrong(), "fine"])
    server = await servers.start(program(flow), world=world)
    run = await server.post()
    assert error_of(await server.end(run, RunState.DEAD))["beside"] == ["z"]
    await retry(server, run)
    await server.end(run, RunState.DONE)
    assert sorted(world.calls) == ["x", "x", "y", "z", "z"]


async def test_items_that_a_failure_kept_from_beginning_begin_after_a_retry(servers: Servers) -> None:
    async def flow(_: Any, ctx: Any) -> bool:
        async def body(ctx: Any, item: int) -> None:
            await ctx.step(put("x"), item)

        await ctx.each("for", list(range(8)), body, most=10, at_once=2)
        return False

    world = World(**{"x:1": [wrong(), "fine"]})
    server = await servers.start(program(flow), world=world)
    run = await server.post()
    await server.end(run, RunState.DEAD)
    assert len(world.calls) < 8
    await retry(server, run)
    await server.end(run, RunState.DONE)
    assert sorted(set(world.calls)) == [f"x:{n}" for n in range(8)]
    assert len(world.calls) == 9


async def test_a_failure_that_else_took_is_not_tried_again(servers: Servers) -> None:
    async def flow(_: Any, ctx: Any) -> bool:
        try:
            await ctx.step(put("a"))
        except Exception:  # noqa: BLE001  # as `else` does
            await ctx.step(put("a/else/b"))
        await ctx.step(put("c"))
        return False

    world = World(a=wrong(), c=[wrong(), "fine"])
    server = await servers.start(program(flow), world=world)
    run = await server.post()
    await server.end(run, RunState.DEAD)
    await retry(server, run)
    await server.end(run, RunState.DONE)
    assert world.calls == ["a", "a/else/b", "c", "c"]


@pytest.mark.parametrize("state", [RunState.DONE, RunState.CANCELLED, RunState.WAITING])
async def test_a_run_that_does_not_stand_still_cannot_be_retried(servers: Servers, state: RunState) -> None:
    async def flow(p: Any, ctx: Any) -> bool:
        if p.n:
            await ctx.sleep("wait", 60_000)
        return False

    server = await servers.start(program(flow))
    run = await server.post(0 if state is RunState.DONE else 1)
    await server.end(run, RunState.DONE, RunState.WAITING)
    if state is RunState.CANCELLED:
        await cancel(server, run)
    message = f"^the run {run} is {state}: only one that is dead or parked can be retried$"
    with pytest.raises(WrongState, match=message):
        await retry(server, run)


async def test_of_two_who_retry_at_once_one_does(servers: Servers) -> None:
    world = World(b=[wrong(), "fine"])
    server = await servers.start(program(two), world=world)
    run = await server.post(1)
    dead = await server.end(run, RunState.DEAD)
    hands = server.engine.hands
    found = await asyncio.gather(hands.retry(dead), hands.retry(dead), return_exceptions=True)
    assert [str(one) for one in found if one is not None] == [
        f"the run {run} is no longer dead: somebody else was faster"
    ]
    await server.end(run, RunState.DONE)


async def test_a_retried_run_waits_for_the_one_of_its_serial_key_that_has_begun(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(**{"b:old": [wrong(), "fine"], "b:young": gate})
    server = await servers.start(program(two, serial=lambda *_: "k"), world=world)
    old = await server.post("old")
    await server.end(old, RunState.DEAD)
    young, third = await server.post("young"), await server.post("third")
    await until(lambda: "b:young" in world.calls)
    await retry(server, old)
    await asyncio.sleep(0.05)
    assert world.calls[-1] == "b:young"
    gate.set()
    for run in (young, old, third):
        await server.end(run, RunState.DONE)
    assert world.calls[-4:] == ["b:young", "b:old", "a:third", "b:third"]
    assert world.most == 1


# --- cancel


async def test_a_run_is_stopped_before_its_next_effect_and_the_one_under_way_is_unknown(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(s=gate)
    server = await servers.start(program(sends), world=world)
    run = await server.post()
    await until(lambda: world.calls)
    cancelled = await cancel(server, run)
    gate.set()
    await asyncio.sleep(0.02)
    assert (world.calls, server.engine.running) == (["s"], 0)
    assert (cancelled.run.state, kinds(cancelled)) == (RunState.CANCELLED, {"s": "started"})
    assert error_of(cancelled) == {
        "step": "s",
        "code": "unknown",
        "message": "nobody can tell whether it happened: the run was cancelled during s",
        "attempt": 1,
        "where": "flows/test.seta",
    }
    server = await servers.start(program(sends), world=world)
    await asyncio.sleep(0.02)
    assert (world.calls, (await detail(server, run)).run.state) == (["s"], RunState.CANCELLED)


class Starting:
    """A journal that has put it on disk that an effect begins, and has not yet said so."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal
        self.begun = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def commit(self, *writes: Any) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = self._journal.commit(*writes)
        if not any(isinstance(write, Record) and write.kind is Kind.STARTED for write in writes):
            return future
        future.add_done_callback(lambda _: self.begun.set())
        return asyncio.get_running_loop().create_future()


async def test_what_was_not_sent_when_the_run_was_cancelled_is_not_shown_as_under_way(servers: Servers) -> None:
    world = World()
    server = await servers.start(program(sends), world=world, wrap=Starting)
    run = await server.post()
    await server.journal.begun.wait()
    cancelled = await cancel(server, run)
    assert (cancelled.run.state, error_of(cancelled), world.calls) == (RunState.CANCELLED, {}, [])
    (row,) = cancelled.steps
    assert (row.kind, row.attempt, json.loads(row.value)["message"]) == (
        Kind.TRIED,
        0,
        "the run was stopped before this was sent",
    )


async def test_what_was_not_sent_when_the_server_stopped_is_sent_by_the_next_one(servers: Servers) -> None:
    world = World()
    server = await servers.start(program(sends), world=world, wrap=Starting)
    run = await server.post()
    await server.journal.begun.wait()
    await servers.end()
    assert not world.calls
    server = await servers.start(program(sends), world=world)
    detail_ = await server.end(run)
    assert (detail_.run.state, world.calls, [row.attempt for row in detail_.steps]) == (
        RunState.DONE,
        ["s", "after:s"],
        [1, 1],
    )


async def test_step_that_a_crash_cut_off_is_unknown_once_its_run_is_cancelled(servers: Servers) -> None:
    world = World(s=asyncio.Event())
    server = await servers.start(program(sends), world=world)
    run = await server.post()
    await until(lambda: world.calls)
    await servers.stop()
    journal = await open_journal(servers.folder, clock=servers.clock)
    found = await journal.run(run)
    assert found is not None
    await Hands(journal, now).cancel(found)
    cancelled = await journal.run(run)
    await journal.close()
    assert cancelled is not None
    assert error_of(cancelled) == {
        "step": "s",
        "code": "unknown",
        "message": "nobody can tell whether it happened: the server ended during s",
        "attempt": 1,
    }


async def test_runs_cancelled_at_any_moment_have_no_effect_after_it(servers: Servers) -> None:
    async def flow(p: Any, ctx: Any) -> bool:
        for step in range(200):
            await ctx.step(put(f"s{step}"), p.n)
        return False

    world = World()
    server = await servers.start(program(flow), world=world)
    for n in range(25):
        run = await server.post(n)
        await asyncio.sleep(n / 2000)
        assert (await cancel(server, run)).run.state is RunState.CANCELLED
        before = len(world.calls)
        await asyncio.sleep(0.003)
        assert len(world.calls) == before
    assert server.engine.running == 0


@pytest.mark.parametrize("state", [RunState.WAITING, RunState.PARKED])
async def test_a_run_that_is_not_in_memory_is_cancelled(servers: Servers, state: RunState) -> None:
    async def waits(_: Any, ctx: Any) -> bool:
        await ctx.sleep("wait", 100)
        await ctx.step(put("x"))
        return False

    world = World(s=lost())
    server = await servers.start(program(waits if state is RunState.WAITING else sends), world=world)
    run = await server.post()
    await server.end(run, state)
    cancelled = await cancel(server, run)
    assert (cancelled.run.state, cancelled.wake_at, cancelled.run.ended_at is None) == (RunState.CANCELLED, None, False)
    await asyncio.sleep(0.15)
    assert "x" not in world.calls
    assert (await detail(server, run)).run.state is RunState.CANCELLED


async def test_a_run_of_the_backlog_is_cancelled_before_it_begins(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(**{"a:0": gate})
    server = await servers.start(program(two, concurrency=1), world=world)
    runs = [await server.post(n) for n in range(4)]
    await cancel(server, runs[2])
    gate.set()
    for run in (runs[0], runs[1], runs[3]):
        await server.end(run, RunState.DONE)
    assert "a:2" not in world.calls


async def test_the_next_of_a_serial_key_begins_when_one_is_cancelled(servers: Servers) -> None:
    world = World(**{"a:0": asyncio.Event()})
    server = await servers.start(program(two, serial=lambda *_: "k"), world=world)
    first, second = await server.post(0), await server.post(1)
    await until(lambda: world.calls)
    await cancel(server, first)
    await server.end(second, RunState.DONE)
    assert world.calls == ["a:0", "a:1", "b:1"]


async def test_a_run_that_has_ended_cannot_be_cancelled(servers: Servers) -> None:
    server = await servers.start(program(two))
    run = await server.post()
    await server.end(run, RunState.DONE)
    with pytest.raises(WrongState, match=f"^the run {run} has ended already$"):
        await cancel(server, run)


async def test_a_run_whose_cancelling_the_journal_refuses_goes_on(servers: Servers) -> None:
    class Refusing:
        def __init__(self, journal: Any) -> None:
            self._journal = journal

        def __getattr__(self, name: str) -> Any:
            return getattr(self._journal, name)

        def commit(self, *writes: Any) -> Any:
            if any(isinstance(write, Cancel) for write in writes):
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                future.set_exception(JournalError("disk full", full=True))
                return future
            return self._journal.commit(*writes)

    gate = asyncio.Event()
    world = World(b=gate)
    server = await servers.start(program(two), world=world, wrap=Refusing)
    run = await server.post(1)
    await until(lambda: "b:1" in world.calls)
    with pytest.raises(JournalError, match=r"^disk full$"):
        await cancel(server, run)
    gate.set()
    await server.end(run, RunState.DONE)
    assert world.calls == ["a:1", "b:1", "b:1"]


async def test_who_waits_for_an_answer_is_told_that_there_will_be_none(servers: Servers) -> None:
    world = World(a=asyncio.Event())
    server = await servers.start(program(two, responds=True), world=world)
    accepted = await server.deliver()
    await until(lambda: world.calls)
    await cancel(server, accepted.run_id)
    assert accepted.answer is not None
    assert (await accepted.answer).name == "FAILED"  # type: ignore[union-attr]  # it is no answer of the flow's


# --- resolve


async def parked(server: Server) -> RunDetail:
    return await server.end(await server.post(1), RunState.PARKED)


async def test_a_step_that_was_sent_is_done_with_the_result_that_is_given(servers: Servers) -> None:
    world = World(s=lost())
    server = await servers.start(program(sends), world=world)
    run = await parked(server)
    await server.engine.hands.resolve(run, b'"given"')
    done = await server.end(run.run.id, RunState.DONE)
    assert (world.calls, kinds(done)) == (["s", "after:given"], {"s": "result", "after": "result"})


async def test_a_step_that_was_not_sent_is_tried_again_with_the_same_key(servers: Servers) -> None:
    world = World(s=[lost(), "fine"])
    server = await servers.start(program(sends), world=world)
    run = await parked(server)
    await server.engine.hands.resolve(run, None)
    await server.end(run.run.id, RunState.DONE)
    assert (world.calls, len(world.keys["s"])) == (["s", "s", "after:fine"], 1)


async def test_a_result_that_the_step_cannot_have_given_parks_the_run_until_another_is_given(servers: Servers) -> None:
    async def flow(_: Any, ctx: Any) -> bool:
        await ctx.step(put("after"), await ctx.step(send("s", result=msgspec.json.Decoder(int).decode)))
        return False

    world = World(s=lost())
    server = await servers.start(program(flow), world=world)
    run = await parked(server)
    await server.engine.hands.resolve(run, b'"text"')
    again = await server.end(run.run.id, RunState.PARKED)
    assert (error_of(again)["code"], error_of(again)["step"]) == ("unknown", "s")
    await server.engine.hands.resolve(again, b"7")
    await server.end(run.run.id, RunState.DONE)
    assert world.calls == ["s", "after:7"]


async def test_an_unknown_step_is_resolved_and_not_retried(servers: Servers) -> None:
    server = await servers.start(program(sends), world=World(s=lost()))
    run = await parked(server)
    message = f"^nobody can tell whether step s of the run {run.run.id} happened: say so with"
    with pytest.raises(WrongState, match=message):
        await server.engine.hands.retry(run)


# --- without a server


async def test_without_a_server_the_next_one_goes_on_from_what_was_said(servers: Servers) -> None:
    world = World(s=lost(), b=[wrong(), "fine"], **{"a:9": asyncio.Event()})
    server = await servers.start(program(sends), program(two, "g"), world=world)
    unknown = await parked(server)
    dead = await server.end(await server.post(1, "g"), RunState.DEAD)
    running = await server.post(9, "g")
    await until(lambda: "a:9" in world.calls)
    await servers.stop()
    journal = await open_journal(servers.folder, clock=servers.clock)
    hands = Hands(journal, now)
    await hands.resolve(unknown, b'"given"')
    await hands.retry(dead)
    found = await journal.run(running)
    assert found is not None
    await hands.cancel(found)
    await journal.close()
    server = await servers.start(program(sends), program(two, "g"), world=world)
    for run in (unknown, dead):
        await server.end(run.run.id, RunState.DONE)
    assert (await detail(server, running)).run.state is RunState.CANCELLED
    assert world.calls.count("a:9") == 1
