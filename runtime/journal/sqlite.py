"""The journal in one SQLite file, of which this process is the only writer."""

import asyncio
import secrets
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import apsw

from runtime.journal import lock, queries
from runtime.journal.backup import copy_file, copy_to
from runtime.journal.batch import BatchFuture
from runtime.journal.database import NAME, check_library, make_file, open_reading, open_writing
from runtime.journal.disk import Disk
from runtime.journal.flight import Deaths, count_deaths, tell
from runtime.journal.protocol import JournalError
from runtime.journal.reader import Reader
from runtime.journal.rows import OpenRun, RunDetail, RunRow, RunState, StepRow
from runtime.journal.schema import Tables, migrate, newest, versions
from runtime.journal.writer import Writer
from runtime.journal.writes import Write

T = TypeVar("T")

URL_KEY_BYTES: Final = 32
_EMPTY_TRIES: Final = 20  # each of which holds commits up for a quarter of a second at most
_EMPTY_PAUSE: Final = 0.25  # seconds between two


class SqliteJournal:
    """A `Journal` over the database at `path`.

    `url_key` is the secret that the folder's URLs come from; it never changes. `incarnation` counts how often the
    folder was taken. `suspects` are the open runs that were in memory when a process died, `poisoned` those
    that were given up now because they killed it.
    """

    def __init__(self, held: lock.FolderLock, opened: "_Opened") -> None:
        self.path = opened.path
        self.url_key = opened.url_key
        self.incarnation = opened.incarnation
        self.suspects = opened.deaths.suspects
        self.poisoned = opened.deaths.poisoned
        self.kept_clock = opened.kept_clock
        self._held = held
        self.disk = Disk(opened.path)
        self._reader = Reader(partial(open_reading, opened.path))
        connect = partial(open_writing, opened.path, opened.tables, durable=opened.durable)
        self._writer = Writer(opened.connection, opened.incarnation, connect, self.disk)
        self.counts = self._writer.counts

    @property
    def commits(self) -> int:
        """Commits so far, each of as many writes as had gathered."""
        return self.counts.done

    def commit(self, *writes: Write) -> BatchFuture:
        """Put writes into the next batch; the future, shared by the batch, ends when it is on disk."""
        return self._writer.commit(writes)

    async def read(self, query: Callable[[apsw.Connection], T]) -> T:
        """Run a query off the event loop. Raises ReadTooLong after a second, JournalError where the file fails."""
        return await self._reader.read(query)

    async def open_run(self, run: int) -> OpenRun | None:
        """One run with its records, or None where it is neither accepted nor running."""
        return await self.read(partial(queries.open_run, number=run))

    async def open_runs(self, after: int, limit: int) -> list[OpenRun]:
        """Runs accepted or running with a sequence number above `after`, in that order."""
        return await self.read(partial(queries.open_runs, after=after, limit=limit))

    async def open_runs_of(self, flow: str, after: int, limit: int, size: int) -> list[OpenRun]:
        """Those of one flow, with their records; the one with which they come to `size` bytes is the last."""
        return await self.read(partial(queries.open_runs_of, flow=flow, after=after, limit=limit, size=size))

    async def open_flows(self) -> list[str]:
        """The flows of runs accepted or running."""
        return await self.read(queries.open_flows)

    async def next_of(self, flow: str, serial: bytes) -> OpenRun | None:
        """The open run of a flow whose turn it is of those with this serial key, unless it waits."""
        return await self.read(partial(queries.next_of, flow=flow, serial=serial))

    async def due_runs(self, now: int, limit: int) -> list[OpenRun]:
        """Waiting runs whose instant has come, earliest first, without what they were given."""
        return await self.read(partial(queries.due_runs, now=now, limit=limit))

    async def next_wake(self) -> int | None:
        """The earliest instant at which a waiting run goes on."""
        return await self.read(queries.next_wake)

    async def steps(self, run: int) -> list[StepRow]:
        """The records of a run, in the order in which they were committed."""
        return await self.read(partial(queries.steps, run=run))

    async def plan(self, plan: str) -> bytes | None:
        """The bundle kept for a plan."""
        return await self.read(partial(queries.plan, name=plan))

    async def generation(self) -> bytes | None:
        """The document of the last generation that was kept."""
        return await self.read(queries.generation)

    async def runs(
        self, *, limit: int, flow: str | None = None, state: RunState | None = None, since: int | None = None
    ) -> list[RunRow]:
        """Runs, newest first; with `since`, those received at or after that instant."""
        return await self.read(partial(queries.runs, limit=limit, flow=flow, state=state, since=since))

    async def run(self, run_id: str) -> RunDetail | None:
        """One run, or None where there is none of that id."""
        return await self.read(partial(queries.run, run_id=run_id))

    async def standing(self, in_memory: AbstractSet[int]) -> queries.Standing:
        """How many runs there are that have not ended well, beside those in memory."""
        return await self.read(partial(queries.standing, in_memory=in_memory))

    async def oldest(self, in_memory: AbstractSet[int]) -> int | None:
        """When the first of those runs was received that wait in the journal for their turn."""
        return await self.read(partial(queries.oldest, in_memory=in_memory))

    async def backup(self, path: Path) -> None:
        """Write a copy of all that is committed to a file that is not there yet. Raises OSError and JournalError."""
        try:
            await asyncio.to_thread(copy_file, self.path, path)
        except apsw.Error as error:
            full = isinstance(error, apsw.FullError)
            raise JournalError(f"{path} cannot be written: {type(error).__name__}: {error}", full=full) from error

    async def empty_log(self) -> bool:
        """Cut the log off, once nobody reads what it holds; False where somebody did for seconds."""
        for _ in range(_EMPTY_TRIES):
            if await self._writer.empty_log():
                return True
            await asyncio.sleep(_EMPTY_PAUSE)
        return False

    def room(self) -> bool:
        """Whether the disk has room to accept; what a commit has just found out counts before the next look."""
        return self.disk.room() and not self._writer.full

    def healthy(self) -> str | None:
        """None, or why the journal should not be given more."""
        return self._writer.trouble or self.disk.trouble() or self._writer.slow()

    def committed_ago(self) -> float:
        """Seconds since the last commit that was kept, or since the start."""
        return self._writer.committed_ago()

    async def close(self) -> None:
        """Commit what has gathered, close the file and let the next process have the folder."""
        await self._reader.close()
        await self._writer.close()
        self._held.release()


