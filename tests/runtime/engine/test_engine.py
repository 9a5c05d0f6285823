"""Runs from acceptance to their end: live, set back, resumed, parked, dead."""

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from runtime.context import Call
from runtime.engine.engine import Limits
from runtime.failures import Kind, StepFailure
from runtime.journal.protocol import JournalError
from runtime.journal.rows import Kind as RecordKind
from runtime.journal.rows import RunState
from runtime.journal.writes import Move
from tests.runtime.engine.conftest import Server, Start, scripted

ONE = 'flow f\non webhook {n: int}\n  -> put "a" with {n} as r\n  -> log "got {n}"\n'
TWO = 'flow f\non webhook {n: int}\n  -> put "a" with {n} as r\n  -> put "b" with {r} as s\n'


def kinds(detail: Any) -> list[tuple[str, str]]:
    return [(row.step, row.kind.value) for row in detail.steps]


async def test_a_delivery_runs_at_once_and_every_result_is_recorded(start: Start) -> None:
    perform, calls = scripted([{"id": 5}])
    server = await start(ONE, perform)
    detail = await server.end(await server.post("f", b'{"n": 3}'))
    assert detail.run.state is RunState.DONE
    assert kinds(detail) == [("put_r", "result"), ("log", "log")]
    assert json.loads(detail.steps[0].value) == {"id": 5}
    assert calls[0].args == ({"n": 3},)
    assert calls[0].key.startswith(f"{detail.key}-")


async def test_a_resumed_run_takes_recorded_results_and_hands_out_the_same_key_again(start: Start) -> None:
    started = asyncio.Event()

    async def hang(call: Call) -> Any:
        if call.spec.id == "put_r":
            return 1
        keys.append(call.key)
        started.set()
        await asyncio.sleep(60)
        return None

    keys: list[str] = []
    server = await start(TWO, hang)
    run_id = await server.post("f", b'{"n": 3}')
    await started.wait()

    perform, calls = scripted([2])
    server = await start(TWO, perform)
    detail = await server.end(run_id)
    assert detail.run.state is RunState.DONE
    assert [call.spec.id for call in calls] == ["put_s"]
    assert calls[0].args == ({"r": 1},)
    assert [calls[0].key] == keys


async def test_a_pure_step_that_fails_is_a_dead_letter_with_step_place_and_reason(start: Start) -> None:
    perform, calls = scripted([1])
    server = await start('on webhook {t: text}\n  -> format_phone(t)\n  -> put "a" with {t}', perform)
    detail = await server.end(await server.post("test", b'{"t": "abc"}'))
    assert detail.run.state is RunState.DEAD
    assert json.loads(bytes(detail.run.error or b"")) == {
        "step": "format_phone_t",
        "code": "no_digits",
        "message": "the text holds no phone number",
        "attempt": 1,
        "where": "flows/test.seta:2:6",
    } | {"message": json.loads(bytes(detail.run.error or b""))["message"]}
    assert calls == []


SEND = 'flow f\non webhook {n: int}\n  -> send "a" with {n}\n'


async def test_an_effect_that_must_not_repeat_parks_when_the_process_died_under_it(start: Start) -> None:
    started = asyncio.Event()

    async def hang(_: Call) -> Any:
        started.set()
        await asyncio.sleep(60)

    server = await start(SEND, hang)
    run_id = await server.post("f", b'{"n": 3}')
    await started.wait()
    perform, calls = scripted([1])
    server = await start(SEND, perform)
    detail = await server.end(run_id)
    assert (detail.run.state, calls) == (RunState.PARKED, [])
    assert json.loads(bytes(detail.run.error or b""))["code"] == "unknown"
    assert kinds(detail) == [("send", "started")]


async def test_a_lost_answer_of_an_effect_that_must_not_repeat_parks_the_run(start: Start) -> None:
    perform, calls = scripted([StepFailure("no_answer", "lost", Kind.TRANSIENT)])
    server = await start(SEND, perform)
    detail = await server.end(await server.post("f", b'{"n": 3}'))
    assert (detail.run.state, len(calls)) == (RunState.PARKED, 1)


