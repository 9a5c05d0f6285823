"""Many writes in few statements: the meaning of `apply`, at a fraction of its cost.

Each statement lets go of Python's interpreter lock and has to win it back from the event loop, so that their
number, not their work, decides how long a batch takes on a busy server.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Final, TypeVar

import apsw
import msgspec

from runtime.journal.apply import apply, forget, is_own_fault, move_row, run_row, wake_at
from runtime.journal.protocol import JournalError
from runtime.journal.records import ON_REPEAT, OPEN, Row, row_of
from runtime.journal.rows import RunState
from runtime.journal.writes import Accept, Move, Record, Write

W = TypeVar("W", Accept, Row, Move)

# Rows of one statement. Few sizes, so that every statement stays prepared.
_SIZES: Final = (64, 32, 16, 8, 4, 2, 1)


def apply_all(connection: apsw.Connection, writes: Sequence[Write]) -> bool:
    """Do all writes as if one by one in their order; False where one of them does not succeed.

    The transaction is then to be rolled back, and `apply` says of each write what becomes of it. There is no savepoint
    to go back to: SQLite copies every page that is touched under one, which costs more than the work of most effects.
    Raises what `apply` raises.
    """
    group = _Group(connection)
    try:
        return all(group.add(write) for write in writes) and group.flush()
    except Exception as error:
        if is_own_fault(connection, error):
            return False
        if not isinstance(error, apsw.Error):  # after some errors SQLite ends it, and the effect may hide them
            raise JournalError("the transaction ended during an effect") from error
        raise


class _Group:
    """Writes that may be done as all accepts, then all records, then all moves: no run has them in another order.

    An accept goes before all: no other write of its batch can be of its run, whose number nobody knows before. Effects
    are made at once, in their order.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._accepts: list[Accept] = []
        self._rows: list[Row] = []  # of records
        self._moves: list[Move] = []
        self._moved: set[int] = set()

    def add(self, write: Write) -> bool:
        """Take a write, after doing those that must come before it; False where one of them does not succeed."""
        match write:
            case Record():
                return self._add_record(write)
            case Accept(serial=None, lender=0, rejected=0):
                self._accepts.append(write)
                return True
            case Move():  # two of one run are found out, for they change one row only
                self._moves.append(write)
                self._moved.add(write.run)
                return True
            case _:  # rare, and of more than one run or of none
                if not self.flush():
                    return False
                apply(self._connection, write)
                return True

    def _add_record(self, record: Record) -> bool:
        if record.run in self._moved and not self.flush():
            return False
        forget(record)
        value = record.value
        if record.effect is not None:
            record.outcome = record.effect(self._connection)
            value = msgspec.json.encode(record.outcome)
        self._rows.append(row_of(record, record.kind, value))
        return True

    def flush(self) -> bool:
        """Do what was taken; whether all of it succeeded."""
        connection = self._connection
        done = (
            all(_added(connection, accepts) for accepts in _chunks(self._accepts))
            and all(_recorded(connection, rows) for rows in _chunks(self._rows))
            and all(_moved(connection, moves) for moves in _chunks(self._moves))
        )
        for taken in (self._accepts, self._rows, self._moves, self._moved):
            taken.clear()
        return done


def _chunks(writes: list[W]) -> Iterator[list[W]]:
    start = 0
    for size in _SIZES:
        while len(writes) - start >= size:
            yield writes[start : start + size]
            start += size


def _added(connection: apsw.Connection, accepts: list[Accept]) -> bool:
    deduped = [accept for accept in accepts if accept.dedupe is not None]
    if deduped and not _claimed(connection, deduped):
        return False
    runs: list[object] = []
    for accept in accepts:
        accept.lost = False
        runs += run_row(accept)[:-1]
    connection.execute(_add_runs_query(len(accepts)), runs)
    first = connection.last_insert_rowid() - len(accepts) + 1  # given out one after the other
    deliveries: list[object] = []
    for seq, accept in enumerate(accepts, first):
        accept.seq = seq
        deliveries += (seq, accept.body, accept.context, accept.notes)
    connection.execute(_add_deliveries_query(len(accepts)), deliveries)
    return True


def _claimed(connection: apsw.Connection, accepts: list[Accept]) -> bool:
    """Whether all keys are new: what else there may be to say of one is asked for each."""
    keys: list[object] = []
    for accept in accepts:
        keys += (accept.flow, accept.dedupe, accept.run_id, accept.dedupe_until)
    values = _places(len(accepts), 4)
    query = f"INSERT INTO dedupe (flow, key, run, expires_at) VALUES {values} ON CONFLICT DO NOTHING"  # noqa: S608  # our own words
    connection.execute(query, keys)
    return connection.changes() == len(accepts)


def _recorded(connection: apsw.Connection, rows: list[Row]) -> bool:
    connection.execute(_record_query(len(rows)), list(chain.from_iterable(rows)))
    return connection.changes() == len(rows)


def _moved(connection: apsw.Connection, moves: list[Move]) -> bool:
    rows: list[object] = []
    waiting = False
    for move in moves:
        move.lost = False
        waiting = waiting or move.state is RunState.WAITING
        rows += move_row(move)
    connection.execute(_move_query(len(moves), waiting=waiting), rows)
    return connection.changes() == len(moves)


@cache
def _add_runs_query(rows: int) -> str:
    columns = "id, key, flow, plan, state, received_at, keep"  # what has a serial key is added one by one
    return f"INSERT INTO runs ({columns}) VALUES {_places(rows, 7)}"  # noqa: S608  # our own words


@cache
def _add_deliveries_query(rows: int) -> str:
    columns = "run, body, context, notes"
    return f"INSERT INTO deliveries ({columns}) VALUES {_places(rows, 4)}"  # noqa: S608  # our own words


@cache
def _record_query(rows: int) -> str:
    return f"""
        INSERT INTO steps (run, step, kind, args, value, attempt, at)
        SELECT v.* FROM (VALUES {_places(rows, 7)}) AS v CROSS JOIN runs
        WHERE seq = v.column1 AND {OPEN} {ON_REPEAT}
    """  # noqa: S608  # our own words


@cache
def _move_query(rows: int, *, waiting: bool) -> str:
    instant = wake_at("v.column2", "v.column4") if waiting else "v.column4"
    return f"""
        UPDATE runs SET
            state = v.column2, ended_at = v.column3, wake_at = {instant},
            attempt = v.column5, step = v.column6, error = v.column7, deaths = 0, strikes = 0
        FROM (VALUES {_places(rows, 7)}) AS v WHERE seq = v.column1 AND {OPEN}
    """  # noqa: S608  # our own words


def _places(rows: int, columns: int) -> str:
    row = ", ".join("?" * columns)
    return ", ".join([f"({row})"] * rows)
