"""Room on the disk, length of the log: what makes the journal say that it wants no more."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from runtime.journal import SqliteJournal, bounds, disk, writer
from runtime.journal.bounds import Bounds
from runtime.journal.disk import MEGABYTE, Disk
from runtime.journal.protocol import JournalError
from runtime.journal.rows import RunState
from runtime.journal.writes import Prune
from tests.runtime.journal.conftest import Open
from tests.runtime.journal.made import NOW, accept, move

YEAR = 366 * 86_400_000  # ms


class Clock:
    """Seconds that a test lets pass."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Looks:
    """A disk of so many megabytes, of which so many are free, and how often somebody looked."""

    def __init__(self, total: int, free: int) -> None:
        self.total = total
        self.free = free
        self.count = 0

    def __call__(self, _: object) -> os.statvfs_result:
        self.count += 1
        return os.statvfs_result((4096, MEGABYTE, self.total, self.free, self.free, 0, 0, 0, 0, 255))


@pytest.mark.parametrize(
    ("total", "free", "room"),
    [(10_000, 64, True), (10_000, 63, False), (300, 30, True), (300, 29, False)],
)
def test_64_megabytes_or_a_tenth_of_a_small_disk_is_kept_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, free: int, *, room: bool
) -> None:
    (tmp_path / "seta.db").touch()
    monkeypatch.setattr(os, "statvfs", Looks(total, free))
    assert Disk(tmp_path / "seta.db").room() is room


def test_the_disk_is_looked_at_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "seta.db").touch()
    looks, clock = Looks(10_000, 64), Clock()
    monkeypatch.setattr(os, "statvfs", looks)
    watched = Disk(tmp_path / "seta.db", clock)
    for _ in range(100):
        assert watched.room()
        assert watched.trouble() is None
    looks.free = 0
    clock.now = 0.99
    assert (watched.room(), looks.count) == (True, 1)
    clock.now = 1.0
    assert (watched.room(), looks.count) == (False, 2)


def test_a_database_that_was_moved_away_is_trouble(tmp_path: Path) -> None:
    path, clock = tmp_path / "seta.db", Clock()
    path.touch()
    watched = Disk(path, clock)
    path.rename(tmp_path / "other")
    assert watched.trouble() == f"the data folder cannot be looked at: [Errno 2] No such file or directory: '{path}'"
    assert not watched.room()
    path.touch()
    clock.now = 1.0
    assert watched.trouble() == "the database file was moved or replaced"


async def test_a_log_that_a_foreign_reader_keeps_growing_is_trouble_until_it_ends(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(disk, "LONGEST_LOG", 3 * MEGABYTE)
    monkeypatch.setattr(bounds, "LOG_PAGES", 100)
    await journal.commit(accept())
    reader = apsw.Connection(str(journal.path), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM runs").get == 1
    for _ in range(5):
        await journal.commit(*(accept(body=b"x" * 100_000) for _ in range(10)))
    trouble = journal.healthy()
    assert trouble is not None
    assert re.fullmatch(r"the log is \d MB long: something reads the database for long", trouble)
    reader.close()
    monkeypatch.setattr(disk, "LONGEST_LOG", 9 * MEGABYTE)  # what was reached stays, and is used again
    for _ in range(50):
        await journal.commit(*(accept(body=b"x" * 100_000) for _ in range(10)))
    assert journal.healthy() is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    command = [mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


async def test_a_full_disk_refuses_and_heals_when_there_is_room_again(
    opened: Open, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "QUIET_SECONDS", 0.02)
    monkeypatch.setattr(disk, "LOOK_EVERY", 0.0)
    ballast = small_disk / "ballast"
    write(ballast, 5 * MEGABYTE)
    journal = await opened(small_disk / "data")
    assert journal.room()
    kept = await fill(journal)
    assert not journal.room()
    healthy = journal.healthy()
    assert healthy is not None
    assert healthy.startswith("FullError")
    remove(ballast)
    async with asyncio.timeout(10):
        while journal.healthy() is not None:  # nothing tells of it
            await asyncio.sleep(0.005)
    assert journal.room()
    assert [run.seq for run in await journal.open_runs(0, 9999)] == kept
    await journal.commit(move(1, RunState.DONE), accept())
    assert await journal.read(lambda c: c.pragma("integrity_check")) == "ok"


async def test_full_disk_has_room_for_what_makes_room(
    opened: Open, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "QUIET_SECONDS", 0.02)
    monkeypatch.setattr(disk, "LOOK_EVERY", 0.0)
    journal = await opened(small_disk / "data")
    old = [accept(body=b"x" * 20_000) for _ in range(100)]
    await journal.commit(*old)
    await journal.commit(*(move(run.seq, RunState.DONE) for run in old))
    await fill(journal, 2_000)
    assert not journal.room()
    async with asyncio.timeout(10):
        while not journal.room():
            await journal.commit(Prune(NOW + YEAR, slice=1, seconds=0.0))
    assert journal.healthy() is None
    await journal.commit(*(accept(body=b"x" * 2_000) for _ in range(100)))
    assert await journal.read(lambda c: c.pragma("integrity_check")) == "ok"


async def test_log_of_a_large_batch_gives_its_room_back(
    opened: Open, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "LOOK_EVERY", 0.0)
    journal = await opened(small_disk / "data")
    await journal.commit(accept(body=b"x" * 2_000_000))
    with pytest.raises(JournalError):
        await journal.commit(*(accept(body=b"x" * 3_000_000) for _ in range(2)))
    await journal.commit(accept())
    assert journal.room()


@pytest.mark.parametrize(("free", "tight"), [(4, False), (1, False), (0, True)])
def test_file_grows_by_half_of_what_is_left_beside_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, *, tight: bool
) -> None:
    path = tmp_path / "seta.db"
    path.write_bytes(bytes(8 * MEGABYTE))
    path.with_name("seta.db-wal").write_bytes(bytes(MEGABYTE // 2))
    looks, clock = Looks(20, free), Clock()
    monkeypatch.setattr(os, "statvfs", looks)
    connection = apsw.Connection(":memory:")
    bound = Bounds(Disk(path), clock)
    bound.set(connection)
    assert (bound.log, bound.long_log, bound.tight) == (256, 512, tight)  # a tenth of the disk is 512 pages
    grown = max(0, free * 256 - 128) // 2
    assert connection.pragma("max_page_count") == 8 * 256 + grown
    looks.free = looks.total = 2000
    bound.set(connection)
    assert (bound.log, bound.long_log, bound.tight) == (1000, 16_000, False)
    assert connection.pragma("max_page_count") == 0xFFFFFFFE
    looks.free = 0
    bound.set(connection)
    assert not bound.tight, "there was plenty a moment ago"
    clock.now = 1.0
    bound.set(connection)
    assert bound.tight


async def fill(journal: SqliteJournal, size: int = 50_000) -> list[int]:
    """Accept until the disk is full, and give the numbers of what was kept."""
    kept: list[int] = []
    while True:
        one = accept(body=b"x" * size)
        (error,) = await asyncio.gather(journal.commit(one), return_exceptions=True)
        if error is not None:
            assert isinstance(error, JournalError)
            assert error.full
            return kept
        kept.append(one.seq)


def write(path: Path, size: int) -> None:
    path.write_bytes(b"x" * size)


def remove(path: Path) -> None:
    path.unlink()