async def test_what_surely_did_not_happen_is_tried_again_with_the_same_key(start: Start) -> None:
    refused = StepFailure("connect", "refused", Kind.NOT_DONE)
    perform, calls = scripted([refused, refused, 1])
    server = await start(SEND.replace("{n}\n", "{n} every 1ms\n"), perform)
    detail = await server.end(await server.post("f", b'{"n": 3}'))
    assert (detail.run.state, len(calls)) == (RunState.DONE, 3)
    assert len({call.key for call in calls}) == 1
    assert [(row.kind, row.attempt) for row in detail.steps] == [(RecordKind.RESULT, 3)]


@pytest.mark.parametrize(
    ("clause", "state", "tries"), [("", RunState.DEAD, 1), (" retry 2 every 1ms", RunState.DONE, 2)]
)
async def test_a_lost_answer_of_a_keyed_effect_is_repeated_only_where_the_flow_says_retry(
    start: Start, clause: str, state: RunState, tries: int
) -> None:
    perform, calls = scripted([StepFailure("no_answer", "lost", Kind.TRANSIENT), 1])
    server = await start(f'flow f\non webhook {{n: int}}\n  -> post "a" with {{n}}{clause}\n', perform)
    detail = await server.end(await server.post("f", b'{"n": 3}'))
    assert (detail.run.state, len(calls)) == (state, tries)


async def test_after_the_last_try_the_run_is_a_dead_letter_that_says_how_often_it_was_tried(start: Start) -> None:
    perform, calls = scripted([StepFailure("http_500", "broken", Kind.TRANSIENT)])
    server = await start('flow f\non webhook {n: int}\n  -> put "a" with {n} retry 2 every 1ms\n', perform)
    detail = await server.end(await server.post("f", b'{"n": 3}'))
    error = json.loads(bytes(detail.run.error or b""))
    assert (detail.run.state, len(calls), error["attempt"], error["code"]) == (RunState.DEAD, 3, 3, "http_500")


async def test_a_permanent_failure_is_not_repeated(start: Start) -> None:
    perform, calls = scripted([StepFailure("http_404", "gone")])
    server = await start(ONE, perform)
    detail = await server.end(await server.post("f", b'{"n": 3}'))
    assert (detail.run.state, len(calls)) == (RunState.DEAD, 1)
    assert kinds(detail) == [("put_r", "failed")]


async def test_a_wait_leaves_memory_and_goes_on_even_on_another_process(start: Start) -> None:
    text = 'flow f\non webhook {n: int}\n  -> put "a" with {n}\n  -> wait 150ms\n  -> put "b" with {n}\n'
    perform, calls = scripted([1])
    server = await start(text, perform)
    run_id = await server.post("f", b'{"n": 3}')
    detail = await server.end(run_id, RunState.WAITING)
    assert server.engine.running == 0
    server = await start(text, perform)
    detail = await server.end(run_id)
    assert [call.spec.literal for call in calls] == [("a",), ("b",)]
    assert kinds(detail)[1] == ("wait", "result")


async def test_more_than_fits_waits_in_the_journal_and_runs_in_the_order_of_acceptance(start: Start) -> None:
    most, now = 0, 0
    order: list[int] = []

    async def slow(call: Call) -> Any:
        nonlocal most, now
        now += 1
        most = max(most, now)
        order.append(call.args[0]["n"])
        await asyncio.sleep(0.01)
        now -= 1
        return 1

    server = await start(ONE, slow, Limits(running=4))
    ids = [await server.post("f", b'{"n": %d}' % n) for n in range(30)]
    for run_id in ids:
        assert (await server.end(run_id)).run.state is RunState.DONE
    assert most <= 4
    assert order == sorted(order)


