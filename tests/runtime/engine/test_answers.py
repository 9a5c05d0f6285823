"""`respond`: one answer a run, recorded before it is given; and what a sender is told where there is none."""

import asyncio
from typing import Any

import pytest

from runtime.context import Failed
from runtime.engine.answers import Accepted, Answered, Unanswered
from runtime.engine.engine import Limits
from runtime.journal.rows import RunState
from tests.runtime.engine.by_hand import (
    Flow,
    Server,
    Servers,
    World,
    kinds,
    lost,
    program,
    put,
    refused,
    send,
    until,
    wrong,
)


async def answers(p: Any, ctx: Any) -> bool:
    await ctx.step(put("before"), p.n)
    await ctx.respond("respond", 201, {"n": p.n})
    await ctx.step(put("later"), p.n)
    return False


async def answer_of(accepted: Accepted) -> Answered | Unanswered:
    assert accepted.answer is not None
    async with asyncio.timeout(5):
        return await accepted.answer


async def start(servers: Servers, flow: Flow, world: World, **clauses: Any) -> Server:
    return await servers.start(program(flow, responds=True, **clauses), world=world)


async def test_the_answer_is_recorded_and_given_while_the_run_goes_on(servers: Servers) -> None:
    gate = asyncio.Event()
    server = await start(servers, answers, World(later=gate))
    accepted = await server.deliver(7)
    assert await answer_of(accepted) == Answered(201, b'{"n":7}')
    detail = await server.end(accepted.run_id, *RunState)
    assert detail.run.ended_at is None
    assert {row.step: row.value for row in detail.steps}["respond"] == b'{"body":{"n":7},"status":201}'
    gate.set()
    assert (await server.end(accepted.run_id)).run.state is RunState.DONE


async def test_a_flow_that_does_not_respond_has_nobody_waiting(servers: Servers) -> None:
    server = await servers.start(program(answers), world=World())
    assert (await server.deliver()).answer is None


async def test_an_answer_survives_a_pause_of_its_run(servers: Servers) -> None:
    server = await start(servers, answers, World(before=[refused(), "ok"], later=[refused(), "ok"]))
    accepted = await server.deliver(7)
    assert await answer_of(accepted) == Answered(201, b'{"n":7}')
    assert (await server.end(accepted.run_id)).run.state is RunState.DONE


async def test_a_killed_run_does_not_answer_anew(servers: Servers) -> None:
    server = await start(servers, answers, World(later=asyncio.Event()))
    accepted = await server.deliver(7)
    await answer_of(accepted)
    world = World()
    server = await start(servers, answers, world)
    detail = await server.end(accepted.run_id)
    assert (detail.run.state, world.calls) == (RunState.DONE, ["later:7"])


async def test_who_no_longer_waits_is_not_told_and_the_answer_is_recorded(servers: Servers) -> None:
    gate = asyncio.Event()
    server = await start(servers, answers, World(before=gate))
    accepted = await server.deliver(7)
    assert accepted.answer is not None
    accepted.answer.cancel()
    gate.set()
    detail = await server.end(accepted.run_id)
    assert kinds(detail)["respond"] == "result"


async def test_a_failure_before_the_answer_is_told_once_it_is_on_disk(servers: Servers) -> None:
    server = await start(servers, answers, World(before=[wrong()]))
    accepted = await server.deliver()
    assert await answer_of(accepted) is Unanswered.FAILED
    detail = await server.journal.run(accepted.run_id)
    assert detail.run.state is RunState.DEAD


async def test_a_failure_after_the_answer_changes_nothing_for_the_sender(servers: Servers) -> None:
    server = await start(servers, answers, World(later=[wrong()]))
    accepted = await server.deliver(1)
    assert await answer_of(accepted) == Answered(201, b'{"n":1}')
    assert (await server.end(accepted.run_id)).run.state is RunState.DEAD


