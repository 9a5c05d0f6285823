"""A copy of the database as it is at one instant, whatever is written meanwhile."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw

from runtime.journal.database import make_file
from runtime.journal.protocol import JournalError
from runtime.journal.records import OPEN
from runtime.journal.schema import Tables, check

RESTORED: Final = "restored"  # the code of what parks a run until people release all of them

_PART: Final = ".part"
_PARK: Final = f"""
    UPDATE runs SET state = 'parked', wake_at = NULL, error = CAST(json_object(
        'step', step, 'code', '{RESTORED}', 'message', 'restored from a backup: `seta runs release` lets it go on'
    ) AS BLOB)
    WHERE {OPEN}
"""  # noqa: S608  # our own words


def copy_to(connection: apsw.Connection, path: Path, change: Callable[[apsw.Connection], None] | None = None) -> None:
    """Write a copy of what `connection` sees to `path`, which then is there whole and on disk, or not at all.

    `change` may change the copy before it is there. A file that is there is replaced. Raises apsw.Error and OSError;
    what was begun is then removed.
    """
    part = path.with_name(path.name + _PART)
    part.unlink(missing_ok=True)
    make_file(part)  # empty, for its owner only: SQLite takes such a file
    try:
        connection.execute("VACUUM INTO ?", (str(part),))
        if change is not None:
            _change(part, change)
        _sync(part)
        part.replace(path)
        _sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def copy_file(source: Path, path: Path) -> None:
    """Copy the database of a file to another one. Raises as `copy_to`, and FileExistsError where there is one."""
    if path.exists():
        raise FileExistsError(f"there is a file {path} already")
    with closing(_open(source)) as connection:
        copy_to(connection, path)


def restore(source: Path, path: Path, tables: tuple[Tables, ...]) -> int:
    """Put a backup where there is no database yet, with all unfinished runs parked; how many they are.

    Raises FileExistsError, NotAJournal, JournalTooNew, JournalError for a file that is damaged, apsw.Error and OSError.
    """
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        if path.with_name(name).exists():
            raise FileExistsError(f"there is data in {path.parent} already: move it away, or name another folder")
    parked = 0

    def park(copy: apsw.Connection) -> None:
        nonlocal parked
        copy.execute(_PARK)
        parked = copy.changes()

    with closing(_open(source)) as connection:
        check(connection, tables)
        found = connection.execute("PRAGMA quick_check(1)").get
        if found != "ok":
            raise JournalError(f"{source} is damaged: {found}")
        copy_to(connection, path, park)
    return parked


def _open(source: Path) -> apsw.Connection:
    return apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)


def _change(file: Path, change: Callable[[apsw.Connection], None]) -> None:
    with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE)) as connection, connection:
        change(connection)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
