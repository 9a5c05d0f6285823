"""`parallel`: branches run at the same time, all of them finish, and none is lost when the run leaves."""

import asyncio
from typing import Any

from runtime.failures import StepFailure
from runtime.journal.rows import RunState
from runtime.program import Program
from tests.runtime.engine.by_hand import (
    Servers,
    World,
    error_of,
    kinds,
    lost,
    program,
    put,
    refused,
    send,
    until,
    wrong,
)

seen: list[Any] = []


async def three(_: Any, ctx: Any) -> bool:
    async def a(ctx: Any) -> Any:
        return (await ctx.step(put("a")), await ctx.step(put("a2")))

    async def b(ctx: Any) -> Any:
        return await ctx.step(put("b"))

    async def c(ctx: Any) -> Any:
        return await ctx.step(put("c"))

    results = await ctx.all("parallel", a, b, c)
    seen.append(results)
    await ctx.step(put("after"), results)
    return False


RESULTS = [("a", "a2"), "b", "c"]


async def test_branches_start_in_text_order_run_together_and_give_their_results_in_order(servers: Servers) -> None:
    world = World(a=0.02, b=0.01, c=0.005)
    server = await servers.start(program(three), world=world)
    detail = await server.end(await server.post())
    assert detail.run.state is RunState.DONE
    assert world.calls[:3] == ["a", "b", "c"]
    assert world.most == 3
    assert seen[-1] == RESULTS


