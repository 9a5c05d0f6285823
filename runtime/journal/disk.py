"""What the disk and the log say: whether there is room for more, looked at once a second at most."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

MEGABYTE: Final = 1 << 20
RESERVE: Final = 64 * MEGABYTE  # kept free for the runs under way, or a tenth of the disk where that is less
LONGEST_LOG: Final = 256 * MEGABYTE
LOOK_EVERY: Final = 1.0  # seconds


class Disk:
    """The disk below a database file. Cheap to ask for each request."""

    def __init__(self, path: Path, now: Callable[[], float] = time.monotonic) -> None:
        self._folder = path.parent
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._identity = _identity(path)
        self._now = now
        self._looked_at = float("-inf")
        self._room = True
        self._trouble: str | None = None

    def room(self) -> bool:
        """Whether the reserve is free."""
        self._look()
        return self._room

    def trouble(self) -> str | None:
        """None, or why nothing more should be written."""
        self._look()
        return self._trouble

    def is_full(self) -> bool:
        """Whether next to nothing is free. Looks afresh."""
        try:
            return self.free() < MEGABYTE
        except OSError:
            return False

    def free(self) -> int:
        """Bytes that are free, as they are now. Raises OSError."""
        return _free(os.statvfs(self._folder))

    def reserve(self) -> int:
        """Bytes that are kept free for the runs under way. Raises OSError."""
        return reserve(os.statvfs(self._folder))

    def file_size(self) -> int:
        """Bytes of the database file, as it is now. Raises OSError."""
        return self._path.stat().st_size

    def log_size(self) -> int:
        """Bytes of the log, as it is now. Raises OSError."""
        try:
            return self._log.stat().st_size
        except FileNotFoundError:  # a commit will make it anew
            return 0

    def _look(self) -> None:
        now = self._now()
        if now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        try:
            status = os.statvfs(self._folder)
            self._room = _free(status) >= reserve(status)
            self._trouble = self._find_trouble()
        except OSError as error:
            self._room = False
            self._trouble = f"the data folder cannot be looked at: {error}"

    def _find_trouble(self) -> str | None:
        if _identity(self._path) != self._identity:
            return "the database file was moved or replaced"
        size = self.log_size()
        if size > LONGEST_LOG:
            return f"the log is {size // MEGABYTE} MB long: something reads the database for long"
        return None


def reserve(status: os.statvfs_result) -> int:
    """Bytes of a disk that are kept free for the runs under way."""
    return min(RESERVE, status.f_blocks * status.f_frsize // 10)


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _free(status: os.statvfs_result) -> int:
    return status.f_bavail * status.f_frsize
