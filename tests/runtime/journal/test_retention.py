"""Retention: what is over goes, a slice at a time; what somebody may still need does not."""

import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from runtime.journal import SqliteJournal, bounds, retention
from runtime.journal.database import open_reading
from runtime.journal.rows import Kind, RunState
from runtime.journal.writes import Await, Move, Prune
from tests.runtime.journal.made import NOW, accept, keep_plan, move, record

DAY = 86_400_000
TABLES = ("runs", "deliveries", "steps", "waiters")


async def ids(journal: SqliteJournal) -> list[str]:
    return [run.id for run in reversed(await journal.runs(limit=999))]


async def rows(journal: SqliteJournal) -> dict[str, int]:
    def count(connection: apsw.Connection) -> dict[str, int]:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").get for table in TABLES}  # noqa: S608

    return await journal.read(count)


async def plans(journal: SqliteJournal) -> list[str]:
    return await journal.read(lambda c: [str(p) for (p,) in c.execute("SELECT plan FROM plans ORDER BY plan")])


@pytest.mark.parametrize(
    ("state", "keep", "days"),
    [
        (RunState.DONE, None, 30),
        (RunState.STOPPED, None, 30),
        (RunState.CANCELLED, None, 30),
        (RunState.DEAD, None, 90),
        (RunState.DONE, 7 * DAY, 7),
        (RunState.DEAD, 7 * DAY, 7),
        (RunState.DEAD, 365 * DAY, 365),
    ],
)
async def test_a_run_is_kept_so_long_after_its_end(
    journal: SqliteJournal, state: RunState, keep: int | None, days: int
) -> None:
    await journal.commit(run := accept("a", keep=keep))
    await journal.commit(Move(run.seq, state, NOW + DAY))
    await journal.commit(Prune(NOW + (days + 1) * DAY - 1))
    assert await ids(journal) == ["a"]
    await journal.commit(Prune(NOW + (days + 1) * DAY))
    assert await ids(journal) == []


@pytest.mark.parametrize("state", [RunState.ACCEPTED, RunState.RUNNING, RunState.WAITING, RunState.PARKED])
async def test_nothing_goes_of_a_run_that_has_not_ended(journal: SqliteJournal, state: RunState) -> None:
    await journal.commit(run := accept("a", keep=1), keep_plan())
    await journal.commit(record(run.seq), Await(run.seq, "w", b"", "paid", "k", NOW, NOW + 9))
    before = await rows(journal)
    await journal.commit(move(run.seq, state))
    await journal.commit(Prune(NOW + 999 * DAY, plans=frozenset()))
    assert (await rows(journal), await plans(journal)) == (before, ["plan1"])


async def test_all_that_is_kept_of_a_run_goes_with_it(journal: SqliteJournal) -> None:
    await journal.commit(gone := accept("gone", keep=1), stays := accept("stays"))
    for run in (gone, stays):
        await journal.commit(record(run.seq, "a"), record(run.seq, "l", Kind.LOG))
        await journal.commit(Await(run.seq, "w", b"", "paid", "k", NOW, NOW + 9))
    await journal.commit(move(gone.seq, RunState.DONE), move(stays.seq, RunState.DONE))
    await journal.commit(prune := Prune(NOW + DAY))
    assert await rows(journal) == {"runs": 1, "deliveries": 1, "steps": 3, "waiters": 1}
    assert not prune.more


async def test_what_is_over_first_goes_first_and_each_slice_says_whether_there_is_more(journal: SqliteJournal) -> None:
    await journal.commit(*(accept(f"r{n}", keep=10 - n) for n in range(5)))
    await journal.commit(*(move(n, RunState.DONE) for n in range(1, 6)))
    seen = []
    for _ in range(3):
        await journal.commit(prune := Prune(NOW + DAY, slice=2))
        seen.append((await ids(journal), prune.more))
    assert seen == [(["r0", "r1", "r2"], True), (["r0"], True), ([], False)]


async def test_a_slice_that_has_no_time_does_one_piece_of_work(journal: SqliteJournal) -> None:
    await journal.commit(*(accept(f"r{n}", keep=1) for n in range(3)))
    await journal.commit(*(move(n, RunState.DONE) for n in range(1, 4)))
    for left in (2, 1, 0):
        await journal.commit(prune := Prune(NOW + DAY, seconds=0))
        assert (len(await ids(journal)), prune.more) == (left, True)
    await journal.commit(prune := Prune(NOW + DAY, seconds=0))
    assert not prune.more


async def test_a_run_of_many_records_goes_over_several_slices_and_its_row_last(journal: SqliteJournal) -> None:
    await journal.commit(run := accept("a", keep=1))
    await journal.commit(*(record(run.seq, f"s[{n}]") for n in range(120)))
    await journal.commit(move(run.seq, RunState.DONE))
    seen = []
    for _ in range(3):
        await journal.commit(Prune(NOW + DAY, seconds=0))
        found = await rows(journal)
        seen.append((found["steps"], found["runs"]))
    assert seen == [(70, 1), (20, 1), (0, 0)]


async def test_a_key_outlives_its_run_as_long_as_the_flow_says(journal: SqliteJournal) -> None:
    first = accept("first", keep=1)
    first.dedupe, first.dedupe_until = b"k", NOW + 9 * DAY
    await journal.commit(first)
    await journal.commit(move(first.seq, RunState.DONE))
    await journal.commit(Prune(NOW + DAY))
    assert await ids(journal) == []
    repeat = accept("again")
    repeat.dedupe, repeat.dedupe_until, repeat.received_at = b"k", NOW + 9 * DAY, NOW + 9 * DAY - 1
    await journal.commit(repeat)
    assert (repeat.first, await ids(journal)) == ("first", [])


