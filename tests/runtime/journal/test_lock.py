"""One process a folder."""

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.journal import FolderInUse, take, take_blocking
from tests.runtime.journal.conftest import Open

HOLD = """
import sys, time
from pathlib import Path
from runtime.journal import take_blocking
lock = take_blocking(Path(sys.argv[1]), 0)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(folder: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.communicate()


async def test_the_second_process_is_told_who_has_the_folder(
    opened: Open, folder: Path, holder: "subprocess.Popen[bytes]"
) -> None:
    message = f"^the data folder {re.escape(str(folder))} is in use by process {holder.pid}$"
    with pytest.raises(FolderInUse, match=message) as caught:
        await opened(wait=0.1)
    assert (caught.value.folder, caught.value.pid) == (folder, holder.pid)
    end(holder)


async def test_a_lock_ends_with_its_process_and_who_waits_gets_it(
    opened: Open, holder: "subprocess.Popen[bytes]"
) -> None:
    holder.kill()
    journal = await opened(wait=10)
    assert journal.incarnation == 1
    holder.communicate()


async def test_a_folder_is_taken_again_after_close(opened: Open) -> None:
    incarnations = []
    for _ in range(3):
        journal = await opened()
        incarnations.append(journal.incarnation)
        await journal.close()
    assert incarnations == [1, 2, 3]


async def test_taking_twice_in_one_process_is_refused_too(folder: Path) -> None:
    held = await take(folder, 0)
    with pytest.raises(FolderInUse) as caught:
        take_blocking(folder, 0)
    assert caught.value.pid == os.getpid()
    held.release()
    held.release()
    take_blocking(folder, 0).release()


async def test_a_lock_file_without_a_number_names_nobody(folder: Path) -> None:
    held = await take(folder, 0)
    (folder / "lock").write_text("")
    with pytest.raises(FolderInUse, match="is in use by another process"):
        await take(folder, 0)
    held.release()


async def test_a_lock_on_a_removed_file_does_not_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = fcntl.flock
    removed: list[bool] = []

    def remove_first(descriptor: int, operation: int) -> None:
        if not removed:
            removed.append(True)
            (folder / "lock").unlink()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    held = await take(folder, 1)
    with pytest.raises(FolderInUse):
        await take(folder, 0)
    held.release()


def spoil(folder: Path) -> None:
    folder.mkdir()
    (folder / "seta.db").write_bytes(b"not a database, and long enough to be read as one" * 100)


async def test_a_refused_open_lets_go_of_the_folder(opened: Open, folder: Path) -> None:
    spoil(folder)
    with pytest.raises(Exception, match="file is not a database"):
        await opened()
    (await take(folder, 0)).release()
