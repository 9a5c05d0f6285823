"""Commits: what is told to whom, and when."""

import asyncio
import gc
import logging
from typing import Any

import apsw
import pytest

from runtime.journal import SqliteJournal
from runtime.journal.protocol import Journal, JournalError
from runtime.journal.rows import Kind, RunState
from runtime.journal.writer import BATCH_LIMIT
from runtime.journal.writes import Record
from tests.runtime.journal.conftest import Open
from tests.runtime.journal.made import NOW, accept, keep_plan, move, record


def take_over(journal: SqliteJournal) -> None:
    """Do to the file what a second process would do that found no lock."""
    other = apsw.Connection(str(journal.path))
    other.execute("UPDATE meta SET value = value + 1 WHERE name = 'incarnation'")
    other.close()


async def test_an_accept_becomes_a_run_with_a_sequence_number(journal: SqliteJournal) -> None:
    first, second = accept("one", body=b"{1}"), accept("two", running=False)
    await journal.commit(first, second)
    assert (first.seq, second.seq) == (1, 2)
    runs = await journal.open_runs(0, 10)
    assert [(run.run_id, run.state, run.body, run.context) for run in runs] == [
        ("one", RunState.RUNNING, b"{1}", b"[1]"),
        ("two", RunState.ACCEPTED, b"{}", b"[1]"),
    ]


async def test_sequence_numbers_are_in_order_of_handing_over(journal: SqliteJournal) -> None:
    accepts = [accept() for _ in range(300)]
    await asyncio.gather(*[journal.commit(each) for each in accepts])
    assert [each.seq for each in accepts] == list(range(1, 301))


async def test_a_sequence_number_is_never_given_twice(opened: Open) -> None:
    journal = await opened()
    await journal.commit(accept(), last := accept())
    await journal.close()
    journal = await opened()
    await journal.commit(next_one := accept())
    assert next_one.seq == last.seq + 1


async def test_what_arrives_during_a_commit_is_one_commit(journal: SqliteJournal) -> None:
    await journal.commit(accept())
    before = journal.commits
    first = journal.commit(accept())
    await asyncio.sleep(0.0005)  # the writer takes the first one
    rest = [journal.commit(accept()) for _ in range(100)]
    await asyncio.gather(first, *rest)
    assert journal.commits - before <= 2
    assert len(set(map(id, rest))) == 1


async def test_a_batch_has_a_bound(journal: SqliteJournal) -> None:
    futures = {journal.commit(accept()) for _ in range(3 * BATCH_LIMIT)}
    assert len(futures) >= 3
    await asyncio.gather(*futures)
    assert len(await journal.open_runs(0, 9999)) == 3 * BATCH_LIMIT


async def test_the_future_cannot_be_cancelled(journal: SqliteJournal) -> None:
    future = journal.commit(accept())
    assert not future.cancel()
    await future


async def test_a_cancelled_waiter_learns_after_the_commit(journal: SqliteJournal) -> None:
    seqs = []

    async def wait() -> None:
        one = accept()
        try:
            await journal.commit(one)
        finally:
            seqs.append(one.seq)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seqs == [1]


async def test_one_cancelled_waiter_does_not_disturb_another(journal: SqliteJournal) -> None:
    async def wait() -> None:
        await journal.commit(accept())

    tasks = [asyncio.create_task(wait()) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in results] == [type(None), asyncio.CancelledError, type(None)]


async def test_handing_over_nothing_waits_for_what_was_handed_over_before(journal: SqliteJournal) -> None:
    one = accept()
    journal.commit(one)
    await journal.commit()
    assert one.seq == 1


async def test_an_accept_that_cannot_be_written_is_lost_alone(
    journal: SqliteJournal, caplog: pytest.LogCaptureFixture
) -> None:
    good, twice, strange, wrong, last = accept("x"), accept("x"), accept("\ud800"), accept("y"), accept("z")
    wrong.body = "not bytes"  # type: ignore[assignment]
    await journal.commit(good, twice, strange, wrong, last)
    assert [each.lost for each in (good, twice, strange, wrong, last)] == [False, True, True, True, False]
    assert [each.seq > 0 for each in (good, twice, strange, wrong, last)] == [True, False, False, False, True]
    assert [run.run_id for run in await journal.open_runs(0, 10)] == ["x", "z"]
    assert [entry.exc_info is not None for entry in caplog.records] == [True] * 3


async def test_an_accept_that_was_lost_leaves_nothing(journal: SqliteJournal) -> None:
    wrong = accept()
    wrong.notes = None  # type: ignore[assignment]
    await journal.commit(wrong)
    assert await journal.runs(limit=9) == []
    assert await journal.read(lambda c: c.execute("SELECT count(*) FROM deliveries").get) == 0


