"""`for`: a body for each item, in order or several at once; its steps carry the item's index."""

import asyncio
from typing import Any

import pytest

from runtime.engine.ids import idempotency_key
from runtime.failures import StepFailure
from runtime.journal.rows import RunState
from tests.runtime.engine.by_hand import (
    Flow,
    Servers,
    World,
    error_of,
    kinds,
    place,
    program,
    put,
    refused,
    until,
    wrong,
)


def loop(at_once: int, most: int = 1000) -> Flow:
    async def flow(p: Any, ctx: Any) -> bool:
        async def body(ctx: Any, item: Any) -> None:
            await ctx.step(put("x"), item)
            ctx.log("log", item)
            await ctx.step(put("y"), item)

        await ctx.each("for", p.n, body, most=most, at_once=at_once)
        await ctx.step(put("after"))
        return False

    return flow


@pytest.mark.parametrize("at_once", [1, 3])
async def test_steps_and_keys_of_an_item_carry_its_index(servers: Servers, at_once: int) -> None:
    world = World()
    server = await servers.start(program(loop(at_once)), world=world)
    detail = await server.end(await server.post(["p", "q"]))
    assert detail.run.state is RunState.DONE
    assert {row.step for row in detail.steps} == {
        *("x[0]", "x[1]", "log[0]", "log[1]", "y[0]", "y[1]", "after"),
    }
    assert world.keys["y:q"] == {idempotency_key(detail.key, "y[1]")}


async def test_one_at_a_time_goes_item_by_item(servers: Servers) -> None:
    world = World(x=0.001)
    server = await servers.start(program(loop(1)), world=world)
    await server.end(await server.post([1, 2, 3]))
    assert world.calls == ["x:1", "y:1", "x:2", "y:2", "x:3", "y:3", "after"]


async def test_so_many_at_once_and_no_more(servers: Servers) -> None:
    world = World(x=0.003, y=0.002)
    server = await servers.start(program(loop(4)), world=world)
    await server.end(await server.post(list(range(12))))
    assert world.most == 4
    assert [call for call in world.calls if call.startswith("x")] == [f"x:{n}" for n in range(12)]


@pytest.mark.parametrize("at_once", [1, 3])
async def test_no_items_are_nothing_to_do(servers: Servers, at_once: int) -> None:
    world = World()
    server = await servers.start(program(loop(at_once)), world=world)
    assert (await server.end(await server.post([]))).run.state is RunState.DONE
    assert world.calls == ["after"]


@pytest.mark.parametrize("at_once", [1, 3])
async def test_too_many_items_fail_before_the_first(servers: Servers, at_once: int) -> None:
    world = World()
    server = await servers.start(program(loop(at_once, most=2)), world=world)
    assert (await server.end(await server.post([1, 2]))).run.state is RunState.DONE
    world.calls.clear()
    detail = await server.end(await server.post([1, 2, 3]))
    told = error_of(detail)
    assert (told["code"], told["message"], told["step"]) == ("too_many", "3 items, at most 2 are allowed", "for")
    assert world.calls == []


async def test_after_a_failure_none_starts_the_others_finish_and_the_lowest_index_counts(servers: Servers) -> None:
    world = World(**{"x:0": 0.03, "y:0": [wrong("slow")], "x:1": [wrong("quick")], "x:2": 0.02})
    server = await servers.start(program(loop(3)), world=world)
    detail = await server.end(await server.post(list(range(9))))
    assert (error_of(detail)["code"], error_of(detail)["step"]) == ("slow", "y[0]")
    assert world.calls == ["x:0", "x:1", "x:2", "y:2", "y:0"]
    assert kinds(detail)["y[2]"] == "result"


async def test_a_failure_ends_a_loop_that_goes_item_by_item(servers: Servers) -> None:
    world = World(**{"y:2": [wrong()]})
    server = await servers.start(program(loop(1)), world=world)
    detail = await server.end(await server.post([1, 2, 3]))
    assert (error_of(detail)["step"], world.calls[-1]) == ("y[1]", "y:2")


@pytest.mark.parametrize("at_once", [1, 3])
async def test_a_killed_loop_goes_on_where_it_was(servers: Servers, at_once: int) -> None:
    world = World(**{"y:3": asyncio.Event()})
    server = await servers.start(program(loop(at_once)), world=world)
    run_id = await server.post(list(range(7)))
    await until(lambda: "y:3" in world.calls and (at_once == 1 or "y:6" in world.calls))
    await asyncio.sleep(0.02)
    again = World()
    server = await servers.start(program(loop(at_once)), world=again)
    detail = await server.end(run_id)
    assert detail.run.state is RunState.DONE
    rest = ["y:3", "x:4", "y:4", "x:5", "y:5", "x:6", "y:6"] if at_once == 1 else ["y:3"]
    assert again.calls == [*rest, "after"]
    assert len(detail.steps) == 7 * 3 + 1


