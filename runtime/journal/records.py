"""Step records in the table: which one may take another's place, and what only open runs may write."""

from typing import Final

import apsw
import msgspec

from runtime.journal.rows import Kind
from runtime.journal.writes import Record

OPEN: Final = "state IN ('accepted', 'running', 'waiting')"

# What is under way gives way to what comes of it and to a later attempt, a timer to its end, what is lent to all of
# them. What waits may wait again before its next attempt, until another instant, and one that had begun may turn out
# not to be made. The row then moves to the end of the order.
# The subquery names `excluded` so that SQLite asks anew for each row of a statement that has many.
ON_REPEAT: Final = """
    ON CONFLICT (run, step) DO UPDATE SET
        n = (SELECT max(n) + 1 FROM steps WHERE excluded.run IS NOT NULL),
        kind = excluded.kind, args = excluded.args, value = excluded.value,
        attempt = excluded.attempt, at = excluded.at
    WHERE (kind IN ('started', 'tried', 'timer', 'lent') AND excluded.kind IN ('result', 'failed'))
       OR (kind = 'lent' AND excluded.kind IN ('started', 'tried', 'timer'))
       OR (kind IN ('started', 'tried') AND excluded.kind IN ('started', 'tried') AND excluded.attempt > attempt)
       OR (kind = 'started' AND excluded.kind = 'tried' AND excluded.attempt IN (attempt, attempt - 1))
       OR (kind = 'tried' AND excluded.kind = 'tried' AND excluded.attempt = attempt AND excluded.value <> value)
"""
_RECORD: Final = f"""
    INSERT INTO steps (run, step, kind, args, value, attempt, at)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 FROM runs WHERE seq = ?1 AND {OPEN} {ON_REPEAT}
"""  # noqa: S608  # our own words
_MAY_END: Final = f"""
    SELECT EXISTS (SELECT 1 FROM runs WHERE seq = ?1 AND {OPEN})
       AND NOT EXISTS (
           SELECT 1 FROM steps WHERE run = ?1 AND step = ?2 AND kind NOT IN ('started', 'tried', 'timer', 'lent')
       )
"""  # noqa: S608  # our own words

Row = tuple[int, str, Kind, bytes, bytes, int, int]


def row_of(record: Record, kind: Kind, value: bytes) -> Row:
    """The columns of a record."""
    return (record.run, record.step, kind, record.args, value, record.attempt, record.at)


def put(connection: apsw.Connection, row: Row) -> bool:
    """Write a record; whether it may stand."""
    connection.execute(_RECORD, row)
    return bool(connection.changes())


def may_end(connection: apsw.Connection, run: int, step: str) -> bool:
    """Whether a result of the step may be written."""
    return bool(connection.execute(_MAY_END, (run, step)).get)


def problem(code: str, message: str) -> bytes:
    """The value of a `failed` record."""
    return msgspec.json.encode({"code": code, "message": message})
