"""The one thread that writes: it takes what has gathered, commits it at once and tells who waits."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final

import apsw

from runtime.journal.apply import apply, forget
from runtime.journal.batch import Batch, BatchFuture
from runtime.journal.bounds import Bounds
from runtime.journal.bulk import apply_all
from runtime.journal.counts import CommitCounts
from runtime.journal.database import BUSY_MS
from runtime.journal.disk import Disk
from runtime.journal.protocol import JournalError
from runtime.journal.writes import Write

log = logging.getLogger("seta.journal")

BATCH_LIMIT: Final = 512  # writes; more of them wait for the next commit, so that nobody waits long
SLOW_SECONDS: Final = 3.0  # that a write may wait for its commit before nothing more is taken
QUIET_SECONDS: Final = 1.0  # without work before the writer sees to itself
ANEW_SECONDS: Final = 0.25  # that commits may wait for that
_ANEW_PAUSE: Final = 0.003  # seconds between two looks

_INCARNATION: Final = "SELECT value FROM meta WHERE name = 'incarnation'"
_PROBE: Final = "INSERT INTO meta (name, value) VALUES ('probe', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1"


class _Emptying:
    """Asks for the log to be cut off; the future ends with whether it was. Who waits may be cancelled."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.done: asyncio.Future[bool] = loop.create_future()

    def settle(self, is_empty: bool | JournalError) -> None:  # noqa: FBT001  # an outcome
        """End the future, on the event loop."""
        if self.done.done():
            return
        if isinstance(is_empty, JournalError):
            self.done.set_exception(is_empty)
        else:
            self.done.set_result(is_empty)


