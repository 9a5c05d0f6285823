"""Events: who is told of one, when it counts, and how long it is kept."""

import logging
from typing import Any

import apsw
import pytest

from runtime.journal import SqliteJournal
from runtime.journal.rows import Kind, RunState
from runtime.journal.writes import Await, Emit, Prune
from tests.runtime.journal.made import NOW, accept, move, record


@pytest.fixture
async def journal(journal: SqliteJournal) -> SqliteJournal:
    """A journal with three runs: 1 and 2 wait, 3 emits."""
    await journal.commit(accept("a"), accept("b"), accept("c"))
    return journal


def wait(run: int = 1, step: str = "w", *, at: int = NOW, until: int = NOW + 10, **rest: Any) -> Await:
    """A step that waits for `paid`."""
    return Await(run, step, b"", "paid", rest.get("key", "k"), at, until, rest.get("after", 0))


def emit(step: str, key: str = "k", value: bytes = b"1", *, at: int = NOW, expires_at: int = NOW + 99) -> Emit:
    """A step of run 3 that emits `paid`."""
    return Emit(3, step, b"", "paid", key, value, at, expires_at)


async def kinds(journal: SqliteJournal, run: int = 1) -> list[tuple[str, Kind, bytes]]:
    return [(row.step, row.kind, row.value) for row in await journal.steps(run)]


async def test_a_step_waits_until_an_event_comes(journal: SqliteJournal) -> None:
    await journal.commit(first := wait())
    assert (first.number, first.failure, await kinds(journal)) == (0, None, [("w", Kind.TIMER, b"%d" % (NOW + 10))])
    await journal.commit(again := wait(at=NOW + 3, until=NOW + 13))
    assert (again.number, again.until) == (0, NOW + 10)
    await journal.commit(emit("e", value=b'{"v":1}', at=NOW + 5), now := wait(at=NOW + 6))
    assert (now.number, now.value) == (1, b'{"v":1}')
    assert await kinds(journal) == [("w", Kind.RESULT, b'{"event":1,"value":{"v":1}}')]
    await journal.commit(over := wait())
    assert over.lost


async def test_runs_that_wait_are_due_at_once(journal: SqliteJournal) -> None:
    await journal.commit(wait(1), wait(2, key="other"))
    await journal.commit(*(move(run, RunState.WAITING, wake_at=NOW + 10) for run in (1, 2)))
    await journal.commit(write := emit("e", at=NOW + 2))
    assert write.woken == 1
    assert [(run.seq, run.wake_at) for run in await journal.due_runs(NOW + 2, 9)] == [(1, NOW + 2)]


@pytest.mark.parametrize("together", [False, True])
async def test_a_run_that_goes_to_wait_after_the_event_is_due_at_once(
    journal: SqliteJournal, *, together: bool
) -> None:
    await journal.commit(wait(1), wait(2, key="other"))
    await journal.commit(emit("e"))
    moves = [move(run, RunState.WAITING, wake_at=NOW + 10) for run in (1, 2)]
    if together:
        await journal.commit(*moves, record(3))
    else:
        for one in moves:
            await journal.commit(one)
    assert [run.seq for run in await journal.due_runs(NOW, 9)] == [1]
    assert await journal.next_wake() == 0  # by every clock


async def test_what_came_before_the_run_does_not_count(journal: SqliteJournal) -> None:
    await journal.commit(emit("e"), accept("d"))
    await journal.commit(early := wait(1), late := wait(4))
    assert (early.number, late.number) == (1, 0)


@pytest.mark.parametrize(("at", "number"), [(NOW + 10, 1), (NOW + 11, 0)])
async def test_an_event_counts_up_to_the_end_of_the_time(journal: SqliteJournal, at: int, number: int) -> None:
    await journal.commit(wait())
    await journal.commit(emit("e", at=at))
    await journal.commit(late := wait(at=NOW + 50))
    assert late.number == number
    assert (late.failure is None) == bool(number)


async def test_when_the_time_is_over_the_step_fails(journal: SqliteJournal) -> None:
    await journal.commit(wait())
    await journal.commit(late := wait(at=NOW + 10))
    assert late.failure is not None
    assert (late.failure.code, late.failure.message) == ("timeout", "no event paid came in time")
    assert await kinds(journal) == [("w", Kind.FAILED, b'{"code":"timeout","message":"no event paid came in time"}')]
    await journal.commit(event := emit("e"))
    assert event.woken == 0


