"""Events that flows send one another: kept for those who will wait, and waking those who do."""

from typing import Any, Final

import apsw
import msgspec

from runtime.failures import StepFailure
from runtime.journal.records import OPEN, may_end, problem, put
from runtime.journal.rows import Kind
from runtime.journal.writes import Await, Emit

# Whether an event `e` is one that a waiter `w` waits for.
MATCH: Final = """
    e.name = w.event AND e.key = w.key AND e.n > w.after
    AND e.at <= w.until AND e.expires_at > w.since AND e.last_run >= w.run
"""
_WAIT: Final = """
    INSERT INTO waiters (run, step, event, key, since, until, after) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run, step) DO NOTHING
"""
_UNTIL: Final = "SELECT until FROM waiters WHERE run = ? AND step = ?"
_FIND: Final = f"""
    SELECT e.n, e.value FROM waiters AS w JOIN events AS e ON {MATCH}
    WHERE w.run = ? AND w.step = ? ORDER BY e.n LIMIT 1
"""  # noqa: S608  # our own words
_STOP_WAITING: Final = "DELETE FROM waiters WHERE run = ? AND step = ?"
_KEEP: Final = """
    INSERT INTO events (name, key, value, at, expires_at, last_run)
    VALUES (?, ?, ?, ?, ?, (SELECT seq FROM sqlite_sequence WHERE name = 'runs'))
"""
_WAKE: Final = """
    UPDATE runs SET wake_at = ?1
    WHERE state = 'waiting' AND wake_at > ?1
      AND seq IN (SELECT run FROM waiters WHERE event = ?2 AND key = ?3)
"""
_PRUNE: Final = f"""
    DELETE FROM events WHERE n IN (
        SELECT n FROM events AS e WHERE expires_at <= ?1 AND NOT EXISTS (
            SELECT 1 FROM waiters AS w JOIN runs ON seq = w.run
            WHERE w.event = e.name AND w.key = e.key AND ({OPEN} OR state = 'parked')
        )
        ORDER BY expires_at LIMIT ?2
    )
"""  # noqa: S608  # our own words


class _Taken(msgspec.Struct):
    event: int
    value: msgspec.Raw


def apply(connection: apsw.Connection, write: Await | Emit) -> None:
    """Let a step wait for an event, or keep one."""
    match write:
        case Await():
            wait(connection, write)
        case Emit():
            emit(connection, write)


def wait(connection: apsw.Connection, write: Await) -> None:
    """Find an event for the step, or give up after its time, or go on waiting."""
    if not may_end(connection, write.run, write.step):
        write.lost = True
        return
    row = (write.run, write.step, write.event, write.key, write.at, write.until, write.after)
    connection.execute(_WAIT, row)
    write.until = int(connection.execute(_UNTIL, row[:2]).get)
    found: Any = connection.execute(_FIND, row[:2]).fetchone()
    if found is not None:
        write.number, write.value = found
        _end(connection, write, Kind.RESULT, msgspec.json.encode(_Taken(write.number, msgspec.Raw(write.value))))
    elif write.at >= write.until:
        write.failure = StepFailure("timeout", f"no event {write.event} came in time")
        _end(connection, write, Kind.FAILED, problem(write.failure.code, write.failure.message))
    else:
        put(connection, (write.run, write.step, Kind.TIMER, write.args, b"%d" % write.until, 1, write.at))


def _end(connection: apsw.Connection, write: Await, kind: Kind, value: bytes) -> None:
    put(connection, (write.run, write.step, kind, write.args, value, 1, write.at))
    connection.execute(_STOP_WAITING, (write.run, write.step))


def emit(connection: apsw.Connection, write: Emit) -> None:
    """Keep the event and let every run be due that waits for it."""
    if not put(connection, (write.run, write.step, Kind.RESULT, write.args, b"null", 1, write.at)):
        write.lost = True
        return
    connection.execute(_KEEP, (write.event, write.key, write.value, write.at, write.expires_at))
    connection.execute(_WAKE, (write.at, write.event, write.key))
    write.woken = connection.changes()


def prune(connection: apsw.Connection, at: int, limit: int) -> int:
    """Forget events that are over and that nobody waits for, at most so many; how many it were."""
    connection.execute(_PRUNE, (at, limit))
    return connection.changes()