class Writer:
    """Group commit: what arrives while a commit is under way is the next one.

    `connect` opens the database anew after the connection became useless. `incarnation` is the number under which
    the folder was taken: when another is found in the file, another process has taken over and nothing is written.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        incarnation: int,
        connect: Callable[[], apsw.Connection],
        disk: Disk,
    ) -> None:
        self._connection: apsw.Connection | None = connection
        self._incarnation = incarnation
        self._connect = connect
        self._is_full = disk.is_full
        self._bounds = Bounds(disk)
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()  # around the batch being filled; held for a few instructions
        self._filling: Batch | None = None
        self._queue: SimpleQueue[Batch | _Emptying | None] = SimpleQueue()
        self._handed: deque[float] = deque()  # when each batch that is not settled yet was begun; used on the loop
        self._committed_at = time.monotonic()
        self._ended = self._loop.create_future()
        self._closing = False
        self._pages = 0  # written to the log since it was last copied
        self._held_at = 0  # pages of the log when it could not begin anew
        self.trouble: str | None = None
        self.full = False  # whether the trouble is that the disk has no room
        self.counts = CommitCounts()
        self._thread = threading.Thread(target=self._run, name="seta-journal", daemon=True)
        self._thread.start()

    def commit(self, writes: Sequence[Write]) -> BatchFuture:
        """Add writes to the next batch, on the event loop. After `close` they are refused."""
        with self._lock:
            batch = self._filling
            if batch is None or len(batch.writes) >= BATCH_LIMIT:
                if self._closing:
                    return self._refuse(len(writes))
                batch = self._filling = Batch(self._loop)
                self._queue.put(batch)
                self._handed.append(time.monotonic())
            batch.writes += writes
        return batch.future

    async def empty_log(self) -> bool:
        """Copy the log into the database and cut it off; whether that could be. Raises JournalError."""
        asked = _Emptying(self._loop)
        with self._lock:  # a writer that dies refuses what is there, and then nothing may come
            if self._closing:
                raise JournalError("the journal is closed")
            self._queue.put(asked)
        return await asked.done

    def _refuse(self, writes: int) -> BatchFuture:
        error = JournalError("the journal is closed")
        log.error("a commit failed (writes: %d): %s", writes, error)
        batch = Batch(self._loop)
        batch.settle(error)
        return batch.future

    def committed_ago(self) -> float:
        """Seconds since the last commit that was kept, or since the start."""
        return time.monotonic() - self._committed_at

    def slow(self) -> str | None:
        """None, or that commits take so long that nothing more should be handed over. Asked on the event loop."""
        waited = time.monotonic() - self._handed[0] if self._handed else 0.0
        return f"a commit takes over {SLOW_SECONDS:g} s: the disk is slow" if waited > SLOW_SECONDS else None

    def _settle(self, batch: Batch, error: JournalError | None) -> None:
        """End the oldest batch, on the event loop: they are committed in order."""
        self._handed.popleft()
        batch.settle(error)

    async def close(self) -> None:
        """Commit what has gathered, copy the log into the database and close it. Closing again only waits."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    # From here on, everything runs in the writer's thread.

    def _run(self) -> None:
        try:
            self._write_until_closed()
        except BaseException:
            log.critical("the journal's writer died", exc_info=True)
            self.trouble = "the journal's writer died"
            self._refuse_the_rest()
        finally:
            self._tell(self._ended.set_result, None)

    def _write_until_closed(self) -> None:
        while (asked := self._next()) is not None:
            if isinstance(asked, _Emptying):
                self._tell(asked.settle, self._empty())
                continue
            error = self._commit(asked.writes)
            self._tell(self._settle, asked, error)
            del asked  # what it held must not live until the next one comes
            if self._pages >= self._bounds.log:
                self._checkpoint()
        self._checkpoint(apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self._drop()

    def _refuse_the_rest(self) -> None:
        with self._lock:
            self._closing = True
            self._filling = None
        while not self._queue.empty():
            error = JournalError("the journal's writer died")
            match self._queue.get():
                case Batch() as batch:
                    self._tell(self._settle, batch, error)
                case _Emptying() as asked:
                    self._tell(asked.settle, error)
                case None:
                    pass

    def _next(self) -> Batch | _Emptying | None:
        while True:
            timeout = QUIET_SECONDS if self.trouble or self._pages else None
            try:
                asked = self._queue.get(timeout=timeout)
            except Empty:
                self._see_to_itself()
            else:
                with self._lock:
                    if self._filling is asked:
                        self._filling = None
                return asked

    def _tell(self, callback: Callable[..., object], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:  # the loop has been closed over our head: there is nobody to tell
            log.warning("the event loop ended before the journal was closed")

    def _see_to_itself(self) -> None:
        self._checkpoint()  # where the disk is full, only so can the log begin anew in the room that it has
        if self.trouble:
            self._commit([])

    def _commit(self, writes: Sequence[Write]) -> JournalError | None:
        began = time.perf_counter()
        try:
            self._transact(writes)
        except BaseException as error:  # noqa: BLE001  # whatever it is, those who wait must learn of it
            for write in writes:
                forget(write)
            return self._fail(error, len(writes))
        self.counts.kept(len(writes), time.perf_counter() - began)
        self._committed_at = time.monotonic()
        if self.trouble and not (self.full and self._bounds.tight):
            log.warning("the journal is written again")
            self.trouble, self.full = None, False
        return None

    def _transact(self, writes: Sequence[Write]) -> None:
        connection = self._begin()
        self._bounds.set(connection)
        if not writes:
            connection.execute(_PROBE)
        elif not apply_all(connection, writes):
            connection.execute("ROLLBACK")
            connection = self._begin()
            for write in writes:
                apply(connection, write)
        connection.execute("COMMIT")
        self._pages += connection.status(apsw.SQLITE_DBSTATUS_CACHE_WRITE, reset=True)[0]

    def _begin(self) -> apsw.Connection:
        if self._connection is None:
            self._connection = self._connect()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except apsw.Error:
            self._drop()
            raise
        if self._connection.execute(_INCARNATION).get != self._incarnation:
            raise JournalError("another process has taken the data folder")
        return self._connection

    def _fail(self, error: BaseException, writes: int) -> JournalError:
        self.counts.failed += 1
        full = isinstance(error, apsw.FullError) or self._is_full()
        reason = str(error) if isinstance(error, JournalError) else f"{type(error).__name__}: {error}"
        if writes or not self.trouble:  # nobody may wait for them; that the trouble lasts is not said each second
            log.error("a commit failed (writes: %d): %s", writes, reason, exc_info=None if self.trouble else error)
        self.full, self.trouble = full, reason  # in this order: the event loop reads them meanwhile
        self._roll_back()
        return JournalError(reason, full=full)

    def _roll_back(self) -> None:
        """Undo the batch, and keep the connection if it can be kept.

        One that is opened anew may find in the log what the disk took of the batch although it reported an error.
        """
        connection = self._connection
        try:
            if connection is not None and connection.in_transaction:
                connection.execute("ROLLBACK")
        except apsw.Error:
            self._drop()

    def _checkpoint(self, mode: int = apsw.SQLITE_CHECKPOINT_PASSIVE) -> None:
        self._pages = 0
        try:
            if self._connection is not None:
                pages, _ = self._connection.wal_checkpoint(mode=mode)
                if pages > self._held_at + self._bounds.long_log:
                    self._begin_anew(self._connection, pages)
        except apsw.Error as error:
            if not self.trouble:  # which would make it fail each second
                log.warning("the journal's log could not be copied: %s", error)

    def _begin_anew(self, connection: apsw.Connection, pages: int) -> None:
        """Let the log begin anew once nobody reads what it holds; where somebody goes on, it may grow as much again.

        SQLite's own waiting is switched off: reads that overlap starve it, and it held the writer for its whole time.
        """
        self._held_at = pages
        self._insist(connection, apsw.SQLITE_CHECKPOINT_RESTART)
        self._held_at = 0

    def _empty(self) -> bool:
        """Cut the log off, so that nothing is left in it of what was overwritten."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._insist(self._connection, apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.BusyError:
            return False
        except (apsw.Error, JournalError) as error:
            log.warning("the journal's log could not be cut off: %s", error)
            return False
        self._pages = self._held_at = 0
        return True

    def _insist(self, connection: apsw.Connection, mode: int) -> None:
        """Copy the log in a way that wants to be alone with it. Raises apsw.BusyError after `ANEW_SECONDS`."""
        connection.set_busy_timeout(0)
        try:
            end = time.monotonic() + ANEW_SECONDS
            while True:
                try:
                    connection.wal_checkpoint(mode=mode)
                    return
                except apsw.BusyError:
                    if time.monotonic() > end:
                        raise
                time.sleep(_ANEW_PAUSE)
        finally:
            connection.set_busy_timeout(BUSY_MS)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(apsw.Error):  # it closes all the same
                connection.close(force=True)