async def test_numbers_of_runs_that_went_are_not_given_again(journal: SqliteJournal) -> None:
    await journal.commit(accept("a", keep=1))
    await journal.commit(move(1, RunState.DONE))
    await journal.commit(Prune(NOW + DAY))
    await journal.commit(again := accept("b"))
    assert again.seq == 2


async def test_a_plan_goes_with_its_last_run_once_no_new_ones_may_begin_on_it(journal: SqliteJournal) -> None:
    old, young = accept("old", keep=1), accept("young", keep=5)
    young.plan = "plan2"
    await journal.commit(keep_plan("plan1"), keep_plan("plan2"), keep_plan("plan3"), old, young)
    await journal.commit(move(old.seq, RunState.DONE))
    await journal.commit(Prune(NOW, frozenset({"plan2"})))
    assert await plans(journal) == ["plan1", "plan2"]
    await journal.commit(Prune(NOW + 2, frozenset({"plan2"})))
    assert await plans(journal) == ["plan2"]
    await journal.commit(Prune(NOW + 2, frozenset({"plan3"})))
    assert await plans(journal) == ["plan2"]
    await journal.commit(move(young.seq, RunState.DONE))
    await journal.commit(Prune(NOW + 9, frozenset({"plan3"})))
    assert await plans(journal) == []


async def test_a_plan_that_comes_back_into_use_is_kept_for_its_new_runs(journal: SqliteJournal) -> None:
    await journal.commit(keep_plan("plan1"), accept("a", keep=1))
    await journal.commit(move(1, RunState.DONE))
    await journal.commit(Prune(NOW, frozenset()))
    await journal.commit(keep_plan("plan1"))
    await journal.commit(accept("b"))
    await journal.commit(Prune(NOW + 9, frozenset()))
    assert (await ids(journal), await plans(journal)) == (["b"], ["plan1"])


async def test_without_a_list_of_plans_none_is_forgotten(journal: SqliteJournal) -> None:
    await journal.commit(keep_plan())
    await journal.commit(Prune(NOW + 999 * DAY))
    assert await plans(journal) == ["plan1"]


@pytest.fixture
def size(journal: SqliteJournal) -> Callable[[], Awaitable[int]]:
    """Pages of the file."""

    async def pages() -> int:
        return await journal.read(lambda c: int(c.pragma("page_count")))

    return pages


async def test_the_file_gives_back_what_was_freed(
    journal: SqliteJournal, size: Callable[[], Awaitable[int]], folder: Path
) -> None:
    await journal.commit(*(accept(f"r{n}", keep=1, body=b"x" * 1_000_000) for n in range(12)))
    await journal.commit(*(move(n, RunState.DONE) for n in range(1, 13)))
    full = await size()
    slices = 0
    while (await _pruned(journal)).more:
        slices += 1
        assert slices < 500
    assert full > 2900
    assert await size() < 1200
    await journal.close()
    assert (folder / "seta.db").stat().st_size < 1200 * 4096


async def _pruned(journal: SqliteJournal) -> Prune:
    await journal.commit(prune := Prune(NOW + DAY))
    return prune


async def test_what_is_over_is_found_by_an_index(journal: SqliteJournal) -> None:
    rows = await journal.read(lambda c: list(c.execute(f"EXPLAIN QUERY PLAN {retention.OVER}", (1, 1))))
    assert [row[3] for row in rows] == ["SEARCH runs USING INDEX runs_over (<expr><?)"]


def read_until(stop: threading.Event, path: Path, offset: float) -> None:
    """Read again and again, each time for 40 ms."""
    connection = open_reading(path)
    stop.wait(offset)
    while not stop.is_set():
        connection.execute("BEGIN; SELECT count(*) FROM runs").fetchall()
        stop.wait(0.04)
        connection.execute("ROLLBACK")
    connection.close()


async def test_the_log_stays_bounded_although_somebody_always_reads(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "LONG_LOG_PAGES", 2_000)
    stop = threading.Event()
    with ThreadPoolExecutor(2) as readers:
        for offset in (0, 0.02):
            readers.submit(read_until, stop, journal.path, offset)
        for _ in range(150):
            await journal.commit(accept(body=b"x" * 400_000))
        stop.set()
    log = journal.path.with_name("seta.db-wal").stat().st_size
    assert log < 24_000_000, f"of 60 MB that were written, the log holds {log / 1e6:.0f} MB"


async def test_a_read_that_does_not_end_holds_commits_up_once_until_the_log_has_grown_as_much_again(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bounds, "LONG_LOG_PAGES", 2_000)
    reading = open_reading(journal.path)
    reading.execute("BEGIN; SELECT count(*) FROM runs").fetchall()
    for _ in range(35):  # 100 pages each
        await journal.commit(accept(body=b"x" * 400_000))
    assert [record.message for record in caplog.records] == [
        "the journal's log could not be copied: database is locked"
    ]
    reading.close()
    for _ in range(30):
        await journal.commit(accept(body=b"x" * 400_000))
    log = journal.path.with_name("seta.db-wal").stat().st_size
    assert log < 20_000_000, f"of 26 MB that were written, the log holds {log / 1e6:.0f} MB"