async def test_events_are_taken_in_their_order_each_after_the_one_before(journal: SqliteJournal) -> None:
    await journal.commit(*(emit(f"e{n}", value=b"%d" % n) for n in range(1, 4)))
    numbers, after = [], 0
    for step in "abc":
        await journal.commit(one := wait(step=step, after=after))
        after = one.number
        numbers.append((one.number, one.value))
    assert numbers == [(1, b"1"), (2, b"2"), (3, b"3")]


async def test_an_event_is_emitted_once(journal: SqliteJournal) -> None:
    await journal.commit(emit("e"))
    await journal.commit(again := emit("e"))
    assert (again.lost, await journal.read(lambda c: c.execute("SELECT count(*) FROM events").get)) == (True, 1)


async def test_a_run_that_is_not_open_neither_waits_nor_emits(journal: SqliteJournal) -> None:
    await journal.commit(move(1, RunState.DONE), move(3, RunState.PARKED))
    await journal.commit(waiting := wait(), emitting := emit("e"))
    assert (waiting.lost, emitting.lost) == (True, True)
    assert await journal.read(lambda c: c.execute("SELECT count(*) FROM events, waiters").get) == 0


async def test_an_event_that_is_no_longer_kept_does_not_count_for_who_begins_to_wait(journal: SqliteJournal) -> None:
    await journal.commit(wait(1))
    await journal.commit(emit("e", at=NOW + 5, expires_at=NOW + 6))
    await journal.commit(before := wait(1, at=NOW + 9), late := wait(2, at=NOW + 9, until=NOW + 99))
    assert (before.number, late.number) == (1, 0)


async def test_pruning_keeps_what_somebody_waits_for(journal: SqliteJournal) -> None:
    await journal.commit(wait(1, key="a"), wait(2, key="b"))
    await journal.commit(*(emit(key, key, expires_at=NOW + 1) for key in "abcd"), emit("young"))
    await journal.commit(move(1, RunState.PARKED), move(2, RunState.CANCELLED))
    await journal.commit(prune := Prune(NOW + 1))
    kept = await journal.read(lambda c: c.execute("SELECT key FROM events ORDER BY n").fetchall())
    assert (prune.more, kept) == (False, [("a",), ("k",)])


async def test_a_write_that_cannot_be_kept_is_a_failure_and_leaves_nothing(
    journal: SqliteJournal, caplog: pytest.LogCaptureFixture
) -> None:
    writes = (wait(1, key="\ud800"), emit("e", key="\ud800"))
    await journal.commit(*writes, record(2))
    assert [write.failure and write.failure.code for write in writes] == ["internal", "internal"]
    assert [(step, kind) for step, kind, _ in await kinds(journal)] == [("w", Kind.FAILED)]
    assert [(step, kind) for step, kind, _ in await kinds(journal, 3)] == [("e", Kind.FAILED)]
    assert [step for step, _, _ in await kinds(journal, 2)] == ["a"]
    assert [entry.levelno for entry in caplog.records] == [logging.ERROR] * 2
    assert await journal.read(lambda c: c.execute("SELECT count(*) FROM events, waiters").get) == 0


@pytest.mark.parametrize(
    ("table", "query", "index"),
    [
        ("waiters", "SELECT run FROM waiters WHERE event = 'x' AND key = 'y'", "waiters_event (event=? AND key=?)"),
        (
            "events",
            "SELECT n FROM events WHERE name = 'x' AND key = 'y' AND n > 1",
            "events_key (name=? AND key=? AND n>?)",
        ),
        (
            "events",
            "SELECT n FROM events WHERE expires_at <= 1 ORDER BY expires_at LIMIT 2",
            "events_expires (expires_at<?)",
        ),
        ("dedupe", "SELECT flow, key FROM dedupe WHERE expires_at <= 1 LIMIT 2", "dedupe_expires (expires_at<?)"),
        ("dedupe", "SELECT answer FROM dedupe WHERE run = 'x'", "dedupe_run (run=?)"),
    ],
)
async def test_nothing_is_looked_for_in_all(journal: SqliteJournal, table: str, query: str, index: str) -> None:
    def plan(connection: apsw.Connection) -> str:
        return str(next(connection.execute(f"EXPLAIN QUERY PLAN {query}"))[3])

    assert (await journal.read(plan)).replace("COVERING ", "") == f"SEARCH {table} USING INDEX {index}"