async def test_a_run_whose_last_record_the_journal_refused_is_read_again(start: Start) -> None:
    class Refusing:
        refused = 0

        def __init__(self, journal: Any) -> None:
            self._journal = journal

        def __getattr__(self, name: str) -> Any:
            return getattr(self._journal, name)

        def commit(self, *writes: Any) -> Any:
            if self.refused < 2 and any(isinstance(w, Move) and w.state is RunState.DONE for w in writes):
                self.refused += 1
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                future.set_exception(JournalError("disk full", full=True))
                return future
            return self._journal.commit(*writes)

    perform, calls = scripted([1])
    server = await start(ONE, perform, wrap=Refusing)
    detail = await server.end(await server.post("f", b'{"n": 3}'))
    assert (detail.run.state, len(calls)) == (RunState.DONE, 1)


async def test_a_run_ends_on_the_plan_that_it_began_with(start: Start) -> None:
    before = 'flow f\non webhook {n: int}\n  -> wait 50ms\n  -> put "old" with {n}\n'
    after = 'flow f\non webhook {n: int, more: text}\n  -> put "new" with {n}\n'
    perform, calls = scripted([1])
    server = await start(before, perform)
    run_id = await server.post("f", b'{"n": 3}')
    await server.end(run_id, RunState.WAITING)
    server = await start(after, perform)
    assert (await server.end(run_id)).run.state is RunState.DONE
    assert [call.spec.literal for call in calls] == [("old",)]


async def test_a_flow_that_goes_another_way_on_resume_parks_as_diverged(start: Start) -> None:
    gate = asyncio.Event()

    async def hang(call: Call) -> Any:
        if call.spec.id == "put_r":
            return 1
        gate.set()
        await asyncio.sleep(60)
        return None

    server = await start(TWO, hang)
    run_id = await server.post("f", b'{"n": 3}')
    await gate.wait()
    perform, calls = scripted([1])

    class Forged:
        def __init__(self, journal: Any) -> None:
            self._journal = journal

        def __getattr__(self, name: str) -> Any:
            return getattr(self._journal, name)

        async def open_runs_of(self, *page: Any) -> Any:
            runs = await self._journal.open_runs_of(*page)
            return [replace(run, steps=[replace(step, args=b"other") for step in run.steps]) for run in runs]

    server = await start(TWO, perform, wrap=Forged)
    detail = await server.end(run_id)
    assert (detail.run.state, calls) == (RunState.PARKED, [])
    assert json.loads(bytes(detail.run.error or b""))["code"] == "diverged"


async def test_stop_and_fail_end_a_run_as_they_say(start: Start) -> None:
    text = """
flow stops
on webhook {n: int}
  -> if n > 5 { -> stop }
  -> fail "n is only {n}"
"""
    perform, _ = scripted([1])
    server = await start(text, perform)
    assert (await server.end(await server.post("stops", b'{"n": 6}'))).run.state is RunState.STOPPED
    dead = await server.end(await server.post("stops", b'{"n": 4}'))
    error = json.loads(bytes(dead.run.error or b""))
    assert (error["code"], error["message"], error["step"]) == ("failed", "n is only 4", "fail")


async def test_a_fault_of_ours_is_a_dead_letter_and_the_log_shows_the_line_of_the_flow(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: Call) -> Any:
        raise ZeroDivisionError

    server = await start(ONE, broken)
    detail = await server.end(await server.post("f", b'{"n": 3}'))
    assert json.loads(bytes(detail.run.error or b""))["code"] == "internal"
    assert '-> put "a" with {n} as r' in caplog.text


async def test_stopping_lets_what_runs_end_within_the_grace(start: Start) -> None:
    entered = asyncio.Event()

    async def slow(_: Call) -> Any:
        entered.set()
        await asyncio.sleep(0.1)
        return 1

    server: Server = await start(ONE, slow)
    run_id = await server.post("f", b'{"n": 3}')
    await entered.wait()
    await server.engine.stop(grace=5)
    assert (await server.end(run_id)).run.state is RunState.DONE
