"""What people do to runs: end one that goes on, let one go on that stands still."""

from typing import Final

import apsw

from runtime.journal.backup import RESTORED
from runtime.journal.records import OPEN
from runtime.journal.rows import RunState
from runtime.journal.writes import Cancel, Release, Reopen

_CANCEL: Final = f"""
    UPDATE runs SET state = 'cancelled', ended_at = ?2, wake_at = NULL,
        step = iif(?4 = x'', step, ?3), error = iif(?4 = x'', error, ?4)
    WHERE seq = ?1 AND ({OPEN} OR state = 'parked')
"""  # noqa: S608  # our own words
_REOPEN: Final = """
    UPDATE runs SET state = 'accepted', ended_at = NULL, wake_at = NULL, attempt = 0, step = '', error = x'',
        begun = 0, deaths = 0, strikes = 0
    WHERE seq = ? AND state = ?
"""
_RELEASE: Final = f"""
    UPDATE runs SET state = 'accepted', step = '', error = x'', begun = 0, deaths = 0, strikes = 0 WHERE seq IN (
        SELECT seq FROM runs
        WHERE state = 'parked' AND state IN ('waiting', 'parked', 'dead', 'stopped', 'cancelled')
          AND error <> x'' AND json_extract(CAST(error AS TEXT), '$.code') = '{RESTORED}'
        LIMIT ?
    )
"""  # noqa: S608  # our own words
_UNDO: Final = """
    DELETE FROM steps WHERE run = ?1 AND (
        step = ?2 AND kind <> 'log' OR substr(step, 1, length(?2) + 8) = ?2 || '.output~'
    )
"""
_UNDO_BELOW: Final = "DELETE FROM steps WHERE run = ?1 AND substr(step, 1, length(?2)) = ?2"
_RESULT: Final = "UPDATE steps SET kind = 'result', value = ? WHERE run = ? AND step = ? AND kind <> 'log'"


def apply(connection: apsw.Connection, write: Cancel | Reopen | Release) -> None:
    """Do what somebody asked for."""
    match write:
        case Cancel():
            _cancel(connection, write)
        case Reopen():
            _reopen(connection, write)
        case Release():
            connection.execute(_RELEASE, (write.limit,))
            write.released = connection.changes()


def _cancel(connection: apsw.Connection, write: Cancel) -> None:
    """End a run that has not ended."""
    connection.execute(_CANCEL, (write.run, write.at, write.step, write.error))
    write.lost = not connection.changes()


def _reopen(connection: apsw.Connection, write: Reopen) -> None:
    """Let a run go on that stands still."""
    if write.state not in (RunState.PARKED, RunState.DEAD):
        raise ValueError(f"a run that is {write.state} does not stand still")
    connection.execute(_REOPEN, (write.run, write.state))
    write.lost = not connection.changes()
    if write.lost:
        return
    for step in write.undo:
        connection.execute(_UNDO, (write.run, step))
    for beginning in write.below:
        connection.execute(_UNDO_BELOW, (write.run, beginning))
    for step, value in write.results:
        connection.execute(_RESULT, (value, write.run, step))
