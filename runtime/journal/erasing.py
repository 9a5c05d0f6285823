"""Forgetting what is kept of one person, at once and not when it is over."""

from typing import Any, Final

import apsw

from runtime.journal import rejected
from runtime.journal.retention import Slice, forget_run
from runtime.journal.rows import Tombstone
from runtime.journal.writes import Erase, KeepTombstone

_ENDED: Final = "SELECT id, ended_at IS NOT NULL FROM runs WHERE seq = ?"
_ANSWER: Final = "UPDATE dedupe SET answer = x'' WHERE run = ? AND answer <> x''"
_EVENT: Final = "DELETE FROM events WHERE n = ?"
_KEEP: Final = "INSERT INTO tombstones (at, kind, hash, counts) VALUES (?, ?, ?, ?)"
_FIND: Final = "SELECT at, kind, counts FROM tombstones WHERE kind = ? AND hash = ? ORDER BY n"


def erase(connection: apsw.Connection, write: Erase) -> None:
    """Forget a slice."""
    mine = Slice(write.seconds)
    write.live = []
    for run in write.runs:
        if not _erase_run(connection, write, run, mine):
            return
    for number in write.rejected:
        rejected.let_go(connection, number)
    connection.executemany(_EVENT, [(number,) for number in write.events])
    connection.executemany(_ANSWER, [(run,) for run in write.answers])
    if write.beside is not None:
        write.beside(connection)


def _erase_run(connection: apsw.Connection, write: Erase, run: int, mine: Slice) -> bool:
    """Whether to go on with the next one in this slice."""
    row: Any = connection.execute(_ENDED, (run,)).fetchone()
    if row is None:
        return True
    run_id, ended = row
    if not ended:
        write.live.append(run)
        return True
    connection.execute(_ANSWER, (run_id,))
    done = forget_run(connection, run, mine)
    write.more = not done or mine.is_over()
    return not write.more


def keep_tombstone(connection: apsw.Connection, write: KeepTombstone) -> None:
    """Keep what says that something was erased."""
    one = write.tombstone
    connection.execute(_KEEP, (one.at, one.kind, write.hash, one.counts))


def tombstones(connection: apsw.Connection, kind: str, hash_: bytes) -> list[Tombstone]:
    """What was erased before under the same key."""
    rows: Any = connection.execute(_FIND, (kind, hash_))
    return [Tombstone(*row) for row in rows]