async def responds_to_errors(_: Any, ctx: Any, error: Failed) -> bool:
    await ctx.step(put("handled"))
    await ctx.respond("on_error/respond", 409, {"code": error.code})
    return True


async def stays_silent(_: Any, ctx: Any, error: Failed) -> bool:  # noqa: ARG001  # the signature of a handler
    await ctx.step(put("handled"))
    return True


async def test_a_handler_may_answer(servers: Servers) -> None:
    world = World(before=[wrong("taken")], handled=[refused(), "ok"])
    server = await start(servers, answers, world, handler=responds_to_errors)
    accepted = await server.deliver()
    assert await answer_of(accepted) == Answered(409, b'{"code":"taken"}')
    assert (await server.end(accepted.run_id)).run.state is RunState.STOPPED


async def test_a_handler_that_does_not_answer_leaves_a_failure(servers: Servers) -> None:
    server = await start(servers, answers, World(before=[wrong()]), handler=stays_silent)
    assert await answer_of(await server.deliver()) is Unanswered.FAILED


async def silent(p: Any, ctx: Any) -> bool:
    await ctx.step(put("before"), p.n)
    return bool(p.n)


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_run_that_ends_without_an_answer_has_failed_for_its_sender(servers: Servers, *, stopped: bool) -> None:
    server = await start(servers, silent, World())
    assert await answer_of(await server.deliver(stopped)) is Unanswered.FAILED


async def unsure(_: Any, ctx: Any) -> bool:
    await ctx.step(send("before"))
    await ctx.respond("respond", 200, None)
    return False


async def test_nobody_waits_for_a_run_that_waits_for_a_person(servers: Servers) -> None:
    server = await start(servers, unsure, World(before=[lost()]))
    assert await answer_of(await server.deliver()) is Unanswered.LATER


async def test_an_answer_without_a_body_is_empty(servers: Servers) -> None:
    server = await start(servers, unsure, World())
    assert await answer_of(await server.deliver()) == Answered(200, b"")


async def test_a_run_that_waits_for_room_answers_when_it_has_it(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(**{"before:0": gate})
    server = await servers.start(program(answers, responds=True), world=world, limits=Limits(running=1))
    first = await server.deliver(0)
    await until(lambda: world.calls == ["before:0"])
    second = await server.deliver(1)
    assert first.answer is not None
    assert second.answer is not None
    await asyncio.sleep(0.03)
    assert not second.answer.done()
    gate.set()
    assert await answer_of(second) == Answered(201, b'{"n":1}')


async def test_a_stopping_server_lets_nobody_wait_in_vain(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(before=[refused(retry_after=60)], **{"before:0": gate, "before:1": asyncio.Event()})
    server = await start(servers, answers, world)
    quick, slow, paused = [await server.deliver(n) for n in range(3)]
    await until(lambda: len(world.calls) == 3)
    await server.end(paused.run_id, RunState.WAITING)
    stopping = asyncio.create_task(server.engine.stop(0.05))
    assert await answer_of(paused) is Unanswered.LATER
    gate.set()
    assert await answer_of(quick) == Answered(201, b'{"n":0}')
    assert await answer_of(slow) is Unanswered.LATER
    await stopping


@pytest.mark.parametrize("killed", [False, True])
async def test_the_first_answer_counts(servers: Servers, *, killed: bool) -> None:
    world = World(later=[wrong()], handled=[refused(retry_after=0.05), "ok"])
    server = await start(servers, answers, world, handler=responds_to_errors)
    accepted = await server.deliver(1)
    assert await answer_of(accepted) == Answered(201, b'{"n":1}')
    await server.end(accepted.run_id, RunState.WAITING)
    if killed:
        server = await start(servers, answers, world, handler=responds_to_errors)
    detail = await server.end(accepted.run_id)
    assert detail.run.state is RunState.STOPPED
    assert kinds(detail) == {"before": "result", "respond": "result", "later": "failed", "handled": "result"}
