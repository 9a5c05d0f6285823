"""What an engine counts of its runs and their steps."""

import asyncio
from typing import Any

from runtime.context import Call
from runtime.engine.counts import EngineCounts
from runtime.failures import Kind, StepFailure
from runtime.journal.rows import RunState
from tests.runtime.engine.conftest import Server, Start, scripted

PUT = 'flow f\non webhook {n: int}\n  -> put "a" with {n} retry 2 every 1ms..1ms as r\n'
SEND = 'flow f\non webhook {n: int}\n  -> send "a" with {n}\n'
AGAIN = StepFailure("busy", "come later", Kind.NOT_DONE)
WRONG = StepFailure("wrong", "no", Kind.PERMANENT)
LOST = StepFailure("lost", "no answer", Kind.TRANSIENT)


def attempts(server: Server) -> dict[tuple[str, ...], int]:
    return {key: count.number for key, count in server.engine.counts.attempts.items()}


def runs(server: Server) -> dict[tuple[str, ...], int]:
    return {key: count.number for key, count in server.engine.counts.runs.items()}


async def test_attempts_are_counted_by_how_they_went(start: Start) -> None:
    perform, _ = scripted([AGAIN, {"id": 5}, WRONG])
    server = await start(PUT, perform)
    await server.end(await server.post("f", b'{"n": 1}'))
    await server.end(await server.post("f", b'{"n": 2}'))
    assert attempts(server) == {("f", "put_r", "retry"): 1, ("f", "put_r", "done"): 1, ("f", "put_r", "failed"): 1}
    assert runs(server) == {("f", "done"): 1, ("f", "dead"): 1}
    [(_, (*_, (_, observed)))] = [(verb, list(s.buckets())) for verb, s in server.engine.counts.step_seconds.items()]
    assert observed == 3


async def test_an_attempt_of_which_nobody_knows_parks_and_is_counted_as_unknown(start: Start) -> None:
    perform, _ = scripted([LOST])
    server = await start(SEND, perform)
    await server.end(await server.post("f", b'{"n": 1}'), RunState.PARKED)
    assert attempts(server) == {("f", "send", "unknown"): 1}
    assert runs(server) == {("f", "parked"): 1}


async def test_a_result_that_is_only_read_again_is_no_attempt(start: Start) -> None:
    begun = asyncio.Event()

    async def hang(call: Call) -> Any:
        if call.spec.id == "put_r":
            return 1
        begun.set()
        await asyncio.sleep(60)
        return None

    two = 'flow f\non webhook {n: int}\n  -> put "a" with {n} as r\n  -> put "b" with {r} as s\n'
    run_id = await (await start(two, hang)).post("f", b'{"n": 3}')
    await begun.wait()
    server = await start(two, scripted([2])[0])
    await server.end(run_id)
    assert attempts(server) == {("f", "put_s", "done"): 1}


async def test_how_long_an_attempt_took_is_what_the_timer_says() -> None:
    ticks = iter((10.0, 13.0))
    counts = EngineCounts(lambda: next(ticks))

    async def attempt() -> str:
        return "given"

    class Spec:
        id, verb = "put_a", "put"

    assert await counts.attempt("f", Spec(), attempt()) == "given"  # type: ignore[arg-type]  # all that is asked of it
    assert counts.step_seconds["put"].sum == 3.0
