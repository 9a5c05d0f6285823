"""Attempts that wait for their turn: in the journal, without a try and without a place in memory."""

from typing import Any

import pytest

from runtime.context import Policy
from runtime.failures import Kind, StepFailure
from runtime.journal.rows import RunState
from tests.runtime.engine.by_hand import (
    Clock,
    Server,
    Servers,
    World,
    error_of,
    kinds,
    program,
    put,
    refused,
    send,
    until,
)

ONE_TRY = Policy(tries=1, low=1, high=1)


async def sends(_: Any, ctx: Any) -> bool:
    await ctx.step(send("main", policy=ONE_TRY))
    return False


async def puts(_: Any, ctx: Any) -> bool:
    await ctx.step(put("main", policy=Policy(tries=2, low=1, high=1)))
    return False


async def hurries(_: Any, ctx: Any) -> bool:
    await ctx.step(put("main", within=60))
    return False


async def test_what_waits_for_its_turn_is_in_the_journal_and_has_not_begun(servers: Servers) -> None:
    world = World()
    world.waits = [60_000]
    server = await servers.start(program(sends), world=world)
    detail = await server.end(await server.post(), RunState.WAITING)

    assert (kinds(detail), world.calls) == ({"main": "tried"}, [])
    assert (error_of(detail)["code"], error_of(detail)["message"]) == ("held", "it is its turn in 60 s")
    assert detail.wake_at is not None
    assert detail.wake_at - detail.steps[0].at >= 59_000


@pytest.mark.parametrize("waits", [[5], [5, 5, 5]])
async def test_a_wait_for_the_turn_uses_no_try(servers: Servers, waits: list[int]) -> None:
    world = World()
    world.waits = waits
    server = await servers.start(program(sends), world=world)
    detail = await server.end(await server.post())

    assert (detail.run.state, world.calls, [row.attempt for row in detail.steps]) == (RunState.DONE, ["main"], [1])


async def test_a_second_try_waits_for_its_turn_too_and_is_the_second(servers: Servers) -> None:
    world = World(main=[refused(), "done"])
    world.waits = [5, 0, 5, 5]
    server = await servers.start(program(puts), world=world)
    detail = await server.end(await server.post())

    assert (detail.run.state, world.calls, world.waits) == (RunState.DONE, ["main", "main"], [])
    assert [row.attempt for row in detail.steps] == [2]


async def test_who_waited_through_a_restart_asks_for_its_turn_again(servers: Servers) -> None:
    world = World()
    world.waits = [30]
    server = await servers.start(program(sends), world=world)
    run_id = await server.post()
    await server.end(run_id, RunState.WAITING)
    again = World()
    again.waits = [5, 5]
    server = await servers.start(program(sends), world=again)
    detail = await server.end(run_id)

    assert (detail.run.state, world.calls, again.calls, again.waits) == (RunState.DONE, [], ["main"], [])


async def test_a_turn_that_comes_too_late_for_the_step_is_its_failure(servers: Servers) -> None:
    world = World()
    world.waits = [5_000]
    server = await servers.start(program(hurries), world=world)
    detail = await server.end(await server.post())

    assert (detail.run.state, error_of(detail)["code"], world.calls) == (RunState.DEAD, "held", [])


HOUR = 3_600_000
OPEN = "the breaker of erp.example is open: its last 5 connections failed"


def held() -> StepFailure:
    """The host may not be asked now."""
    return StepFailure("held", OPEN, Kind.HELD, 60.0)


async def puts_else(_: Any, ctx: Any) -> bool:
    try:
        await ctx.step(put("main", policy=ONE_TRY))
    except StepFailure as failure:
        await ctx.step(put("else"), failure.code)
    return False


async def puts_within(_: Any, ctx: Any) -> bool:
    await ctx.step(put("main", within=72 * HOUR))
    return False


async def asked_again(server: Server, run_id: str, clock: Clock, *hours: float) -> None:
    """Let a held run ask at each of these hours since its delivery."""
    for ahead in hours:
        await server.end(run_id, RunState.WAITING)
        server.world.calls.clear()
        clock.ahead = int(ahead * HOUR)
        server.engine.look()
        await until(lambda: server.world.calls)


@pytest.mark.parametrize("flow", [sends, puts])
async def test_host_that_is_gone_holds_a_step_for_a_day_also_through_restarts(servers: Servers, flow: Any) -> None:
    server = await servers.start(program(flow), world=World(main=held()))
    run_id = await server.post()
    for hours in (12, 23.9):
        await asked_again(server, run_id, servers.clock, hours)
        await server.end(run_id, RunState.WAITING)
        server = await servers.start(program(flow), world=World(main=held()))
    await asked_again(server, run_id, servers.clock, 24.1)
    detail = await server.end(run_id)

    assert (detail.run.state, error_of(detail)["code"]) == (RunState.DEAD, "held")
    assert error_of(detail)["message"] == f"{OPEN}; for 24 h no attempt could be made"


async def test_step_held_for_a_day_fails_as_after_its_last_attempt(servers: Servers) -> None:
    server = await servers.start(program(puts_else), world=World(main=held()))
    run_id = await server.post()
    await asked_again(server, run_id, servers.clock, 25)
    detail = await server.end(run_id)

    assert (detail.run.state, kinds(detail)) == (RunState.DONE, {"main": "failed", "else": "result"})
    assert server.world.calls[-1] == "else:held"


async def test_an_attempt_that_is_made_ends_the_day(servers: Servers) -> None:
    world = World(main=[held(), refused(3600), held(), "done"])
    server = await servers.start(program(puts), world=world)
    run_id = await server.post()
    await asked_again(server, run_id, servers.clock, 16, 32, 48)
    assert (await server.end(run_id)).run.state is RunState.DONE


async def test_step_that_says_how_long_is_held_so_long(servers: Servers) -> None:
    server = await servers.start(program(puts_within), world=World(main=[held(), held(), "done"]))
    run_id = await server.post()
    await asked_again(server, run_id, servers.clock, 30, 71)
    assert (await server.end(run_id)).run.state is RunState.DONE
