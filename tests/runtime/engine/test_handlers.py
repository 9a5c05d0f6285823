"""Failures: what `else` and `on error` see of them, and how a run ends after its handler."""

import asyncio
from typing import Any

import pytest

from runtime.context import Failed
from runtime.failures import StepFailure
from runtime.journal.rows import RunState
from runtime.shapes import integer, reader
from tests.runtime.engine.by_hand import (
    Servers,
    World,
    error_of,
    kinds,
    lost,
    place,
    program,
    put,
    refused,
    send,
    wrong,
)

caught: list[Failed] = []


async def with_else(_: Any, ctx: Any) -> bool:
    try:
        await ctx.step(put("try"))
    except StepFailure as failure:
        error = ctx.error(failure)
        caught.append(error)
        await ctx.step(put("else"), error.code)
    return False


async def fails(_: Any, ctx: Any) -> bool:
    await ctx.step(put("main"))
    return False


async def settles(_: Any, ctx: Any, error: Failed) -> bool:
    caught.append(error)
    await ctx.step(put("handled"), error.code)
    return True


async def mourns(p: Any, ctx: Any, error: Failed) -> bool:
    await settles(p, ctx, error)
    return False


async def fails_too(_: Any, ctx: Any, error: Failed) -> bool:
    caught.append(error)
    await ctx.step(put("rescue"))
    return False


@pytest.fixture(autouse=True)
def _nothing_caught() -> None:
    caught.clear()


async def test_else_sees_step_code_message_and_attempt(servers: Servers) -> None:
    world = World(**{"try": [refused(), refused(), wrong("gone")]})
    server = await servers.start(program(with_else), world=world)
    detail = await server.end(await server.post())
    assert detail.run.state is RunState.DONE
    assert caught[-1] == Failed("try", "gone", "it is wrong", 3)
    assert kinds(detail) == {"try": "failed", "else": "result"}


async def test_else_sees_the_same_after_a_kill(servers: Servers) -> None:
    world = World(**{"try": [refused(), wrong("gone")], "else": asyncio.Event()})
    server = await servers.start(program(with_else), world=world)
    run_id = await server.post()
    async with asyncio.timeout(5):
        while "else:gone" not in world.calls:
            await asyncio.sleep(0.002)
    again = World()
    server = await servers.start(program(with_else), world=again)
    assert (await server.end(run_id)).run.state is RunState.DONE
    assert (caught[-1], again.calls) == (Failed("try", "gone", "it is wrong", 2), ["else:gone"])


async def pure(_: Any, ctx: Any) -> bool:
    try:
        raise StepFailure("overflow", "too large")
    except StepFailure as failure:
        caught.append(ctx.error(failure))
    raise StepFailure("failed", "no")


async def test_a_failure_of_pure_code_has_the_step_that_it_stands_in(servers: Servers) -> None:
    flow = program(pure, places=(place("total", pure, 2), place("fail", pure, 5)))
    server = await servers.start(flow)
    detail = await server.end(await server.post())
    assert caught == [Failed("total", "overflow", "too large", 1)]
    assert error_of(detail) == {
        "step": "fail",
        "code": "failed",
        "message": "no",
        "attempt": 1,
        "where": "flows/test.seta:5:1",
    }


async def test_a_handler_that_stops_settles_the_run(servers: Servers) -> None:
    world = World(main=[wrong("bad")])
    server = await servers.start(program(fails, handler=settles), world=world)
    detail = await server.end(await server.post())
    assert (detail.run.state, error_of(detail)["code"]) == (RunState.STOPPED, "bad")
    assert (caught, world.calls) == ([Failed("main", "bad", "it is wrong", 1)], ["main", "handled:bad"])
    assert detail.run.ended_at is not None


async def test_after_a_handler_that_does_not_stop_the_run_is_dead_of_its_cause(servers: Servers) -> None:
    server = await servers.start(program(fails, handler=mourns), world=World(main=[wrong("bad")]))
    detail = await server.end(await server.post())
    assert detail.run.state is RunState.DEAD
    assert kinds(detail) == {"main": "failed", "handled": "result"}
    assert error_of(detail) == {
        "step": "main",
        "code": "bad",
        "message": "it is wrong",
        "attempt": 1,
        "where": "flows/test.seta",
    }


async def test_a_handler_that_fails_is_told_beside_the_cause_and_is_not_run_again(servers: Servers) -> None:
    world = World(main=[wrong("bad")], rescue=[wrong("worse")])
    server = await servers.start(program(fails, handler=fails_too), world=world)
    detail = await server.end(await server.post())
    assert (detail.run.state, len(caught)) == (RunState.DEAD, 1)
    told = error_of(detail)
    assert (told["step"], told["code"]) == ("main", "bad")
    assert told["handler"] == {
        "step": "rescue",
        "code": "worse",
        "message": "it is wrong",
        "attempt": 1,
        "where": "flows/test.seta",
    }
    await servers.start(program(fails, handler=fails_too), world=world)
    await asyncio.sleep(0.05)
    assert world.calls == ["main", "rescue"]


