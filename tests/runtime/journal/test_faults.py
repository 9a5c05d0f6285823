"""What goes wrong with disks and processes, and what is still true afterwards."""

import asyncio
import random
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import apsw
import pytest

from runtime.journal import SqliteJournal, bounds, database, open_journal, writer
from runtime.journal.protocol import JournalError
from tests.runtime.journal.conftest import Open
from tests.runtime.journal.faulty_disk import FaultyDisk, faulty_disk
from tests.runtime.journal.made import NOW, accept, record

WRITE_UNTIL_KILLED = Path(__file__).with_name("write_until_killed.py")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer sees to itself after a moment."""
    monkeypatch.setattr(writer, "QUIET_SECONDS", 0.02)


@pytest.fixture
def disk() -> Iterator[FaultyDisk]:
    with faulty_disk() as disk:
        yield disk


@pytest.fixture
async def journal(disk: FaultyDisk, folder: Path) -> AsyncIterator[SqliteJournal]:
    """A journal on a disk that may fail."""
    journal = await open_journal(folder, clock=lambda: NOW)
    yield journal
    disk.write_fails = disk.sync_fails = None
    await journal.close()


async def healed(journal: SqliteJournal) -> None:
    async with asyncio.timeout(10):
        while journal.healthy() is not None:  # nothing tells of it
            await asyncio.sleep(0.005)


async def ids(journal: SqliteJournal) -> list[str]:
    return [run.run_id for run in await journal.open_runs(0, 99_999)]


@pytest.mark.parametrize("where", ["write_fails", "sync_fails"])
@pytest.mark.parametrize(("error", "full"), [(apsw.IOError("torn cable"), False), (apsw.FullError("no room"), True)])
async def test_a_batch_that_the_disk_refuses_fails_whole_and_the_journal_heals(
    journal: SqliteJournal, disk: FaultyDisk, where: str, error: apsw.Error, *, full: bool
) -> None:
    await journal.commit(accept("before"))
    setattr(disk, where, error)
    refused = [accept(), accept()]
    with pytest.raises(JournalError) as caught:
        await journal.commit(*refused)
    assert caught.value.full is full
    assert journal.room() is not full
    assert [write.seq for write in refused] == [0, 0]
    assert journal.healthy() == f"{type(error).__name__}: {error}"
    assert await ids(journal) == ["before"]
    await asyncio.sleep(0.1)  # several tries
    assert journal.healthy() is not None
    setattr(disk, where, None)
    await healed(journal)
    await journal.commit(accept("after"))
    assert await ids(journal) == ["before", "after"]


async def test_what_a_batch_left_in_the_log_does_not_come_back(
    journal: SqliteJournal, disk: FaultyDisk, opened: Open
) -> None:
    disk.sync_fails = apsw.IOError("torn cable")
    for _ in range(3):
        with pytest.raises(JournalError):
            await journal.commit(accept())
    disk.sync_fails = None
    await journal.commit(accept("x"))
    await journal.close()
    assert await ids(await opened()) == ["x"]


async def test_a_connection_that_became_useless_is_opened_anew(journal: SqliteJournal) -> None:
    await journal.commit(accept("x"))
    connection = journal._writer._connection  # noqa: SLF001  # nothing else makes it useless
    assert connection is not None
    connection.close()
    with pytest.raises(JournalError, match="ConnectionClosedError"):
        await journal.commit(accept())
    await healed(journal)
    await journal.commit(accept("y"))
    assert await ids(journal) == ["x", "y"]


async def test_trouble_is_logged_once_and_its_end_too(
    journal: SqliteJournal, disk: FaultyDisk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.sync_fails = apsw.IOError("torn cable")
    with pytest.raises(JournalError):
        await journal.commit(accept())
    await asyncio.sleep(0.1)
    disk.sync_fails = None
    await healed(journal)
    assert [entry.getMessage() for entry in caplog.records] == [
        "a commit failed (writes: 1): IOError: torn cable",
        "the journal is written again",
    ]


async def test_a_commit_heals_the_journal_as_well_as_a_try(journal: SqliteJournal, disk: FaultyDisk) -> None:
    disk.write_fails = apsw.FullError("no room")
    with pytest.raises(JournalError):
        await journal.commit(accept())
    disk.write_fails = None
    await journal.commit(accept())
    assert journal.healthy() is None


async def test_an_effect_that_meets_a_full_disk_fails_the_batch(journal: SqliteJournal, disk: FaultyDisk) -> None:
    def effect(connection: apsw.Connection) -> object:
        disk.write_fails = apsw.FullError("no room")
        connection.execute("INSERT INTO meta VALUES ('large', zeroblob(64000000))")  # more than memory may hold
        return None

    await journal.commit(one := accept("x"))
    with pytest.raises(JournalError) as caught:
        await journal.commit(accept(), record(one.seq, effect=effect))
    assert caught.value.full
    disk.write_fails = None
    await healed(journal)
    assert await ids(journal) == ["x"]


async def test_a_log_that_cannot_be_copied_harms_no_commit(
    journal: SqliteJournal, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bounds, "LOG_PAGES", 1)
    disk.only = "seta.db"
    disk.sync_fails = apsw.IOError("torn cable")
    for _ in range(3):
        await journal.commit(accept())
    assert len(await ids(journal)) == 3
    assert journal.healthy() is None
    assert "the journal's log could not be copied: torn cable" in caplog.messages


async def test_a_writer_that_dies_leaves_nobody_waiting(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    await journal.commit(accept())
    monkeypatch.setattr(writer.Writer, "_checkpoint", fail)
    monkeypatch.setattr(bounds, "LOG_PAGES", 1)
    commits = [journal.commit(accept()) for _ in range(2000)]
    results = await asyncio.gather(*commits, journal.empty_log(), return_exceptions=True)
    refusals = {"the journal's writer died", "the journal is closed"}  # to who came before it, and after
    assert {str(result) for result in results[:-1]} <= {"None", *refusals}
    assert str(results[-1]) in refusals
    await asyncio.sleep(0.01)
    assert journal.healthy() == "the journal's writer died"
    with pytest.raises(JournalError, match="the journal is closed"):
        await journal.commit(accept())
    assert "the journal's writer died" in caplog.messages


@pytest.fixture(params=range(8))
def chance(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> random.Random:
    """Chance that is the same every time, and the log copied more often or less."""
    chance = random.Random(request.param)  # no secret
    monkeypatch.setattr(bounds, "LOG_PAGES", chance.choice([5, 50, 1000]))
    return chance


async def test_after_a_power_cut_all_that_was_committed_is_there(
    journal: SqliteJournal, disk: FaultyDisk, opened: Open, chance: random.Random
) -> None:
    folder = journal.path.parent
    acknowledged: list[str] = []

    async def deliver() -> None:
        for _ in range(40):
            one = accept(body=chance.randbytes(chance.choice([10, 5000])))
            await journal.commit(one)
            acknowledged.append(one.run_id)

    tasks = [asyncio.create_task(deliver()) for _ in range(8)]
    for number in range(3):
        await asyncio.sleep(chance.random() / 50)
        before = set(acknowledged)
        disk.cut(folder, folder.with_name(str(number)), chance)
        survivor = await opened(folder.with_name(str(number)))
        assert before <= set(await ids(survivor))
        assert await survivor.read(lambda c: c.pragma("integrity_check")) == "ok"
    await asyncio.gather(*tasks)


async def test_with_lesser_syncs_a_power_cut_loses_deliveries(
    disk: FaultyDisk, folder: Path, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the test before this one can fail."""
    monkeypatch.setattr(database, "_WRITING", database._WRITING.replace("= FULL", "= NORMAL"))  # noqa: SLF001
    journal = await opened()
    await journal.commit(accept("x", body=b"x" * 5000))
    disk.cut(folder, tmp_path / "cut", random.Random(1))  # no secret
    monkeypatch.undo()
    survivor = await opened(tmp_path / "cut")
    assert await ids(survivor) == []


