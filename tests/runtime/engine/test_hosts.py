"""Requests that their host cannot take now: the run waits in the journal, and none of its tries is used."""

import asyncio
from typing import Any

import pytest

from runtime.connections.hosts import Hosts
from runtime.context import Call, Policy
from runtime.failures import Kind, StepFailure
from runtime.journal.rows import RunState
from tests.runtime.engine.by_hand import Servers, World, error_of, kinds, program, put, refused, send, until


def held(seconds: float = 0.001) -> StepFailure:
    return StepFailure("held", "the breaker of here is open", Kind.HELD, seconds)


TWO_TRIES = Policy(tries=2, low=1, high=1)


async def test_a_held_attempt_uses_no_try(servers: Servers) -> None:
    async def flow(_: Any, ctx: Any) -> bool:
        await ctx.step(put("x", policy=TWO_TRIES))
        return False

    outcomes = [held(), held(), held(), refused(), held(), held(), "ok"]
    server = await servers.start(program(flow), world=World(x=outcomes))
    detail = await server.end(await server.post())
    assert (detail.run.state, kinds(detail)) == (RunState.DONE, {"x": "result"})


async def test_the_tries_end_as_ever(servers: Servers) -> None:
    async def flow(_: Any, ctx: Any) -> bool:
        await ctx.step(put("x", policy=TWO_TRIES))
        return False

    server = await servers.start(program(flow), world=World(x=[held(), refused(), held(), refused()]))
    detail = await server.end(await server.post())
    assert (detail.run.state, error_of(detail)["attempt"]) == (RunState.DEAD, 2)


async def test_a_held_run_waits_in_the_journal_and_says_why(servers: Servers) -> None:
    async def flow(_: Any, ctx: Any) -> bool:
        await ctx.step(put("x"))
        return False

    server = await servers.start(program(flow), world=World(x=[held(60), "ok"]))
    run_id = await server.post()
    detail = await server.end(run_id, RunState.WAITING)
    assert error_of(detail) == {
        "step": "x",
        "code": "held",
        "message": "the breaker of here is open",
        "attempt": 1,
        "where": "flows/test.seta",
    }
    await until(lambda: server.engine.running == 0)
    servers.clock.ahead = 60_000
    server.engine.look()
    await server.end(run_id, RunState.DONE)


async def test_an_effect_that_must_not_repeat_is_not_unknown_because_it_was_held(servers: Servers) -> None:
    async def flow(_: Any, ctx: Any) -> bool:
        await ctx.step(send("x"))
        return False

    server = await servers.start(program(flow), world=World(x=[held(60), held(), "ok"]))
    run_id = await server.post()
    await server.end(run_id, RunState.WAITING)
    servers.clock.ahead = 60_000
    server = await servers.start(program(flow), world=World(x=[held(), "ok"]))
    assert (await server.end(run_id)).run.state is RunState.DONE


class Slow(World):
    """A host that takes its time, and counts how many ask it at once."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.hosts = Hosts()
        self.seconds = seconds

    async def perform(self, call: Call) -> Any:
        """Ask the host, or if the flow is another one give its step's id at once."""
        if call.run.flow != "f":
            return call.spec.id
        with self.hosts.asking("here"):
            self._now += 1
            self.most = max(self.most, self._now)
            await asyncio.sleep(self.seconds)
            self._now -= 1
            self.calls.append(call.key)
        return None


@pytest.mark.parametrize("deliveries", [600, pytest.param(2000, marks=pytest.mark.long)])
async def test_many_that_wait_for_a_slow_host_leave_room_for_another_flow(servers: Servers, deliveries: int) -> None:
    async def flow(_: Any, ctx: Any) -> bool:
        await ctx.step(put("x"))
        return False

    world = Slow(0.2)
    server = await servers.start(program(flow), program(flow, "g"), world=world)
    ids = await asyncio.gather(*(server.post(n) for n in range(deliveries)))
    for _ in range(5):
        start = asyncio.get_running_loop().time()
        await server.end(await server.post(0, "g"))
        assert asyncio.get_running_loop().time() - start < 1
        assert server.engine.running <= 64 + 64  # those that ask, and those that are just being held
    async with asyncio.timeout(deliveries / 64 * 0.2 * 5 + 10):
        await until(lambda: len(world.calls) == deliveries)
    assert (world.most, len(set(world.calls))) == (64, deliveries)
    for run_id in ids:
        assert (await server.end(run_id)).run.state is RunState.DONE
