"""Many writes in few statements: the meaning of `apply`, at a fraction of its cost.

Each statement lets go of Python's interpreter lock and has to win it back from the event loop, so that their
number, not their work, decides how long a batch takes on a busy server.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Final, TypeVar

import apsw

from runtime.journal.apply import apply, forget, is_own_fault, move_row, run_row, wake_at
from runtime.journal.protocol import Accept, Move, Record, RunState, Write
from runtime.journal.records import ON_REPEAT, OPEN, row_of

W = TypeVar("W", Accept, Record, Move)

# Rows of one statement. Few sizes, so that every statement stays prepared.
_SIZES: Final = (64, 32, 16, 8, 4, 2, 1)


def apply_all(connection: apsw.Connection, writes: Sequence[Write]) -> None:
    """Do all writes as if one by one in their order. Raises what `apply` raises."""
    if len(writes) < 3:
        for write in writes:
            apply(connection, write)
        return
    group = _Group(connection)
    for write in writes:
        group.add(write)
    group.flush()


class _Group:
    """Writes that may be done as all accepts, then all records, then all moves: no run has them in another order.

    An accept goes before all: no other write of its batch can be of its run, whose number nobody knows before.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._clear()

    def _clear(self) -> None:
        self._accepts: list[Accept] = []
        self._records: list[Record] = []
        self._moves: list[Move] = []
        self._recorded: set[int] = set()
        self._moved: set[int] = set()

    def add(self, write: Write) -> None:
        """Take a write, after doing those that must come before it."""
        match write:
            case Record(effect=None):
                self._add_record(write)
            case Accept(serial=None):
                self._accepts.append(write)
            case Move():  # two of one run are found out, for they change one row only
                self._moves.append(write)
                self._moved.add(write.run)
            case Record():
                self._do_now(write)
            case _:  # rare, and of more than one run or of none
                self.flush()
                apply(self._connection, write)

    def _add_record(self, record: Record) -> None:
        if record.run in self._moved:
            self.flush()
        self._records.append(record)
        self._recorded.add(record.run)

    def _do_now(self, record: Record) -> None:
        if record.run in self._recorded or record.run in self._moved:
            self.flush()
        apply(self._connection, record)

    def flush(self) -> None:
        """Do what was taken: as one where every write succeeds, else one by one to learn which does not."""
        connection = self._connection
        connection.execute("SAVEPOINT many")
        if not self._done_as_one():
            connection.execute("ROLLBACK TO many")
            taken: Iterable[Write] = chain(self._accepts, self._records, self._moves)
            for write in taken:
                apply(connection, write)
        connection.execute("RELEASE many")
        self._clear()

    def _done_as_one(self) -> bool:
        connection = self._connection
        try:
            return (
                all(_added(connection, accepts) for accepts in _chunks(self._accepts))
                and all(_recorded(connection, records) for records in _chunks(self._records))
                and all(_moved(connection, moves) for moves in _chunks(self._moves))
            )
        except Exception as error:
            if not is_own_fault(connection, error):
                raise
            return False


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


def _recorded(connection: apsw.Connection, records: list[Record]) -> bool:
    rows: list[object] = []
    for record in records:
        forget(record)
        rows += row_of(record, record.kind, record.value)
    connection.execute(_record_query(len(records)), rows)
    return connection.changes() == len(records)


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
            attempt = v.column5, step = v.column6, error = v.column7
        FROM (VALUES {_places(rows, 7)}) AS v WHERE seq = v.column1 AND {OPEN}
    """  # noqa: S608  # our own words


def _places(rows: int, columns: int) -> str:
    row = ", ".join("?" * columns)
    return ", ".join([f"({row})"] * rows)
