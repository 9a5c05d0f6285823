"""The one thread that reads, beside the one that writes, and never for long.

A read that lasts keeps the log from being copied, so that it grows as long as the read goes on.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

import apsw

from runtime.journal.database import MISTAKES
from runtime.journal.protocol import JournalError

T = TypeVar("T")

LIMIT: Final = 1.0  # seconds that one read may last
_CHECK_EVERY: Final = 20_000  # steps of SQLite's machine, about a millisecond


class ReadTooLong(JournalError):  # noqa: N818  # what is wrong, said as people say it
    """A read went on for over a second and was broken off: it has to be asked in pages."""


class Reader:
    """Short reads, one after the other, each a view of one instant."""

    def __init__(self, connect: Callable[[], apsw.Connection], limit: float = LIMIT) -> None:
        self._connect = connect
        self._limit = limit
        self._connection: apsw.Connection | None = None
        self._closed = False
        self._end = 0.0
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="seta-reads")

    async def read(self, query: Callable[[apsw.Connection], T]) -> T:
        """Run a query in the reader's thread.

        Raises ReadTooLong, and JournalError where the file fails; what the query itself raises comes as it is.
        """
        if self._closed:
            raise JournalError("the journal is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._read, query)

    async def close(self) -> None:
        """Wait for the reads under way and close the connection. Closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, self._drop)
        self._executor.shutdown()

    # From here on, everything runs in the reader's thread.

    def _read(self, query: Callable[[apsw.Connection], T]) -> T:
        self._end = time.monotonic() + self._limit
        try:
            return self._in_transaction(query)
        except apsw.InterruptError as error:
            raise ReadTooLong(f"a read took over {self._limit:g} s and was broken off") from error
        except MISTAKES:
            raise
        except apsw.Error as error:
            self._drop()  # the next read starts afresh
            raise JournalError(f"{type(error).__name__}: {error}") from error

    def _in_transaction(self, query: Callable[[apsw.Connection], T]) -> T:
        connection = self._connection or self._open()
        connection.execute("BEGIN")
        try:
            return query(connection)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _open(self) -> apsw.Connection:
        connection = self._connection = self._connect()
        connection.set_progress_handler(self._is_over, _CHECK_EVERY)
        return connection

    def _is_over(self) -> bool:
        return time.monotonic() > self._end

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(apsw.Error):  # it closes all the same
                connection.close(force=True)
