"""Rejected deliveries tried again: what fits the plans in force becomes a run, the rest stays with its problems."""

from dataclasses import replace
from typing import Any

import pytest

from runtime.engine.rejudging import WantedRejected
from runtime.engine.starting import Page
from runtime.journal import rejected
from runtime.journal.rows import Misfit, RejectedDelivery, RunState
from runtime.journal.writes import Reject
from runtime.program import Dedupe, Program
from runtime.shapes import Shape, field, integer, record, text
from tests.runtime.engine.by_hand import Server, Servers, World, now, program, put

DAY = 86_400_000
LENIENT = record("Payload", field("n", integer), field("e", integer, required=False, lenient=True))


async def step(p: Any, ctx: Any) -> bool:
    await ctx.step(put("a"), p.n)
    return False


def taking(shape: Shape, flow: str = "f", **clauses: Any) -> Program:
    return replace(program(step, flow, **clauses), payload=shape)


async def keep(server: Server, *bodies: bytes, flow: str = "f", context: bytes = b"") -> None:
    """Let deliveries be rejected, one after the other."""
    for n, body in enumerate(bodies):
        one = Misfit(f"{flow}{n}", "old", n + 1, now() + DAY, body, context, b"[]")
        await server.journal.commit(Reject(flow, (one,)))


async def left(server: Server) -> list[RejectedDelivery]:
    found: list[RejectedDelivery] = await server.journal.read(
        lambda c: rejected.deliveries(c, (0, 999, 999), None, None)
    )
    return found


async def page(server: Server, after: int = 0, upto: int | None = None, limit: int = 99, **wanted: Any) -> Page:
    return await server.engine.again.rejudging.page(WantedRejected(**wanted), after, upto, limit)


async def test_what_fits_now_runs_and_is_rejected_no_more(servers: Servers) -> None:
    world = World()
    server = await servers.start(taking(LENIENT), world=world)
    await keep(server, b'{"n":7,"e":"x"}')
    (one,) = (await page(server)).replays
    assert (one.of, one.flow, one.problem, one.repeat) == ("f0", "f", None, False)
    done = await server.end(str(one.run), RunState.DONE)
    assert (world.calls, done.body, done.notes) == (["a:7"], b'{"n":7,"e":"x"}', b'{"left_out":["/e"]}')
    assert await left(server) == []


async def test_what_does_not_fit_stays_with_the_problems_of_today(servers: Servers) -> None:
    server = await servers.start(taking(LENIENT))
    await keep(server, b'{"n":"x"}')
    (one,) = (await page(server)).replays
    assert one.run is None
    assert one.problem == "the delivery still does not fit the flow: /n should be int, is text"
    (kept,) = await left(server)
    assert (kept.plan, bytes(kept.problems)) == ("plan-f", b'[{"expected":"int","got":"text","pointer":"/n"}]')


async def test_a_dry_run_changes_nothing(servers: Servers) -> None:
    server = await servers.start(taking(LENIENT))
    await keep(server, b'{"n":1}', b'{"n":"x"}')
    fit, unfit = (await page(server, dry=True)).replays
    assert (fit.run, fit.problem, unfit.run) == (None, None, None)
    assert [(one.plan, bytes(one.problems)) for one in await left(server)] == [("old", b"[]")] * 2
    assert await server.journal.runs(limit=9) == []


async def test_a_form_is_read_as_a_form_and_with_what_was_kept_of_its_request(servers: Servers) -> None:
    seen = []

    async def look(p: Any, ctx: Any) -> bool:
        seen.append((p.n, ctx.header("x-id")))
        return False

    server = await servers.start(replace(program(look, headers=("x-id",)), payload=LENIENT))
    await keep(server, b'{"n":"7"}', context=b'{"headers":{"x-id":"8"},"query":{},"form":true}')
    (one,) = (await page(server)).replays
    await server.end(str(one.run), RunState.DONE)
    assert seen == [(7, "8")]


async def test_a_repeat_starts_no_run_and_is_rejected_no_more(servers: Servers) -> None:
    by_number = Dedupe(lambda p, _: str(p.n), DAY)
    server = await servers.start(taking(LENIENT, dedupe=by_number))
    await keep(server, b'{"n":1}', b'{"n":1}', b'{"n":2}')
    first, again, other = (await page(server)).replays
    assert (first.repeat, again.repeat, other.repeat) == (False, True, False)
    assert again.run == first.run
    assert len(await server.journal.runs(limit=9)) == 2
    assert await left(server) == []


async def test_a_flow_that_is_gone_leaves_its_deliveries(servers: Servers) -> None:
    server = await servers.start(taking(LENIENT))
    await keep(server, b'{"n":1}', flow="gone")
    (one,) = (await page(server)).replays
    assert (one.run, one.problem) == (None, "the flow is not served any more")
    assert len(await left(server)) == 1


async def test_a_key_that_the_flow_reads_now_may_not_be_there_twice(servers: Servers) -> None:
    server = await servers.start(taking(LENIENT))
    await keep(server, b'{"n":1,"n":2}', b'{"n":1,"\\u006e":2}', b'{"n":1,"x":1,"x":2}')
    told = [(one.run is None, one.problem) for one in (await page(server)).replays]
    twice = "the delivery cannot be read: an object has the same key twice"
    assert told == [(True, twice), (True, twice), (False, None)]


async def test_pages_are_of_a_flow_and_a_time_and_end_at_the_youngest_there_was(servers: Servers) -> None:
    server = await servers.start(taking(LENIENT), taking(LENIENT, "g"))
    await keep(server, *(b'{"n":%d}' % n for n in range(5)))
    await keep(server, b'{"n":9}', flow="g")
    first = await page(server, limit=2, flow="f", since=2)
    assert ([one.of for one in first.replays], first.next, first.upto) == (["f1", "f2"], 3, 6)
    await keep(server, b'{"n":1}', flow="late")
    rest = await page(server, after=3, upto=first.upto, flow="f", since=2)
    assert ([one.of for one in rest.replays], rest.next) == (["f3", "f4"], None)
    assert [one.of for one in (await page(server, flow="g")).replays] == ["g0"]


async def test_a_delivery_that_two_ask_for_becomes_one_run(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await servers.start(taking(LENIENT))
    await keep(server, b'{"n":1}')
    same = await left(server)
    await page(server)
    monkeypatch.setattr(rejected, "deliveries", lambda *_, **__: same)  # as who had read before the other's commit
    (one,) = (await page(server, upto=9)).replays
    assert (one.run, one.problem) == (None, "the delivery is not kept any more")
    assert len(await server.journal.runs(limit=9)) == 1


async def test_text_is_read_as_text(servers: Servers) -> None:
    server = await servers.start(taking(record("P", field("n", text))))
    await keep(server, b'"only text"')
    (one,) = (await page(server)).replays
    assert one.problem == "the delivery still does not fit the flow: / should be object, is text"