async def open_journal(
    folder: Path,
    *,
    clock: Callable[[], int],
    tables: tuple[Tables, ...] = (),
    wait: float = 10.0,
    durable: bool = True,
) -> SqliteJournal:
    """Take the folder and open its journal, making both where there are none.

    `clock` gives milliseconds since the Unix epoch; `tables` are those of other rooms in the same file; `wait` is
    how many seconds to wait for another process to let go of the folder. Before the tables of an older file are
    changed, it is copied to a file beside it, named by the versions of its tables. One that is not `durable` promises
    nothing at a power cut: for what is thrown away anyhow. Raises FolderInUse, JournalTooNew,
    NotAJournal, SqliteTooOld, and JournalError where the file cannot be read or written.
    """
    check_library(apsw.sqlite_lib_version())
    held = await lock.take(folder, wait)
    try:
        return SqliteJournal(held, await asyncio.to_thread(_open, folder / NAME, clock(), tables, durable=durable))
    except BaseException:
        held.release()
        raise


@dataclass(frozen=True, slots=True)
class _Opened:
    path: Path
    tables: tuple[Tables, ...]
    connection: apsw.Connection
    incarnation: int
    url_key: bytes
    deaths: Deaths
    kept_clock: bytes
    durable: bool


def _open(path: Path, now: int, tables: tuple[Tables, ...], *, durable: bool) -> _Opened:
    try:
        make_file(path)
        connection = open_writing(path, tables, durable=durable)
        try:
            found = versions(connection, tables)
            if any(found) and found != newest(tables):
                copy_to(connection, path.with_name(f"{path.stem}-{'.'.join(map(str, found))}{path.suffix}"))
            migrate(connection, tables)
            incarnation, url_key, deaths = _begin_incarnation(connection, now)
            kept_clock = connection.execute("SELECT value FROM meta WHERE name = 'clock'").get or b""
        except BaseException:
            connection.close(force=True)
            raise
    except apsw.Error as error:
        full = isinstance(error, apsw.FullError)
        raise JournalError(f"{path}: {type(error).__name__}: {error}", full=full) from error
    return _Opened(path, tables, connection, incarnation, url_key, deaths, kept_clock, durable)


def _begin_incarnation(connection: apsw.Connection, now: int) -> tuple[int, bytes, Deaths]:
    with connection:
        connection.execute(
            "INSERT INTO meta (name, value) VALUES ('url_key', ?1), ('made_at', ?2), ('incarnation', 0)"
            " ON CONFLICT (name) DO NOTHING",
            (secrets.token_bytes(URL_KEY_BYTES), now),
        )
        connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'incarnation'")
        deaths = count_deaths(connection, now)
    tell(deaths.poisoned)  # once that is on disk
    values = dict(connection.execute("SELECT name, value FROM meta"))
    return values["incarnation"], values["url_key"], deaths
