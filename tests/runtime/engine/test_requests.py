"""Headers and query parameters that a plan names: read by the flow, live and on resume."""

import asyncio
from dataclasses import replace
from typing import Any

from runtime.program import Request
from runtime.shapes import field, integer, record
from tests.runtime.engine.by_hand import Servers, World, program, put, until

seen: list[Any] = []


async def reads(_: Any, ctx: Any) -> bool:
    seen.append((ctx.header("x-event"), ctx.header("x-none"), ctx.query("origem"), ctx.query("none")))
    await ctx.step(put("x"), ctx.header("x-event"))
    return False


FLOW = program(reads, headers=("x-event", "x-none"), query=("origem",))
REQUEST = Request({"x-event": "ação"}, {"origem": "site"})


async def test_a_flow_reads_the_same_live_and_on_resume(servers: Servers) -> None:
    world = World(x=asyncio.Event())
    server = await servers.start(FLOW, world=world)
    run_id = (await server.deliver(request=REQUEST)).run_id
    await until(lambda: world.calls)
    server = await servers.start(FLOW)
    await server.end(run_id)
    assert seen == [("ação", None, "site", None)] * 2


async def test_nothing_is_kept_for_a_flow_that_names_nothing(servers: Servers) -> None:
    server = await servers.start(program(reads))
    run_id = (await server.deliver(request=REQUEST)).run_id
    await server.end(run_id)
    kept = await server.journal.read(lambda c: c.execute("SELECT context FROM deliveries").get)
    assert kept == b""


async def test_a_form_is_read_as_one_live_and_on_resume(servers: Servers) -> None:
    numbers: list[int] = []

    async def adds(p: Any, ctx: Any) -> bool:
        numbers.append(p.n + 1)
        await ctx.step(put("x"), p.n)
        return False

    flow = replace(program(adds), payload=record("P", field("n", integer)))
    world = World(x=asyncio.Event())
    server = await servers.start(flow, world=world)
    body = b'{"n":"41"}'
    payload = flow.payload.decode_form(body).payload
    run_id = (await server.engine.accept(flow, payload, body, request=Request({}, {}, form=True))).run_id
    await until(lambda: world.calls)
    server = await servers.start(flow)
    await server.end(run_id)
    assert numbers == [42, 42]


async def test_the_time_that_a_run_is_kept_is_noted(servers: Servers) -> None:
    server = await servers.start(program(reads, keep=5000), program(reads, "g"))
    await server.end(await server.post())
    await server.end(await server.post(flow="g"))
    kept = await server.journal.read(lambda c: c.execute("SELECT flow, keep FROM runs ORDER BY seq").fetchall())
    assert kept == [("f", 5000), ("g", None)]
