"""Attempts that wait for their turn: in the journal, without a try and without a place in memory."""

from typing import Any

import pytest

from runtime.context import Policy
from runtime.journal.rows import RunState
from tests.runtime.engine.by_hand import Servers, World, error_of, kinds, program, put, refused, send

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
