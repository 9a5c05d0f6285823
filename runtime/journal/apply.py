"""What each write does to the tables, one write at a time, inside the transaction of its batch.

This is the meaning; `bulk` does the same for many writes at once.
"""

import logging
from typing import Final

import apsw
import msgspec

from runtime.failures import Kind as FailureKind
from runtime.failures import StepFailure
from runtime.journal.database import MISTAKES
from runtime.journal.protocol import Accept, Effect, JournalError, KeepPlan, Kind, Move, Record, RunState, Write

log = logging.getLogger(__name__)

OPEN: Final = "state IN ('accepted', 'running', 'waiting')"
ENDED: Final = frozenset({RunState.DEAD, RunState.DONE, RunState.STOPPED, RunState.CANCELLED})

# A `started` record gives way to what came of it and to a later attempt, a timer to its end; the row then moves to
# the end of the order.
# The subquery names `excluded` so that SQLite asks anew for each row of a statement that has many.
ON_REPEAT: Final = """
    ON CONFLICT (run, step) DO UPDATE SET
        n = (SELECT max(n) + 1 FROM steps WHERE excluded.run IS NOT NULL),
        kind = excluded.kind, args = excluded.args, value = excluded.value,
        attempt = excluded.attempt, at = excluded.at
    WHERE (kind = 'started' AND excluded.kind IN ('result', 'failed'))
       OR (kind = 'started' AND excluded.kind = 'started' AND excluded.attempt > attempt)
       OR (kind = 'timer' AND excluded.kind = 'result')
"""
_KEEP_PLAN: Final = "INSERT INTO plans (plan, flow, bundle, kept_at) VALUES (?, ?, ?, ?) ON CONFLICT (plan) DO NOTHING"
_ADD_RUN: Final = "INSERT INTO runs (id, key, flow, plan, state, received_at) VALUES (?, ?, ?, ?, ?, ?)"
_ADD_DELIVERY: Final = "INSERT INTO deliveries (run, body, context, notes) VALUES (?, ?, ?, ?)"
_MOVE: Final = f"""
    UPDATE runs SET state = ?2, ended_at = ?3, wake_at = ?4, attempt = ?5, step = ?6, error = ?7
    WHERE seq = ?1 AND {OPEN}
"""  # noqa: S608  # our own words
_RECORD: Final = f"""
    INSERT INTO steps (run, step, kind, args, value, attempt, at)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 FROM runs WHERE seq = ?1 AND {OPEN} {ON_REPEAT}
"""  # noqa: S608  # our own words
_MAY_RECORD: Final = f"""
    SELECT EXISTS (SELECT 1 FROM runs WHERE seq = ?1 AND {OPEN})
       AND NOT EXISTS (
           SELECT 1 FROM steps WHERE run = ?1 AND step = ?2 AND kind NOT IN ('started', 'timer')
       )
"""  # noqa: S608  # our own words
_REPEATABLE: Final = frozenset({FailureKind.TRANSIENT, FailureKind.NOT_DONE})


def apply(connection: apsw.Connection, write: Write) -> None:
    """Do one write. An error of its own marks it and leaves the rest of the batch alone.

    Raises apsw.Error where the database itself failed: then nothing of the batch can be kept.
    """
    forget(write)
    try:
        _apply(connection, write)
    except Exception as error:
        if not is_own_fault(connection, error):
            raise
        log.exception("a write could not be kept: %s", type(write).__name__)
        _give_up(connection, write, error)


def is_own_fault(connection: apsw.Connection, error: Exception) -> bool:
    """Whether one write is to blame, so that the transaction can go on without it."""
    ours = not isinstance(error, apsw.Error) or isinstance(error, MISTAKES)
    return ours and connection.in_transaction


def forget(write: Write) -> None:
    """Take back what an earlier commit had set."""
    write.lost = False
    if isinstance(write, Accept):
        write.seq = 0
    elif isinstance(write, Record):
        write.outcome = write.failure = None


def _apply(connection: apsw.Connection, write: Write) -> None:
    match write:
        case Record():
            if write.effect is None:
                _record(connection, write, write.kind, write.value)
            else:
                _record_effect(connection, write, write.effect)
        case Move():
            connection.execute(_MOVE, move_row(write))
            write.lost = not connection.changes()
        case Accept():
            _accept(connection, write)
        case KeepPlan():
            row = (write.plan, write.flow, write.bundle, write.at)
            connection.execute(_KEEP_PLAN, row)


def run_row(accept: Accept) -> tuple[str, str, str, str, str, int]:
    """The columns of a new run."""
    state = RunState.RUNNING if accept.running else RunState.ACCEPTED
    return (accept.run_id, accept.key, accept.flow, accept.plan, state, accept.received_at)


def record_row(record: Record, kind: Kind, value: bytes) -> tuple[int, str, Kind, bytes, bytes, int, int]:
    """The columns of a record."""
    return (record.run, record.step, kind, record.args, value, record.attempt, record.at)


def move_row(move: Move) -> tuple[int, str, int | None, int | None, int, str, bytes]:
    """The run that moves and its new columns."""
    ended_at = move.at if move.state in ENDED else None
    return (move.run, move.state, ended_at, move.wake_at, move.attempt, move.step, move.error)


def _accept(connection: apsw.Connection, accept: Accept) -> None:
    connection.execute(_ADD_RUN, run_row(accept))
    accept.seq = connection.last_insert_rowid()
    delivery = (accept.seq, accept.body, accept.context, accept.notes)
    connection.execute(_ADD_DELIVERY, delivery)


def _record(connection: apsw.Connection, record: Record, kind: Kind, value: bytes) -> None:
    connection.execute(_RECORD, record_row(record, kind, value))
    record.lost = not connection.changes()


def _record_effect(connection: apsw.Connection, record: Record, effect: Effect) -> None:
    if not connection.execute(_MAY_RECORD, (record.run, record.step)).get:
        record.lost = True
        return
    try:
        record.outcome = _run_effect(connection, record, effect)
    except StepFailure as failure:
        _record_failure(connection, record, failure)


def _run_effect(connection: apsw.Connection, record: Record, effect: Effect) -> object:
    connection.execute("SAVEPOINT effect")
    try:
        outcome = effect(connection)
        _record(connection, record, Kind.RESULT, msgspec.json.encode(outcome))
    except Exception as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO effect; RELEASE effect")
        elif not isinstance(error, apsw.Error):  # after some errors SQLite ends it, and the effect may hide them
            raise JournalError("the transaction ended during an effect") from error
        raise
    connection.execute("RELEASE effect")
    return outcome


def _record_failure(connection: apsw.Connection, record: Record, failure: StepFailure) -> None:
    record.failure = failure
    if failure.kind not in _REPEATABLE:
        problem = {"code": failure.code, "message": failure.message}
        _record(connection, record, Kind.FAILED, msgspec.json.encode(problem))


def _give_up(connection: apsw.Connection, write: Write, error: Exception) -> None:
    match write:
        case Record():
            failure = StepFailure("internal", f"{type(error).__name__} in the runtime: see its log")
            _record_internal(connection, write, failure)
        case Accept():
            connection.execute("DELETE FROM runs WHERE seq = ?", (write.seq,))
            write.seq = 0
            write.lost = True
        case Move() | KeepPlan():
            write.lost = True


def _record_internal(connection: apsw.Connection, record: Record, failure: StepFailure) -> None:
    try:
        _record_failure(connection, record, failure)
    except Exception as error:
        if not is_own_fault(connection, error):
            raise
        record.lost = True  # not even its failure can be written
