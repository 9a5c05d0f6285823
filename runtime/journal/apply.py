"""What each write does to the tables, one write at a time, inside the transaction of its batch.

This is the meaning; `bulk` does the same for many writes at once.
"""

import logging
from collections.abc import Callable
from typing import Final

import apsw
import msgspec

from runtime.failures import Kind as FailureKind
from runtime.failures import StepFailure
from runtime.journal import by_hand, dedupe, erasing, events, flight, rejected, retention
from runtime.journal.database import MISTAKES
from runtime.journal.events import MATCH
from runtime.journal.protocol import JournalError
from runtime.journal.records import OPEN, may_end, problem, put, row_of
from runtime.journal.rows import Kind, RunState
from runtime.journal.writes import (
    Accept,
    Await,
    Cancel,
    Claim,
    Effect,
    Emit,
    Erase,
    KeepAnswer,
    KeepClock,
    KeepGeneration,
    KeepPlan,
    KeepTombstone,
    LetGo,
    Move,
    Prune,
    Record,
    Reject,
    Rejudge,
    Release,
    Reopen,
    Try,
    Wake,
    Write,
)

_Kept = KeepPlan | KeepGeneration | KeepClock | KeepAnswer | KeepTombstone
_Rare = Cancel | Reopen | Release | _Kept | Await | Emit | Reject | Rejudge | Erase | Prune

log = logging.getLogger("seta.journal")

ENDED: Final = frozenset({RunState.DEAD, RunState.DONE, RunState.STOPPED, RunState.CANCELLED})