async def test_a_plan_is_kept_once(journal: SqliteJournal) -> None:
    await journal.commit(keep_plan(bundle=b"first"))
    await journal.commit(keep_plan(bundle=b"second"))
    assert await journal.plan("plan1") == b"first"
    assert await journal.plan("plan2") is None


async def test_a_move_shows_where_a_run_stands(journal: SqliteJournal) -> None:
    await journal.commit(one := accept("x"))
    await journal.commit(move(one.seq, RunState.WAITING, wake_at=NOW + 5))
    assert await journal.next_wake() == NOW + 5
    assert await journal.due_runs(NOW + 4, 10) == []
    assert [run.run_id for run in await journal.due_runs(NOW + 5, 10)] == ["x"]
    await journal.commit(move(one.seq, RunState.RUNNING))
    assert await journal.next_wake() is None
    await journal.commit(move(one.seq, RunState.DEAD, at=NOW + 7, error=b'{"code":"x"}'))
    detail = await journal.run("x")
    assert detail is not None
    assert (detail.run.state, detail.run.ended_at) == (RunState.DEAD, NOW + 7)
    assert bytes(detail.run.error or b"") == b'{"code":"x"}'


@pytest.mark.parametrize("state", [RunState.PARKED, RunState.DEAD, RunState.DONE, RunState.STOPPED, RunState.CANCELLED])
async def test_nothing_more_is_written_of_a_run_that_is_not_open(journal: SqliteJournal, state: RunState) -> None:
    await journal.commit(one := accept("x"))
    await journal.commit(move(one.seq, state))
    late: list[Any] = [record(one.seq), move(one.seq, RunState.RUNNING), move(999, RunState.DONE), record(999)]
    await journal.commit(*late)
    assert [each.lost for each in late] == [True] * 4
    detail = await journal.run("x")
    assert detail is not None
    assert (detail.run.state, detail.steps) == (state, [])


async def test_a_lost_write_may_be_handed_over_again(journal: SqliteJournal) -> None:
    write = record(1)
    await journal.commit(write)
    assert write.lost
    await journal.commit(accept())
    await journal.commit(write, accept(), accept())
    assert not write.lost


async def test_close_commits_what_has_gathered(opened: Open) -> None:
    journal = await opened()
    futures = [journal.commit(accept()) for _ in range(2000)]
    await journal.close()
    assert all(future.done() for future in futures)
    journal = await opened()
    assert len(await journal.open_runs(0, 9999)) == 2000


async def test_after_close_nothing_is_taken_and_closing_again_does_nothing(journal: SqliteJournal) -> None:
    await journal.close()
    future = journal.commit(accept())
    with pytest.raises(JournalError, match="the journal is closed"):
        await future
    with pytest.raises(JournalError, match="the journal is closed"):
        await journal.open_runs(0, 1)
    await journal.close()


async def test_the_log_is_folded_into_the_database_at_close(opened: Open) -> None:
    journal = await opened()
    await journal.commit(accept())
    folder = journal.path.parent
    await journal.close()
    assert sorted(file.name for file in folder.iterdir()) == ["lock", "seta.db"]


async def test_another_owner_of_the_folder_stops_all_writing(journal: SqliteJournal) -> None:
    await journal.commit(one := accept())
    take_over(journal)
    writes: list[Any] = [accept(), record(one.seq), move(one.seq, RunState.DONE)]
    for write in writes:
        with pytest.raises(JournalError, match="another process has taken the data folder"):
            await journal.commit(write)
    assert journal.healthy() == "another process has taken the data folder"
    assert [run.state for run in await journal.runs(limit=10)] == [RunState.RUNNING]


async def test_a_failed_commit_that_nobody_waits_for_is_logged_and_warned_of_no_further(
    journal: SqliteJournal, caplog: pytest.LogCaptureFixture
) -> None:
    take_over(journal)
    with pytest.raises(JournalError):
        await journal.commit(record(1))
    caplog.clear()
    journal.commit(record(1), record(2))
    await journal.close()
    gc.collect()
    assert [(entry.name, entry.levelno, entry.getMessage()) for entry in caplog.records] == [
        (
            "seta.journal",
            logging.ERROR,
            "a commit failed (writes: 2): another process has taken the data folder",
        )
    ]


async def test_a_failed_commit_takes_back_what_it_had_set(journal: SqliteJournal) -> None:
    def effect(_: object) -> object:
        return "outcome"

    await journal.commit(one := accept())
    take_over(journal)
    again: list[Any] = [one, Record(1, "a", Kind.RESULT, b"", NOW, effect=effect)]
    with pytest.raises(JournalError):
        await journal.commit(*again)
    assert (again[0].seq, again[1].outcome, again[1].failure, again[1].lost) == (0, None, None, False)


async def test_it_is_a_journal(journal: SqliteJournal) -> None:
    protocol: Journal = journal  # the type checker proves it
    assert protocol.room()
    assert protocol.healthy() is None
