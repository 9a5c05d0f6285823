"""Step records, and effects that run inside the commit."""

import logging
from typing import Any

import apsw
import pytest

from runtime.failures import Kind as FailureKind
from runtime.failures import StepFailure
from runtime.journal import SqliteJournal, Tables
from runtime.journal.rows import Kind, RunState
from runtime.journal.writes import Move, Record
from tests.runtime.journal.conftest import Open
from tests.runtime.journal.made import NOW, accept, move, record

NOTES = Tables("notes", ("CREATE TABLE notes (text TEXT NOT NULL UNIQUE) STRICT",))


@pytest.fixture
async def journal(opened: Open) -> SqliteJournal:
    """A journal with a run and a table for effects."""
    journal = await opened(tables=(NOTES,))
    await journal.commit(accept("x"))
    return journal


def note(text: str, gives: object = None, fails: Exception | None = None) -> Any:
    """An effect that writes a note."""

    def effect(connection: apsw.Connection) -> object:
        connection.execute("INSERT INTO notes VALUES (?)", (text,))
        if fails is not None:
            raise fails
        return gives

    return effect


async def notes(journal: SqliteJournal) -> list[str]:
    rows = await journal.read(lambda c: list(c.execute("SELECT text FROM notes ORDER BY rowid")))
    return [str(text) for (text,) in rows]


async def kinds(journal: SqliteJournal) -> list[tuple[str, str, bytes]]:
    return [(row.step, row.kind.value, row.value) for row in await journal.steps(1)]


async def test_a_record_keeps_all_that_it_says(journal: SqliteJournal) -> None:
    await journal.commit(Record(1, "put[3]", Kind.RESULT, b"\x00hash", NOW, attempt=4, value=b'{"id":1}'))
    (row,) = await journal.steps(1)
    assert (row.step, row.kind, row.args, row.value, row.attempt, row.at) == (
        "put[3]",
        Kind.RESULT,
        b"\x00hash",
        b'{"id":1}',
        4,
        NOW,
    )


REPLACES = {
    (Kind.STARTED, Kind.TRIED),
    (Kind.STARTED, Kind.RESULT),
    (Kind.STARTED, Kind.FAILED),
    (Kind.TRIED, Kind.TRIED),  # the values are not the same
    (Kind.TRIED, Kind.RESULT),
    (Kind.TRIED, Kind.FAILED),
    (Kind.TIMER, Kind.RESULT),
    (Kind.TIMER, Kind.FAILED),
    (Kind.LENT, Kind.STARTED),
    (Kind.LENT, Kind.TRIED),
    (Kind.LENT, Kind.TIMER),
    (Kind.LENT, Kind.RESULT),
    (Kind.LENT, Kind.FAILED),
}


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("later", Kind)
@pytest.mark.parametrize("first", Kind)
async def test_only_what_is_begun_gives_way(
    journal: SqliteJournal, first: Kind, later: Kind, *, together: bool
) -> None:
    writes = [record(1, kind=first, value=b"1"), record(1, kind=later, value=b"2")]
    if together:
        await journal.commit(*writes, record(1, "b"))
    else:
        for write in writes:
            await journal.commit(write)
    assert [write.lost for write in writes] == [False, (first, later) not in REPLACES]
    kept = (later.value, b"2") if (first, later) in REPLACES else (first.value, b"1")
    assert ("a", *kept) in await kinds(journal)


async def test_a_later_attempt_is_started_anew(journal: SqliteJournal) -> None:
    attempts = [Record(1, "a", Kind.STARTED, b"", NOW, attempt=attempt) for attempt in (1, 2, 2, 1)]
    for write in attempts:
        await journal.commit(write)
    assert [write.lost for write in attempts] == [False, False, True, True]
    assert [(row.step, row.kind, row.attempt) for row in await journal.steps(1)] == [("a", Kind.STARTED, 2)]


async def test_what_waits_for_its_attempt_may_wait_again_until_another_instant(journal: SqliteJournal) -> None:
    """Whatever the clock says meanwhile."""
    instants = [(NOW, b"1"), (NOW, b"1"), (NOW, b"2"), (NOW - 9, b"3")]
    waits = [Record(1, "a", Kind.TRIED, b"", at, attempt=1, value=value) for at, value in instants]
    for write in waits:
        await journal.commit(write)
    assert [write.lost for write in waits] == [False, True, False, False]


