"""Opening the one database file, for writing and for reading, with the settings that its promises need."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from runtime.journal.disk import reserve
from runtime.journal.protocol import JournalError
from runtime.journal.schema import Tables, check

NAME: Final = "seta.db"
OLDEST: Final = (3, 51, 3)  # the first SQLite that cannot corrupt its write-ahead log when it starts it anew

# Errors that come from what a statement says or holds, not from the file or the disk.
MISTAKES: Final = (
    apsw.BindingsError,
    apsw.ConstraintError,
    apsw.CursorClosedError,
    apsw.ExecutionCompleteError,
    apsw.IncompleteExecutionError,
    apsw.MismatchError,
    apsw.RangeError,
    apsw.SQLError,
    apsw.TooBigError,
)

# That stay prepared; apsw takes no more. It lets go of what so many executions did not use: with 100, as by itself,
# each batch with some effects had its own statements parsed again.
STATEMENTS: Final = 512

BUSY_MS: Final = 1000  # to wait where somebody looks into the file with a tool of his own

# auto_vacuum has to stand before journal_mode, which writes the first page. Temporary tables in memory make
# statements over many rows twice as fast. fullfsync is what macOS calls a sync that reaches the disk.
_WRITING: Final = """
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA secure_delete = ON;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA cache_size = -16000;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
"""
_READING: Final = """
    PRAGMA query_only = ON;
    PRAGMA cache_size = -4000;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
"""


class SqliteTooOld(Exception):  # noqa: N818  # what is wrong with the library, said as people say it
    """The SQLite library has the bug that can corrupt a write-ahead log."""


def check_library(version: str) -> None:
    """Raise SqliteTooOld for a version of SQLite before 3.51.3."""
    if tuple(map(int, version.split("."))) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise SqliteTooOld(f"SQLite {version} can corrupt its write-ahead log; Seta needs {needed} or newer")


def make_file(path: Path) -> None:
    """Make the file where there is none, and let nobody but its owner read it; SQLite's other files follow it."""
    with suppress(FileExistsError):  # never opened again: closing it would drop SQLite's own locks
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    path.chmod(0o600)


def open_writing(path: Path, tables: tuple[Tables, ...], *, durable: bool = True) -> apsw.Connection:
    """Open the connection that writes; one that is not `durable` leaves to the system when bytes reach the disk.

    Raises JournalTooNew or NotAJournal before it changes anything, and JournalError where the file system cannot
    serve.
    """
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=STATEMENTS)
    try:
        connection.set_busy_timeout(BUSY_MS)
        check(connection, tables)
        connection.execute(_WRITING).fetchall()  # to the end: it stops at rows otherwise
        if connection.pragma("journal_mode") != "wal":
            raise JournalError(f"{path} lies where SQLite cannot keep a write-ahead log")
        connection.pragma("journal_size_limit", reserve(os.statvfs(path.parent)))
        if not durable:
            connection.pragma("synchronous", 0)
    except BaseException:
        connection.close(force=True)
        raise
    return connection


def open_reading(path: Path) -> apsw.Connection:
    """Open a connection that can only read, beside the one that writes."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, statementcachesize=STATEMENTS)
    try:
        connection.set_busy_timeout(BUSY_MS)
        connection.execute(_READING).fetchall()
    except BaseException:
        connection.close(force=True)
        raise
    return connection