async def test_all_branches_finish_and_the_first_failure_in_text_order_counts(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(a=gate, b=[wrong("second")], c=[wrong("third")])
    server = await servers.start(program(three), world=world)
    run_id = await server.post()
    await until(lambda: len(world.calls) == 3)
    await asyncio.sleep(0.02)
    assert (await server.end(run_id, *RunState)).run.ended_at is None
    gate.set()
    detail = await server.end(run_id)
    assert (detail.run.state, error_of(detail)["code"], error_of(detail)["step"]) == (RunState.DEAD, "second", "b")
    assert kinds(detail) == {"a": "result", "a2": "result", "b": "failed", "c": "failed"}


async def test_a_killed_run_takes_up_each_branch_where_it_was(servers: Servers) -> None:
    world = World(b=asyncio.Event(), a2=asyncio.Event())
    server = await servers.start(program(three), world=world)
    run_id = await server.post()
    await until(lambda: set(world.calls) == {"a", "a2", "b", "c"})
    await asyncio.sleep(0.02)

    again = World()
    again.keys = world.keys
    server = await servers.start(program(three), world=again)
    detail = await server.end(run_id)
    assert detail.run.state is RunState.DONE
    assert sorted(again.calls) == ["a2", "after:[('a', 'a2'), 'b', 'c']", "b"]
    assert all(len(keys) == 1 for keys in again.keys.values())
    assert seen[-1] == RESULTS


async def test_several_branches_wait_for_another_attempt_at_the_same_time(servers: Servers) -> None:
    """Each step knows how often it was tried, whatever else of its run was tried meanwhile."""
    world = World(a=[refused()] * 3 + ["a"], b=[refused()] * 2 + ["b"], c=[refused(), "c"])
    server = await servers.start(program(three), world=world)
    detail = await server.end(await server.post())
    assert detail.run.state is RunState.DONE
    assert [world.calls.count(step) for step in "abc"] == [4, 3, 2]
    assert {row.step: row.attempt for row in detail.steps} == {"a": 4, "a2": 1, "b": 3, "c": 2, "after": 1}
    assert seen[-1] == RESULTS


async def test_tries_are_counted_over_the_death_of_the_process(servers: Servers) -> None:
    world = World(a=[refused(retry_after=0.2)], b=[refused(retry_after=0.2)])
    server = await servers.start(program(three), world=world)
    run_id = await server.post()
    detail = await server.end(run_id, RunState.WAITING)
    assert kinds(detail) == {"a": "tried", "b": "tried", "c": "result"}
    again = World(a=[refused()], b=[refused()])
    server = await servers.start(program(three), world=again)
    detail = await server.end(run_id)
    assert detail.run.state is RunState.DEAD
    assert (again.calls.count("a"), again.calls.count("b"), again.calls.count("c")) == (4, 4, 0)
    assert (error_of(detail)["step"], error_of(detail)["attempt"]) == ("a", 5)


async def test_the_run_wakes_for_the_branch_that_is_due_first(servers: Servers) -> None:
    world = World(a=[refused(retry_after=3600)], b=[refused(retry_after=0.03), "b"])
    server = await servers.start(program(three), world=world)
    run_id = await server.post()
    await until(lambda: world.calls.count("b") == 2)
    detail = await server.end(run_id, RunState.WAITING)
    assert kinds(detail) == {"a": "tried", "b": "result", "c": "result"}
    assert detail.wake_at is not None
    assert detail.wake_at > servers.clock() + 3_000_000
    servers.clock.ahead = 3_600_000
    server = await servers.start(program(three))
    assert (await server.end(run_id)).run.state is RunState.DONE


async def waits(_: Any, ctx: Any) -> bool:
    async def a(ctx: Any) -> Any:
        await ctx.sleep("short", 40)
        await ctx.step(put("a"))

    async def b(ctx: Any) -> Any:
        await ctx.sleep("long", 80)
        await ctx.step(put("b"))

    async def c(ctx: Any) -> Any:
        await ctx.step(put("c"))

    await ctx.all("parallel", a, b, c)
    return False


async def test_waits_of_branches_end_each_in_its_time(servers: Servers) -> None:
    world = World()
    server = await servers.start(program(waits), world=world)
    detail = await server.end(await server.post())
    assert (detail.run.state, world.calls) == (RunState.DONE, ["c", "a", "b"])


async def unsure(_: Any, ctx: Any) -> bool:
    async def a(ctx: Any) -> Any:
        await ctx.step(send("a"))

    async def b(ctx: Any) -> Any:
        await ctx.sleep("rest", 300)  # ms: long enough to be seen
        await ctx.step(put("b"))

    async def c(ctx: Any) -> Any:
        await ctx.step(put("c"))
        raise StepFailure("failed", "no")

    await ctx.all("parallel", a, b, c)
    return False


async def test_the_others_finish_before_an_unknown_outcome_parks_the_run(servers: Servers) -> None:
    world = World(a=[lost()])
    server = await servers.start(program(unsure), world=world)
    run_id = await server.post()
    detail = await server.end(run_id, RunState.WAITING)
    assert error_of(detail)["code"] == "unknown"  # to be seen while the others go on
    detail = await server.end(run_id)
    assert (detail.run.state, sorted(world.calls)) == (RunState.PARKED, ["a", "b", "c"])
    assert (error_of(detail)["code"], error_of(detail)["step"]) == ("unknown", "a")


async def nested(_: Any, ctx: Any) -> bool:
    async def inner(ctx: Any) -> Any:
        async def x(ctx: Any) -> Any:
            return await ctx.step(put("x"))

        async def y(ctx: Any) -> Any:
            return await ctx.step(put("y"))

        return await ctx.all("inner", x, y)

    async def z(ctx: Any) -> Any:
        return await ctx.step(put("z"))

    async def empty(_: Any) -> Any:
        return ()

    seen.append(await ctx.all("outer", inner, z, empty))
    return False


async def test_branches_have_branches(servers: Servers) -> None:
    world = World(y=asyncio.Event())
    server = await servers.start(program(nested), world=world)
    run_id = await server.post()
    await until(lambda: len(world.calls) == 3)
    await asyncio.sleep(0.02)
    again = World()
    server = await servers.start(program(nested), world=again)
    assert (await server.end(run_id)).run.state is RunState.DONE
    assert (again.calls, seen[-1]) == (["y"], [["x", "y"], "z", ()])


async def test_a_stopping_server_lets_no_branch_go_on(servers: Servers) -> None:
    gate = asyncio.Event()
    world = World(a=gate, b=gate, c=gate)
    server = await servers.start(program(three), world=world)
    await server.post()
    await until(lambda: len(world.calls) == 3)
    await server.engine.stop(0)
    gate.set()
    await asyncio.sleep(0.02)
    assert world.calls == ["a", "b", "c"]
    assert [task for task in asyncio.all_tasks() if "run_together" in repr(task)] == []


def other(flow: Program) -> Program:
    async def changed(_: Any, ctx: Any) -> bool:
        async def a(ctx: Any) -> Any:
            await ctx.step(put("new"))

        async def b(ctx: Any) -> Any:
            await ctx.step(put("b"))

        await ctx.all("parallel", a, b)
        return False

    return program(changed, flow.flow)


async def test_a_run_whose_branches_go_another_way_does_nothing_and_parks(servers: Servers) -> None:
    world = World(b=asyncio.Event())
    server = await servers.start(program(three), world=world)
    run_id = await server.post()
    await until(lambda: "a2" in world.calls)
    await asyncio.sleep(0.02)
    again = World()
    server = await servers.start(other(program(three)), world=again)
    detail = await server.end(run_id)
    assert (detail.run.state, again.calls) == (RunState.PARKED, [])
    assert error_of(detail)["code"] == "diverged"
    assert error_of(detail)["message"] == "nobody asks any more for what is recorded of a, a2, c"