async def test_after_a_kill_an_item_that_had_begun_before_the_failure_finishes_and_no_other_begins(
    servers: Servers,
) -> None:
    world = World(**{"x:0": 0.001, "x:1": [wrong("bad")], "y:0": asyncio.Event(), "y:2": asyncio.Event()})
    server = await servers.start(program(loop(3)), world=world)
    run_id = await server.post(list(range(9)))
    await until(lambda: "y:0" in world.calls and "y:2" in world.calls)
    await asyncio.sleep(0.02)
    again = World()
    server = await servers.start(program(loop(3)), world=again)
    detail = await server.end(run_id)
    assert (detail.run.state, error_of(detail)["code"]) == (RunState.DEAD, "bad")
    assert sorted(again.calls) == ["y:0", "y:2"]


async def test_after_a_kill_an_item_finishes_of_which_nothing_was_recorded_when_another_failed(
    servers: Servers,
) -> None:
    world = World(**{"x:0": [wrong("bad")], "x:1": asyncio.Event()})
    server = await servers.start(program(loop(2)), world=world)
    run_id = await server.post(list(range(4)))
    async with asyncio.timeout(10):
        while (detail := await server.journal.run(run_id)) is None or "for" not in kinds(detail):
            await asyncio.sleep(0.002)
    again = World()
    server = await servers.start(program(loop(2)), world=again)
    detail = await server.end(run_id)
    assert (detail.run.state, error_of(detail)["code"]) == (RunState.DEAD, "bad")
    assert again.calls == ["x:1", "y:1"]


async def test_an_item_that_waits_for_another_attempt_keeps_its_place_and_is_not_lost(servers: Servers) -> None:
    world = World(**{"x:0": [refused(), "ok"], "x:5": [refused(), refused(), "ok"], "y:3": [wrong("bad")]})
    server = await servers.start(program(loop(2)), world=world)
    detail = await server.end(await server.post(list(range(4))))
    assert (detail.run.state, error_of(detail)["step"]) == (RunState.DEAD, "y[3]")
    assert {name: world.calls.count(name) for name in ("x:0", "y:0", "x:3")} == {"x:0": 2, "y:0": 1, "x:3": 1}


async def waiting(p: Any, ctx: Any) -> bool:
    async def body(ctx: Any, item: Any) -> None:
        await ctx.sleep("wait", 15)
        await ctx.step(put("x"), item)

    await ctx.each("for", p.n, body, most=10, at_once=1)
    return False


async def test_item_by_item_a_body_may_wait(servers: Servers) -> None:
    world = World()
    server = await servers.start(program(waiting), world=world)
    detail = await server.end(await server.post([1, 2, 3]))
    assert (detail.run.state, world.calls) == (RunState.DONE, ["x:1", "x:2", "x:3"])
    assert kinds(detail) == {f"{step}[{index}]": "result" for step in ("wait", "x") for index in range(3)}


async def nested(p: Any, ctx: Any) -> bool:
    async def outer(ctx: Any, row: Any) -> None:
        async def inner(ctx: Any, cell: Any) -> None:
            async def left(ctx: Any) -> None:
                await ctx.step(put("x"), cell)

            async def right(_: Any) -> None:
                if cell == 4:
                    raise StepFailure("failed", "four")

            await ctx.all("both", left, right)

        await ctx.each("inner", row, inner, most=10, at_once=2)

    await ctx.each("outer", p.n, outer, most=10, at_once=2)
    return False


async def test_loops_and_branches_nest(servers: Servers) -> None:
    world = World()
    server = await servers.start(program(nested), world=world)
    detail = await server.end(await server.post([[1, 2], [3, 5]]))
    assert kinds(detail) == {f"x[{row}][{cell}]": "result" for row in (0, 1) for cell in (0, 1)}


async def test_a_failure_of_pure_code_in_a_loop_says_which_item(servers: Servers) -> None:
    step = place("outer/inner/fail", nested, 8)
    server = await servers.start(program(nested, places=(step,)), world=World())
    detail = await server.end(await server.post([[1], [3, 4]]))
    assert error_of(detail) == {
        "step": "outer/inner/fail[1][1]",
        "code": "failed",
        "message": "four",
        "attempt": 1,
        "where": "flows/test.seta:8:1",
        "beside": ["inner[1]", "outer"],
    }
