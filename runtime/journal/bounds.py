"""How far log and file may grow on the disk that there is: the log can always be copied into the file.

A page is in the log before it is in the file. Where the disk ends before the file has all that the log holds, neither
can go on: nothing is written any more, not even what would make room.
"""

import time
from collections.abc import Callable
from typing import Final

import apsw

from runtime.journal.disk import Disk

LOG_PAGES: Final = 1000  # in the log, after which it is copied into the file
LONG_LOG_PAGES: Final = 16_000  # after which reads are waited for, so that it can begin anew
PAGE: Final = 4096
PLENTY: Final = 1 << 30  # free: more than is written between two looks
LOOK_EVERY: Final = 1.0  # seconds

_UNBOUNDED: Final = 0xFFFFFFFE  # SQLite's own limit of pages


class Bounds:
    """What one connection that writes may do; used in its thread."""

    def __init__(self, disk: Disk, now: Callable[[], float] = time.monotonic) -> None:
        self._disk = disk
        self._now = now
        self._kept = LONG_LOG_PAGES  # pages of the reserve
        self._bounded = False
        self._enough_until = float("-inf")
        self.tight = False  # the file may grow by next to nothing

    @property
    def log(self) -> int:
        """Pages in the log, after which it is to be copied into the file."""
        return min(LOG_PAGES, self._kept // 2)

    @property
    def long_log(self) -> int:
        """Pages of the log, after which it is to begin anew."""
        return min(LONG_LOG_PAGES, self._kept)

    def set(self, connection: apsw.Connection) -> None:
        """Let the file grow so far in the transaction that was begun. Raises OSError and apsw.Error.

        Of what is free, half is for the log and half for the file, once a log of the usual length has its room.
        """
        if (now := self._now()) < self._enough_until:
            return
        free = self._disk.free()
        if free >= PLENTY:
            self._enough_until = now + LOOK_EVERY
            self._lift(connection)
            return
        self._kept, self._bounded = self._disk.reserve() // PAGE, True
        missing = max(0, self.log * PAGE - self._disk.log_size())
        more = max(0, free - missing) // 2 // PAGE
        self.tight = more < self.log // 4
        connection.pragma("max_page_count", self._disk.file_size() // PAGE + more)

    def _lift(self, connection: apsw.Connection) -> None:
        if self._bounded:
            self._kept, self._bounded, self.tight = LONG_LOG_PAGES, False, False
            connection.pragma("max_page_count", _UNBOUNDED)
