"""One process a data folder: an exclusive lock on `DATA/lock`, held for life.

The kernel lets go of the lock when its holder dies, however it dies; the file itself is never removed, because a
lock on a removed file keeps nobody out.
"""

import asyncio
import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

NAME = "lock"
POLL = 0.05  # seconds between two tries; a dying owner needs a few


class FolderInUse(Exception):  # noqa: N818  # what is wrong with the folder, said as people say it
    """Another process holds the data folder. `pid` is its process, where its lock file says so."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        holder = "another process" if pid is None else f"process {pid}"
        super().__init__(f"the data folder {folder} is in use by {holder}")
        self.folder = folder
        self.pid = pid


class FolderLock:
    """The lock on one data folder, until `release` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next process have the folder. Releasing again does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


async def take(folder: Path, wait: float = 10.0) -> FolderLock:
    """Make the folder where there is none and lock it, waiting up to `wait` seconds for its holder to end.

    Raises FolderInUse after that, and OSError where the folder cannot be written.
    """
    path = _lock_file(folder)
    end = time.monotonic() + wait
    while (lock := _attempt(path)) is None:
        if time.monotonic() >= end:
            raise FolderInUse(folder, _holder(path))
        await asyncio.sleep(POLL)
    return lock


def take_blocking(folder: Path, wait: float = 10.0) -> FolderLock:
    """Do what `take` does, for callers without an event loop."""
    path = _lock_file(folder)
    end = time.monotonic() + wait
    while (lock := _attempt(path)) is None:
        if time.monotonic() >= end:
            raise FolderInUse(folder, _holder(path))
        time.sleep(POLL)
    return lock


def _lock_file(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / NAME


def _attempt(path: Path) -> FolderLock | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_file_at(descriptor, path):  # removed between our open and our lock
            raise BlockingIOError
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return FolderLock(descriptor)


def _is_file_at(descriptor: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _holder(path: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(path.read_text())
    return None
