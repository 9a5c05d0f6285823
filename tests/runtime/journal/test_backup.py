"""Copies of the database while it is written, and what becomes of one that is restored."""

import asyncio
from pathlib import Path

import apsw
import pytest

from runtime.journal import JournalTooNew, NotAJournal, SqliteJournal
from runtime.journal.backup import restore
from runtime.journal.protocol import JournalError
from runtime.journal.rows import RunState
from runtime.journal.writes import Release
from tests.runtime.journal.conftest import Open
from tests.runtime.journal.made import NOW, accept, move, record


async def filled(journal: SqliteJournal) -> None:
    """Six runs, one in each of these states."""
    await journal.commit(*(accept(f"r{n}", running=n != 0) for n in range(6)))
    await journal.commit(record(2, "a"), record(5, "a"))
    states = [RunState.RUNNING, RunState.WAITING, RunState.PARKED, RunState.DEAD, RunState.DONE]
    await journal.commit(*(move(n, state, wake_at=NOW + 9, error=b'{"code":"x"}') for n, state in enumerate(states, 2)))


async def states(journal: SqliteJournal) -> list[str]:
    return [run.state.value for run in reversed(await journal.runs(limit=99))]


async def test_a_copy_holds_all_that_was_committed_before_it_although_others_write(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    before = 0
    writing = asyncio.Event()

    async def write() -> None:
        for _ in range(200):
            await journal.commit(accept(body=b"x" * 10_000))
            writing.set()

    task = asyncio.create_task(write())
    await writing.wait()
    before = len(await journal.runs(limit=999))
    await journal.backup(copy)
    await task
    with apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY) as found:
        assert found.execute("PRAGMA integrity_check").get == "ok"
        assert int(found.execute("SELECT count(*) FROM runs JOIN deliveries ON run = seq").get) >= before
    found.close()
    assert copy.stat().st_mode & 0o777 == 0o600
    assert not copy.with_name("copy.db.part").exists()


async def test_a_file_that_is_there_is_not_replaced(journal: SqliteJournal, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("precious")
    with pytest.raises(FileExistsError, match=r"there is a file .*copy\.db already"):
        await journal.backup(copy)
    assert copy.read_text() == "precious"


async def test_a_copy_that_cannot_be_written_leaves_nothing(journal: SqliteJournal, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await journal.backup(tmp_path / "nowhere" / "copy.db")


async def test_unfinished_runs_of_a_restored_copy_are_parked_until_they_are_released(
    opened: Open, tmp_path: Path
) -> None:
    first = await opened()
    await filled(first)
    before = await states(first)
    await first.backup(tmp_path / "copy.db")
    (tmp_path / "other").mkdir()
    assert restore(tmp_path / "copy.db", tmp_path / "other" / "seta.db", ()) == 3
    second = await opened(tmp_path / "other")
    assert (await states(second), second.url_key) == (["parked"] * 4 + ["dead", "done"], first.url_key)
    detail = await second.run("r2")
    assert detail is not None
    assert bytes(detail.run.error or b"").decode() == (
        '{"step":"","code":"restored","message":"restored from a backup: `seta runs release` lets it go on"}'
    )
    assert await second.next_wake() is None
    await second.commit(write := Release(2))
    await second.commit(rest := Release(2))
    await second.commit(none := Release(2))
    assert (write.released, rest.released, none.released) == (2, 1, 0)
    assert await states(second) == ["accepted"] * 3 + ["parked", "dead", "done"]
    assert await states(first) == before
    assert [row.step for row in await second.steps(2)] == ["a"]


@pytest.mark.parametrize("name", ["seta.db", "seta.db-wal"])
async def test_data_that_is_there_is_not_replaced(opened: Open, tmp_path: Path, name: str) -> None:
    journal = await opened()
    await journal.backup(tmp_path / "copy.db")
    (tmp_path / name).write_text("precious")
    with pytest.raises(FileExistsError, match=r"^there is data in .* already: move it away, or name another folder$"):
        restore(tmp_path / "copy.db", tmp_path / "seta.db", ())
    assert (tmp_path / name).read_text() == "precious"


async def test_what_is_no_whole_backup_is_not_restored(opened: Open, tmp_path: Path) -> None:
    journal = await opened()
    await journal.commit(*(accept(body=b"x" * 5000) for _ in range(50)))
    await journal.backup(tmp_path / "copy.db")
    whole = (tmp_path / "copy.db").read_bytes()
    target = tmp_path / "seta.db"
    (tmp_path / "copy.db").write_bytes(whole[:8192] + b"z" * 40_960 + whole[49_152:])
    with pytest.raises((JournalError, apsw.Error)):
        restore(tmp_path / "copy.db", target, ())
    with apsw.Connection(str(tmp_path / "songs.db")) as songs:
        songs.execute("CREATE TABLE songs (title)")
    songs.close()
    with pytest.raises(NotAJournal):
        restore(tmp_path / "songs.db", target, ())
    (tmp_path / "copy.db").write_bytes(whole)
    with apsw.Connection(str(tmp_path / "copy.db")) as newer:
        newer.pragma("user_version", 99)
    newer.close()
    with pytest.raises(JournalTooNew):
        restore(tmp_path / "copy.db", target, ())
    assert not target.exists()