_KEEP_PLAN: Final = """
    INSERT INTO plans (plan, flow, bundle, kept_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (plan) DO UPDATE SET last_run = NULL WHERE last_run IS NOT NULL
"""
_KEEP_GENERATION: Final = (
    "INSERT INTO meta (name, value) VALUES ('generation', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_ADD_RUN: Final = (
    "INSERT INTO runs (id, key, flow, plan, state, received_at, keep, serial) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_DELIVERY: Final = "INSERT INTO deliveries (run, body, context, notes) VALUES (?, ?, ?, ?)"
# Without arguments it is no step's: how many items of a loop had begun.
_LEND: Final = """
    INSERT INTO steps (run, step, kind, args, value, attempt, at)
    SELECT ?1, step, 'lent', args, value, attempt, ?3 FROM steps
    WHERE run = ?2 AND kind = 'result' AND args <> x'' ORDER BY n
"""
_IS_BUSY: Final = (
    f"SELECT EXISTS (SELECT 1 FROM runs WHERE flow = ?1 AND serial = ?2 AND serial IS NOT NULL AND {OPEN})"  # noqa: S608  # our own words
)
_REPEATABLE: Final = frozenset({FailureKind.TRANSIENT, FailureKind.NOT_DONE})


def wake_at(state: str, instant: str) -> str:
    """When a run goes on, as SQL: at once, if it is to wait although an event that it waits for has come."""
    return f"""
        CASE WHEN {state} = 'waiting' AND EXISTS (
            SELECT 1 FROM waiters AS w JOIN events AS e ON {MATCH} WHERE w.run = runs.seq
        ) THEN 0 ELSE {instant} END
    """  # noqa: S608  # our own words


_MOVE: Final = f"""
    UPDATE runs SET
        state = ?2, ended_at = ?3, wake_at = {wake_at("?2", "?4")}, attempt = ?5, step = ?6, error = ?7,
        deaths = 0, strikes = 0
    WHERE seq = ?1 AND {OPEN}
"""  # noqa: S608  # our own words


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
    match write:
        case Accept():
            write.seq, write.first, write.answer, write.busy, write.gone = 0, "", b"", False, False
        case Record():
            write.outcome = write.failure = None
        case Await():
            write.number, write.value, write.failure = 0, b"", None
        case Emit():
            write.woken, write.failure = 0, None
        case Prune() | Erase():
            write.more = False
        case Release():
            write.released = 0
        case _:  # they set nothing else
            pass


def _apply(connection: apsw.Connection, write: Write) -> None:
    match write:
        case Record():
            _record_any(connection, write)
        case Move():
            connection.execute(_MOVE, move_row(write))
            write.lost = not connection.changes()
        case Wake() | Claim() | Try() | LetGo():
            flight.apply(connection, write)
        case Accept(lender=0, rejected=0):
            _accept(connection, write)
        case Accept():
            _whole(connection, lambda: _accept_replay(connection, write))
        case _:
            _apply_rare(connection, write)


def _apply_rare(connection: apsw.Connection, write: _Rare) -> None:
    match write:
        case Cancel() | Reopen() | Release():
            _whole(connection, lambda: by_hand.apply(connection, write))
        case KeepPlan() | KeepGeneration() | KeepClock() | KeepAnswer() | KeepTombstone():
            _keep(connection, write)
        case Await() | Emit():
            _whole(connection, lambda: events.apply(connection, write))
        case Reject() | Rejudge():
            _whole(connection, lambda: rejected.apply(connection, write))
        case Erase():
            _whole(connection, lambda: erasing.erase(connection, write))
        case Prune():
            _whole(connection, lambda: retention.prune(connection, write))


def _keep(connection: apsw.Connection, write: _Kept) -> None:
    match write:
        case KeepPlan():
            connection.execute(_KEEP_PLAN, (write.plan, write.flow, write.bundle, write.at))
        case KeepGeneration():
            connection.execute(_KEEP_GENERATION, (write.document,))
        case KeepClock():
            flight.keep_clock(connection, write)
        case KeepAnswer():
            dedupe.keep_answer(connection, write)
        case KeepTombstone():
            erasing.keep_tombstone(connection, write)


def _whole(connection: apsw.Connection, work: Callable[[], None]) -> None:
    """Do all of a work of several statements, or nothing."""
    connection.execute("SAVEPOINT whole")
    try:
        work()
    except Exception:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO whole; RELEASE whole")
        raise
    connection.execute("RELEASE whole")


def run_row(accept: Accept) -> tuple[str, str, str, str, str, int, int | None, bytes | None]:
    """The columns of a new run."""
    state = RunState.RUNNING if accept.running and not accept.busy else RunState.ACCEPTED
    return (
        accept.run_id, accept.key, accept.flow, accept.plan, state, accept.received_at, accept.keep, accept.serial,
    )  # fmt: skip


def move_row(move: Move) -> tuple[int, str, int | None, int | None, int, str, bytes]:
    """The run that moves and its new columns."""
    ended_at = move.at if move.state in ENDED else None
    return (move.run, move.state, ended_at, move.wake_at, move.attempt, move.step, move.error)


def _accept(connection: apsw.Connection, accept: Accept) -> None:
    if accept.dedupe is not None and dedupe.is_repeat(connection, accept):
        return
    if accept.serial is not None:
        accept.busy = bool(connection.execute(_IS_BUSY, (accept.flow, accept.serial)).get)
    connection.execute(_ADD_RUN, run_row(accept))
    accept.seq = connection.last_insert_rowid()
    delivery = (accept.seq, accept.body, accept.context, accept.notes)
    connection.execute(_ADD_DELIVERY, delivery)


def _accept_replay(connection: apsw.Connection, accept: Accept) -> None:
    if accept.rejected and not rejected.let_go(connection, accept.rejected):
        accept.gone = True
        return
    _accept(connection, accept)
    if accept.lender:
        connection.execute(_LEND, (accept.seq, accept.lender, accept.received_at))


def _record_any(connection: apsw.Connection, record: Record) -> None:
    if record.effect is None:
        record.lost = not put(connection, row_of(record, record.kind, record.value))
    else:
        _record_effect(connection, record, record.effect)


def _record_effect(connection: apsw.Connection, record: Record, effect: Effect) -> None:
    if not may_end(connection, record.run, record.step):
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
        record.lost = not put(connection, row_of(record, record.kind, msgspec.json.encode(outcome)))
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
        record.lost = not put(connection, row_of(record, Kind.FAILED, problem(failure.code, failure.message)))


def _give_up(connection: apsw.Connection, write: Write, error: Exception) -> None:
    match write:
        case Record():
            _record_internal(connection, write, error)
        case Await() | Emit():
            record = Record(write.run, write.step, Kind.FAILED, write.args, write.at)
            _record_internal(connection, record, error)
            write.lost, write.failure = record.lost, record.failure
        case Accept():
            connection.execute("DELETE FROM runs WHERE seq = ?", (write.seq,))
            if write.dedupe is not None:
                dedupe.release(connection, write)
            write.seq = 0
            write.lost = True
        case _:
            write.lost = True


def _record_internal(connection: apsw.Connection, record: Record, error: Exception) -> None:
    failure = StepFailure("internal", f"{type(error).__name__} in the runtime: see its log")
    try:
        _record_failure(connection, record, failure)
    except Exception as another:
        if not is_own_fault(connection, another):
            raise
        record.lost = True  # not even its failure can be written