async def waits(p: Any, ctx: Any, error: Failed) -> bool:
    await ctx.sleep("wait", 30)
    return await settles(p, ctx, error)


async def test_a_handler_may_leave_and_goes_on_after_the_same_failure(servers: Servers) -> None:
    world = World(main=[refused(), wrong("bad")], handled=[refused(), "ok"])
    server = await servers.start(program(fails, handler=waits), world=world)
    run_id = await server.post()
    await server.end(run_id, RunState.WAITING)
    server = await servers.start(program(fails, handler=waits), world=world)
    detail = await server.end(run_id)
    assert detail.run.state is RunState.STOPPED
    assert [call.split(":")[0] for call in world.calls] == ["main", "main", "handled", "handled"]
    assert {error.attempt for error in caught} == {2}
    assert kinds(detail) == {"main": "failed", "wait": "result", "handled": "result"}


async def sends(p: Any, ctx: Any, error: Failed) -> bool:
    await ctx.step(send("handled"))
    return await settles(p, ctx, error)


async def test_an_unknown_outcome_in_a_handler_parks_the_run(servers: Servers) -> None:
    server = await servers.start(program(fails, handler=sends), world=World(main=[wrong()], handled=[lost()]))
    detail = await server.end(await server.post())
    assert (detail.run.state, error_of(detail)["step"]) == (RunState.PARKED, "handled")


async def once(_: Any, ctx: Any) -> bool:
    await ctx.step(send("main"))
    return False


async def test_no_handler_sees_an_unknown_outcome(servers: Servers) -> None:
    server = await servers.start(program(once, handler=settles), world=World(main=[lost()]))
    detail = await server.end(await server.post())
    assert (detail.run.state, caught) == (RunState.PARKED, [])


async def test_a_fault_of_ours_is_no_failure_of_the_flow(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    server = await servers.start(program(fails, handler=settles), world=World(main=[KeyError("secret")]))
    detail = await server.end(await server.post())
    assert (detail.run.state, caught) == (RunState.DEAD, [])
    assert error_of(detail)["message"] == "KeyError (see the server's log)"
    assert "a fault in the flow or in Seta" in caplog.text


async def breaks(_: Any, ctx: Any, error: Failed) -> bool:  # noqa: ARG001  # the signature of a handler
    raise ZeroDivisionError


async def test_a_fault_in_a_handler_leaves_the_cause(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    server = await servers.start(program(fails, handler=breaks), world=World(main=[wrong("bad")]))
    detail = await server.end(await server.post())
    told = error_of(detail)
    assert (detail.run.state, told["code"], told["handler"]["code"]) == (RunState.DEAD, "bad", "internal")
    assert "ZeroDivisionError" in caplog.text


async def test_a_handler_that_goes_another_way_on_resume_parks(servers: Servers) -> None:
    world = World(main=[wrong("bad")], handled=[refused(retry_after=0.05), "ok"])
    server = await servers.start(program(fails, handler=settles), world=world)
    run_id = await server.post()
    await server.end(run_id, RunState.WAITING)
    again = World()
    server = await servers.start(program(fails, handler=fails_too), world=again)
    detail = await server.end(run_id)
    assert (detail.run.state, error_of(detail)["code"], again.calls) == (RunState.PARKED, "diverged", [])


async def within(_: Any, ctx: Any) -> bool:
    await ctx.step(put("main", within=60))
    return False


async def test_within_bounds_all_attempts_and_pauses(servers: Servers) -> None:
    flow = program(within)
    world = World(main=[refused(), refused(retry_after=3600)])
    server = await servers.start(flow, world=world)
    detail = await server.end(await server.post())
    assert (detail.run.state, error_of(detail)["code"], len(world.calls)) == (RunState.DEAD, "connect", 2)

    world = World(main=0.5)
    server = await servers.start(flow, world=world)
    detail = await server.end(await server.post())
    assert (error_of(detail)["code"], error_of(detail)["message"]) == ("timeout", "no answer within 0.06 s")


async def test_after_its_time_no_attempt_is_made_however_long_the_server_was_away(servers: Servers) -> None:
    world = World(main=[refused(retry_after=0.03)])
    server = await servers.start(program(within), world=world)
    run_id = await server.post()
    await server.end(run_id, RunState.WAITING)
    servers.clock.ahead = 5_000
    server = await servers.start(program(within), world=world)
    detail = await server.end(run_id)
    assert (detail.run.state, len(world.calls)) == (RunState.DEAD, 1)
    assert (error_of(detail)["code"], error_of(detail)["attempt"]) == ("timeout", 1)


async def typed(_: Any, ctx: Any) -> bool:
    try:
        await ctx.step(put("try", result=reader(integer)))
    except StepFailure as failure:
        caught.append(ctx.error(failure))
    return False


async def test_a_result_that_does_not_fit_is_a_failure_that_is_recorded(servers: Servers) -> None:
    server = await servers.start(program(typed), world=World(**{"try": ["text"]}))
    detail = await server.end(await server.post())
    assert (caught[-1].code, kinds(detail)) == ("result", {"try": "failed"})
    assert caught[-1].message.startswith("what came back does not fit: ")
