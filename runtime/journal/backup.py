"""A copy of the database as it is at one instant, whatever is written meanwhile."""

import os
from pathlib import Path
from typing import Final

import apsw

from runtime.journal.database import make_file

_PART: Final = ".part"


def copy_to(connection: apsw.Connection, path: Path) -> None:
    """Write a copy of what `connection` sees to `path`, which then is there whole and on disk, or not at all.

    A file that is there is replaced. Raises apsw.Error and OSError; what was begun is then removed.
    """
    part = path.with_name(path.name + _PART)
    part.unlink(missing_ok=True)
    make_file(part)  # empty, for its owner only: SQLite takes such a file
    try:
        connection.execute("VACUUM INTO ?", (str(part),))
        _sync(part)
        part.replace(path)
        _sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
