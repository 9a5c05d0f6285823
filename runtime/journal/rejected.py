"""Deliveries that did not fit their flow: a bounded number of each flow, until they fit or are over."""

from collections.abc import Iterable
from typing import Any, Final

import apsw
import msgspec

from runtime.journal.rows import RejectedDelivery, RejectedRow
from runtime.journal.writes import Reject, Rejudge

_ADD: Final = """
    INSERT INTO rejected (id, flow, plan, received_at, expires_at, size, problems, context, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
# Counted from the youngest: the first that is too many, and all before it.
_DROP: Final = """
    DELETE FROM rejected WHERE flow = ?1 AND n <= (
        SELECT n FROM (
            SELECT n, row_number() OVER youngest AS place, sum(size) OVER youngest AS total
            FROM rejected WHERE flow = ?1 WINDOW youngest AS (ORDER BY n DESC)
        ) WHERE place > ?2 OR total > ?3 ORDER BY n DESC LIMIT 1
    )
"""
_REJUDGE: Final = "UPDATE rejected SET plan = ?, problems = ? WHERE n = ?"
_LET_GO: Final = "DELETE FROM rejected WHERE n = ?"
_EXPIRED: Final = "SELECT n FROM rejected WHERE expires_at <= ? ORDER BY expires_at LIMIT ?"

_SHOWN: Final = "n, id, flow, plan, received_at, size, problems"
_WHOLE: Final = f"SELECT {_SHOWN}, expires_at, context, body FROM rejected"  # noqa: S608  # our own words
_WANTED: Final = "(?1 IS NULL OR flow = ?1) AND received_at >= ?2"
_LIST: Final = f"SELECT {_SHOWN} FROM rejected WHERE {_WANTED} ORDER BY n DESC LIMIT ?3"  # noqa: S608  # our own words
PAGE: Final = f"{_WHOLE} WHERE {_WANTED} AND n > ?3 AND n <= ?4 ORDER BY n LIMIT ?5"
_ROW: Final = f"SELECT {_SHOWN} FROM rejected WHERE n = ?"  # noqa: S608  # our own words
_ONE: Final = f"{_WHOLE} WHERE id = ?"
_LAST: Final = "SELECT max(n) FROM rejected"


def apply(connection: apsw.Connection, write: Reject | Rejudge) -> None:
    """Keep deliveries, or what another plan says of one."""
    match write:
        case Reject():
            _keep(connection, write)
        case Rejudge():
            _rejudge(connection, write)


def _keep(connection: apsw.Connection, write: Reject) -> None:
    """Keep deliveries, and drop the oldest of their flow that are too many or too large together."""
    for one in write.misfits:
        size = len(one.body) + len(one.context)
        row = (one.id, write.flow, one.plan, one.received_at, one.expires_at, size)
        connection.execute(_ADD, (*row, one.problems, one.context, one.body))
    connection.execute(_DROP, (write.flow, write.most, write.most_bytes))


def _rejudge(connection: apsw.Connection, write: Rejudge) -> None:
    """Write down what is wrong with a delivery now."""
    connection.execute(_REJUDGE, (write.plan, write.problems, write.number))
    write.lost = not connection.changes()


def let_go(connection: apsw.Connection, number: int) -> bool:
    """Forget a delivery; whether it was still there."""
    connection.execute(_LET_GO, (number,))
    return bool(connection.changes())


def expired(connection: apsw.Connection, at: int, limit: int) -> list[int]:
    """The numbers of deliveries that are over, at most so many."""
    return [int(number) for (number,) in connection.execute(_EXPIRED, (at, limit))]


def rejected(connection: apsw.Connection, limit: int, flow: str | None, since: int | None) -> list[RejectedRow]:
    """Rejected deliveries, newest first, of a flow or received since an instant where one is given."""
    rows: Any = connection.execute(_LIST, (flow, since or 0, limit))
    return [_row(row) for row in rows]


def rows_of(connection: apsw.Connection, numbers: Iterable[int]) -> list[RejectedRow]:
    """The rejected deliveries of these numbers that there still are."""
    rows: Any = [connection.execute(_ROW, (number,)).fetchone() for number in numbers]
    return [_row(row) for row in rows if row is not None]


def delivery(connection: apsw.Connection, rejected_id: str) -> RejectedDelivery | None:
    """One rejected delivery, or None where there is none of that id."""
    row: Any = connection.execute(_ONE, (rejected_id,)).fetchone()
    return None if row is None else _delivery(row)


def deliveries(
    connection: apsw.Connection, page: tuple[int, int, int], flow: str | None, since: int | None
) -> list[RejectedDelivery]:
    """Rejected deliveries in the order of their numbers: a page is (above this number, up to this one, so many)."""
    rows: Any = connection.execute(PAGE, (flow, since or 0, *page))
    return [_delivery(row) for row in rows]


def last_number(connection: apsw.Connection) -> int:
    """The highest number of a rejected delivery; 0 where there is none."""
    return int(connection.execute(_LAST).get or 0)


def _row(row: Any) -> RejectedRow:
    number, rejected_id, flow, plan, received_at, size, problems = row
    return RejectedRow(number, rejected_id, flow, plan, received_at, size, msgspec.Raw(problems))


def _delivery(row: Any) -> RejectedDelivery:
    number, rejected_id, flow, plan, received_at, size, problems, *rest = row
    return RejectedDelivery(number, rejected_id, flow, plan, received_at, size, msgspec.Raw(problems), *rest)
