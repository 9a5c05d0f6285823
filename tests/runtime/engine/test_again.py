"""Replaying: new runs of past deliveries, on the plans in force, with what is recorded."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from runtime.engine.again import Wanted
from runtime.engine.starting import Page
from runtime.journal.rows import RunState
from runtime.program import Dedupe, Request
from runtime.shapes import field, integer, record
from tests.runtime.engine.by_hand import Server, Servers, World, kinds, program, put, send, until, wrong

DEAD = Wanted(RunState.DEAD)


async def two(p: Any, ctx: Any) -> bool:
    await ctx.step(put("a"), p.n)
    await ctx.step(put("b"), p.n)
    return False


async def replay(server: Server, wanted: Wanted = DEAD) -> Page:
    return await server.engine.again.replays.page(wanted, 0, None, 100)


async def replayed(server: Server, wanted: Wanted = DEAD) -> str:
    (one,) = (await replay(server, wanted)).replays
    assert one.run is not None
    return one.run


async def dead(servers: Servers, **outcomes: Any) -> tuple[Server, World, str]:
    world = World(**{"b": [wrong(), "fine"], **outcomes})
    server = await servers.start(program(two), world=world)
    run = await server.post(1)
    await server.end(run, RunState.DEAD)
    return server, world, run


async def test_a_new_run_takes_recorded_results_and_does_the_rest_with_keys_of_its_own(servers: Servers) -> None:
    server, world, old = await dead(servers)
    run = await replayed(server)
    done = await server.end(run, RunState.DONE)
    assert run != old
    assert world.calls == ["a:1", "b:1", "b:1"]
    assert len(world.keys["b:1"]) == 2
    assert kinds(done) == {"a": "result", "b": "result"}
    assert (await server.end(old)).run.state is RunState.DEAD


async def test_again_does_every_step_again(servers: Servers) -> None:
    server, world, _ = await dead(servers)
    await server.end(await replayed(server, Wanted(RunState.DEAD, again=True)), RunState.DONE)
    assert world.calls == ["a:1", "b:1", "a:1", "b:1"]


async def test_the_same_key_is_handed_out_where_it_is_asked_for(servers: Servers) -> None:
    server, world, _ = await dead(servers)
    run = await replayed(server, Wanted(RunState.DEAD, again=True, same_key=True))
    await server.end(run, RunState.DONE)
    assert {name: len(keys) for name, keys in world.keys.items()} == {"a:1": 1, "b:1": 1}


async def test_a_dry_run_starts_nothing(servers: Servers) -> None:
    server, world, old = await dead(servers)
    page = await replay(server, Wanted(RunState.DEAD, dry=True))
    assert [(one.of, one.run, one.problem) for one in page.replays] == [(old, None, None)]
    await asyncio.sleep(0.02)
    assert (len(await server.journal.runs(limit=9)), world.calls) == (1, ["a:1", "b:1"])


async def test_a_result_of_other_arguments_does_not_count(servers: Servers) -> None:
    _, world, _ = await dead(servers)

    async def mended(p: Any, ctx: Any) -> bool:
        await ctx.step(put("a"), p.n + 1)
        await ctx.step(put("new"), p.n)
        await ctx.step(put("b"), p.n)
        return False

    server = await servers.start(program(mended), world=world)
    await server.end(await replayed(server), RunState.DONE)
    assert world.calls == ["a:1", "b:1", "a:2", "new:1", "b:1"]


async def test_what_is_lent_and_not_asked_for_is_no_divergence(servers: Servers) -> None:
    _, world, _ = await dead(servers)

    async def shorter(p: Any, ctx: Any) -> bool:
        await ctx.step(put("b"), p.n)
        return False

    server = await servers.start(program(shorter), world=world)
    done = await server.end(await replayed(server), RunState.DONE)
    assert kinds(done) == {"a": "lent", "b": "result"}


async def test_what_is_lent_survives_a_kill_of_the_new_run(servers: Servers) -> None:
    gate = asyncio.Event()
    server, world, _ = await dead(servers, b=[wrong(), gate, "fine"])
    run = await replayed(server)
    await until(lambda: len(world.calls) == 3)
    server = await servers.start(program(two), world=world)
    done = await server.end(run, RunState.DONE)
    assert (world.calls, kinds(done)) == (["a:1", "b:1", "b:1", "b:1"], {"a": "result", "b": "result"})


async def test_a_message_that_was_sent_is_not_sent_again(servers: Servers) -> None:
    async def flow(_: Any, ctx: Any) -> bool:
        await ctx.step(send("s"))
        await ctx.step(send("t"))
        await ctx.step(put("b"))
        return False

    world = World(b=[wrong(), wrong(), "fine"])
    server = await servers.start(program(flow), world=world)
    await server.end(await server.post(), RunState.DEAD)
    await server.end(await replayed(server), RunState.DEAD)
    page = await replay(server)
    assert len(page.replays) == 2
    for one in page.replays:
        assert one.run is not None
        await server.end(one.run, RunState.DONE)
    assert (world.calls.count("s"), world.calls.count("t")) == (1, 1)


async def test_waits_and_branches_take_what_is_lent(servers: Servers) -> None:
    async def flow(_: Any, ctx: Any) -> bool:
        async def branch(ctx: Any, name: str) -> None:
            await ctx.step(put(name))

        await ctx.sleep("wait", 60)
        await ctx.all("parallel", *(lambda ctx, name=name: branch(ctx, name) for name in "xyz"))
        return False

    world = World(y=[wrong(), "fine"])
    server = await servers.start(program(flow), world=world)
    await server.end(await server.post(), RunState.DEAD)
    await server.end(await replayed(server), RunState.DONE)
    assert sorted(world.calls) == ["x", "y", "y", "z"]


async def test_pages_go_up_to_the_youngest_run_there_was_and_not_on_to_their_own(servers: Servers) -> None:
    server = await servers.start(program(two))
    for n in range(7):
        last = await server.post(n)
        await server.end(last, RunState.DONE)
    wanted, pages = Wanted(RunState.DONE), []
    after: int | None = 0
    upto: int | None = None
    while after is not None:
        page = await server.engine.again.replays.page(wanted, after, upto, 3)
        for one in page.replays:
            assert one.run is not None
            await server.end(one.run, RunState.DONE)
        pages.append(len(page.replays))
        after, upto = page.next, page.upto
    assert (pages, upto) == ([3, 3, 1], 7)


async def test_runs_are_chosen_by_flow_state_and_time(servers: Servers) -> None:
    world = World(**{"b:bad": wrong()})
    server = await servers.start(program(two), program(two, "g"), world=world)
    first = await server.post("bad")
    await server.end(first, RunState.DEAD)
    servers.clock.ahead = 5 * 3_600_000
    runs = [await server.post("bad", flow) for flow in "fg"]
    for run in [*runs, await server.post("good")]:
        await server.end(run)
    dry = Wanted(RunState.DEAD, dry=True)

    async def chosen(**wanted: Any) -> list[str]:
        page = await replay(server, Wanted(**{"state": dry.state, "dry": True, **wanted}))
        return [one.of for one in page.replays]

    assert await chosen() == [first, *runs]
    assert await chosen(flow="g") == runs[1:]
    assert await chosen(since=servers.clock() - 60_000) == runs
    assert await chosen(flow="f", since=servers.clock() - 60_000) == runs[:1]
    assert len(await chosen(state=RunState.DONE)) == 1
    assert await chosen(flow="none") == []


async def test_a_delivery_that_does_not_fit_any_more_is_told(servers: Servers) -> None:
    _, world, old = await dead(servers)

    async def other(_: Any, __: Any) -> bool:
        return False

    strict = program(other)
    shape = record("Payload", field("n", integer), field("more", integer))
    server = await servers.start(type(strict)(**{**_fields(strict), "payload": shape}), world=world)
    (one,) = (await replay(server)).replays
    assert (one.of, one.run) == (old, None)
    assert (one.problem or "").startswith("the delivery does not fit the flow any more: ")
    server = await servers.start(program(other, "else"))
    (one,) = (await replay(server)).replays
    assert (one.run, one.problem) == (None, "the flow is not served any more")


def _fields(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


async def test_a_replay_takes_no_dedupe_key_and_keeps_what_of_the_request_the_plan_names(servers: Servers) -> None:
    async def flow(p: Any, ctx: Any) -> bool:
        await ctx.step(put("b"), f"{p.n}{ctx.header('x-id')}")
        return False

    def key(payload: Any, _: Request) -> str:
        return str(payload.n)

    world = World(b=[wrong(), "fine"])
    one = program(flow, dedupe=Dedupe(key, 3_600_000), headers=("x-id",))
    server = await servers.start(one, world=world)
    old = (await server.deliver(1, request=Request({"x-id": "h"}, {}))).run_id
    await server.end(old, RunState.DEAD)
    await server.end(await replayed(server), RunState.DONE)
    assert world.calls == ["b:1h", "b:1h"]
    assert (await server.deliver(1)).run_id == old


async def test_a_form_is_read_as_one_again(servers: Servers) -> None:
    flow = replace(program(two), payload=record("P", field("n", integer)))
    server = await servers.start(flow, world=World(b=[wrong(), "fine"]))
    body = b'{"n":"41"}'
    payload = flow.payload.decode_form(body).payload
    run = (await server.engine.accept(flow, payload, body, request=Request({}, {}, form=True))).run_id
    await server.end(run, RunState.DEAD)
    await server.end(await replayed(server), RunState.DONE)


async def test_a_run_that_has_not_ended_cannot_be_replayed(servers: Servers) -> None:
    server = await servers.start(program(two), world=World(a=asyncio.Event()))
    await server.post()
    with pytest.raises(ValueError, match=r"^a run that is running has not ended$"):
        await replay(server, Wanted(RunState.RUNNING))