@pytest.mark.parametrize("lines", [1, 7, 60, 300])
async def test_after_kill_9_all_that_was_acknowledged_is_there(opened: Open, folder: Path, lines: int) -> None:
    command = [sys.executable, str(WRITE_UNTIL_KILLED), str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().split() for _ in range(lines)]
    process.kill()
    acknowledged += [line.split() for line in process.stdout.readlines() if line.endswith("\n")]
    process.communicate()
    journal = await opened(wait=10)
    kept = {run.run_id: run.seq for run in await journal.open_runs(0, 999_999)}
    assert {run_id: kept.get(run_id) for run_id, _ in acknowledged} == {
        run_id: int(seq) for run_id, seq in acknowledged
    }
    assert await journal.read(lambda c: c.pragma("integrity_check")) == "ok"


async def test_writes_that_wait_long_are_told_until_they_are_on_disk(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SLOW_SECONDS", 0.05)
    await journal.commit(one := accept())
    free = threading.Event()

    def hang(connection: apsw.Connection) -> object:  # noqa: ARG001  # as a disk that does not answer
        return free.wait(10)

    hanging = journal.commit(record(one.seq, effect=hang))
    behind = journal.commit(accept())
    async with asyncio.timeout(10):
        while journal.healthy() != "a commit takes over 0.05 s: the disk is slow":
            await asyncio.sleep(0.005)
    assert journal.committed_ago() > 0.05
    free.set()
    await asyncio.gather(hanging, behind)
    assert journal.healthy() is None
    assert journal.committed_ago() < 5


async def test_a_commit_of_nothing_is_a_commit(journal: SqliteJournal) -> None:
    before = journal.commits
    await journal.commit()
    assert journal.commits == before + 1