async def test_an_attempt_that_had_begun_may_turn_out_not_to_be_made(journal: SqliteJournal) -> None:
    kinds = [Kind.STARTED, Kind.TRIED, Kind.STARTED, Kind.TRIED]
    numbers = [2, 1, 2, 0]
    writes = [Record(1, "a", kind, b"", NOW, attempt=n) for kind, n in zip(kinds, numbers, strict=True)]
    for write in writes:
        await journal.commit(write)
    assert [write.lost for write in writes] == [False, False, False, True]


async def test_attempts_follow_each_other_in_their_order(journal: SqliteJournal) -> None:
    kinds = [Kind.STARTED, Kind.TRIED, Kind.TRIED, Kind.STARTED, Kind.STARTED, Kind.TRIED, Kind.TRIED, Kind.RESULT]
    numbers = [1, 1, 1, 1, 2, 1, 2, 2]
    writes = [Record(1, "a", kind, b"", NOW, attempt=n) for kind, n in zip(kinds, numbers, strict=True)]
    for write in writes:
        await journal.commit(write)
    assert [write.lost for write in writes] == [False, False, True, True, False, False, False, False]
    assert [(row.kind, row.attempt) for row in await journal.steps(1)] == [(Kind.RESULT, 2)]


async def test_records_come_in_the_order_of_their_commits(journal: SqliteJournal) -> None:
    await journal.commit(record(1, "a", Kind.STARTED), record(1, "b"), record(1, "t", Kind.TIMER))
    await journal.commit(record(1, "c"))
    await journal.commit(record(1, "t"), record(1, "a"), record(1, "d"))
    assert [row.step for row in await journal.steps(1)] == ["b", "c", "t", "a", "d"]


async def test_a_record_and_its_run_s_end_go_together(journal: SqliteJournal) -> None:
    writes: list[Any] = [record(1, "a"), move(1, RunState.DONE), record(1, "b"), move(1, RunState.DEAD)]
    await journal.commit(*writes)
    assert [write.lost for write in writes] == [False, False, True, True]
    assert [row.state for row in await journal.runs(limit=5)] == [RunState.DONE]


async def test_an_effect_is_kept_with_its_record(journal: SqliteJournal) -> None:
    write = record(1, effect=note("hello", gives={"id": "7"}))
    await journal.commit(write)
    assert (write.outcome, write.failure, write.lost) == ({"id": "7"}, None, False)
    assert await kinds(journal) == [("a", "result", b'{"id":"7"}')]
    assert await notes(journal) == ["hello"]


async def test_a_failing_effect_is_undone_and_its_failure_recorded(journal: SqliteJournal) -> None:
    failing = record(1, "b", effect=note("two", fails=StepFailure("bad_phone", "not a phone")))
    await journal.commit(
        record(1, "a", effect=note("one")), failing, record(1, "c", effect=note("three")), record(1, "d")
    )
    assert isinstance(failing.failure, StepFailure)
    assert (failing.failure.code, failing.outcome, failing.lost) == ("bad_phone", None, False)
    assert await notes(journal) == ["one", "three"]
    assert ("b", "failed", b'{"code":"bad_phone","message":"not a phone"}') in await kinds(journal)


@pytest.mark.parametrize("kind", [FailureKind.TRANSIENT, FailureKind.NOT_DONE])
async def test_a_failure_that_a_repeat_may_mend_is_not_recorded(journal: SqliteJournal, kind: FailureKind) -> None:
    write = record(1, effect=note("one", fails=StepFailure("later", "not now", kind)))
    await journal.commit(write)
    assert isinstance(write.failure, StepFailure)
    assert not write.lost
    assert (await kinds(journal), await notes(journal)) == ([], [])
    write.effect = note("two")
    await journal.commit(write)
    assert write.failure is None
    assert (len(await kinds(journal)), await notes(journal)) == (1, ["two"])


async def test_an_effect_with_a_bug_harms_nobody_else(journal: SqliteJournal, caplog: pytest.LogCaptureFixture) -> None:
    wrong = [
        record(1, "raises", effect=note("1", fails=KeyError("secret"))),
        record(1, "gives what JSON cannot say", effect=note("2", gives=object())),
        record(1, "speaks bad SQL", effect=lambda c: c.execute("SELECT nothing FROM nowhere").get),
        record(1, "breaks a constraint", effect=lambda c: c.execute("INSERT INTO notes VALUES (NULL)").get),
        record(1, "binds an object", effect=lambda c: c.execute("INSERT INTO notes VALUES (?)", (c,)).get),
    ]
    await journal.commit(record(1, "a", effect=note("good")), *wrong, accept("y"), record(1, "b"))
    assert [write.failure.code for write in wrong if write.failure is not None] == ["internal"] * 5
    assert await notes(journal) == ["good"]
    rows = await kinds(journal)
    assert {kind for step, kind, _ in rows if step not in {"a", "b"}} == {"failed"}
    assert rows[1] == ("raises", "failed", b'{"code":"internal","message":"KeyError in the runtime: see its log"}')
    assert len(await journal.open_runs(0, 10)) == 2
    assert [(entry.levelno, bool(entry.exc_info)) for entry in caplog.records] == [(logging.ERROR, True)] * 5


async def test_a_record_that_cannot_be_written_harms_nobody_else(journal: SqliteJournal) -> None:
    wrong, hopeless, fine = record(1, "a"), record(1, "\ud800"), record(1, "c")
    wrong.value = "text"  # type: ignore[assignment]
    await journal.commit(wrong, hopeless, fine)
    assert [write.failure and write.failure.code for write in (wrong, hopeless, fine)] == ["internal", "internal", None]
    assert [write.lost for write in (wrong, hopeless, fine)] == [False, True, False]
    assert [(step, kind) for step, kind, _ in await kinds(journal)] == [("a", "failed"), ("c", "result")]


async def test_an_effect_whose_record_cannot_be_written_is_undone(journal: SqliteJournal) -> None:
    wrong = record(1, effect=note("one"))
    wrong.args = "text"  # type: ignore[assignment]
    await journal.commit(wrong, record(1, "b", effect=note("two")))
    assert (wrong.lost, wrong.outcome) == (True, None)
    assert await notes(journal) == ["two"]
    assert [step for step, _, _ in await kinds(journal)] == ["b"]


async def test_a_move_that_cannot_be_written_is_lost_alone(journal: SqliteJournal) -> None:
    await journal.commit(accept("y"))
    wrong = Move(1, RunState.DEAD, NOW, error="text")  # type: ignore[arg-type]
    await journal.commit(wrong, move(2, RunState.DONE), accept())
    assert wrong.lost
    assert [run.state for run in await journal.runs(limit=2, flow="retomada")] == [RunState.RUNNING, RunState.DONE]


async def test_the_effect_of_a_lost_record_never_runs(journal: SqliteJournal) -> None:
    await journal.commit(record(1, "a", effect=note("one")))
    repeat = record(1, "a", effect=note("again"))
    await journal.commit(repeat, move(1, RunState.DONE))
    late = record(1, "b", effect=note("late"))
    await journal.commit(late)
    assert (repeat.lost, late.lost) == (True, True)
    assert await notes(journal) == ["one"]


async def test_an_effect_replaces_a_started_record(journal: SqliteJournal) -> None:
    await journal.commit(record(1, kind=Kind.STARTED), record(1, effect=note("one", gives=5)))
    assert await kinds(journal) == [("a", "result", b"5")]


async def test_an_effect_that_ends_the_transaction_fails_the_batch(journal: SqliteJournal) -> None:
    def effect(connection: apsw.Connection) -> object:
        connection.execute("ROLLBACK")
        raise StepFailure("hidden", "the effect does not say why")

    with pytest.raises(Exception, match="the transaction ended during an effect"):
        await journal.commit(record(1, "b"), record(1, "a", effect=effect))
    assert await kinds(journal) == []
    await journal.commit(record(1, "c"))
    assert journal.healthy() is None


@pytest.mark.parametrize("beside", [[], ["breaks the batch"]], ids=["in bulk", "one by one"])
async def test_a_started_record_with_an_effect_stays_one_and_its_failure_ends_the_step(
    journal: SqliteJournal, beside: list[str]
) -> None:
    fine = record(1, "fine", kind=Kind.STARTED, effect=note("looked"))
    refused = record(1, "refused", kind=Kind.STARTED, effect=note("undone", fails=StepFailure("opted_out", "no")))
    bad = [record(1, step, effect=note("bad", fails=KeyError("bug"))) for step in beside]
    await journal.commit(fine)
    await journal.commit(*bad, refused, record(1, "fine", kind=Kind.RESULT, effect=note("kept", gives={"id": 1})))
    assert refused.failure is not None
    assert await notes(journal) == ["looked", "kept"]
    assert [row for row in await kinds(journal) if row[0] not in beside] == [
        ("refused", "failed", b'{"code":"opted_out","message":"no"}'),
        ("fine", "result", b'{"id":1}'),
    ]
    await journal.commit(record(1, "again", kind=Kind.STARTED, effect=note("more")))
    assert (await kinds(journal))[-1][:2] == ("again", "started")
