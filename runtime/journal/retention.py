"""What is over goes, a slice at a time: runs with all that is kept of them, plans, and then the room that they had.

A run is over some time after its end; one that is open or parked has no end, so that nothing of it goes. Pages that
are freed are overwritten (secure_delete), so a slice is bounded by time and not by rows alone: a body of a megabyte
costs as much as a thousand small ones.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import apsw

from runtime.journal import dedupe, events, rejected
from runtime.journal.writes import Prune

# The very words of the index `runs_over`: SQLite uses it for nothing else.
_OVER_AT: Final = "ended_at + coalesce(keep, CASE state WHEN 'dead' THEN 7776000000 ELSE 2592000000 END)"

OVER: Final = f"SELECT seq FROM runs WHERE ended_at IS NOT NULL AND {_OVER_AT} <= ? ORDER BY {_OVER_AT} LIMIT ?"  # noqa: S608  # our own words
_STEPS: Final = "DELETE FROM steps WHERE n IN (SELECT n FROM steps WHERE run = ? LIMIT ?)"
_REST: Final = (
    "DELETE FROM waiters WHERE run = ?",
    "DELETE FROM deliveries WHERE run = ?",
    "DELETE FROM runs WHERE seq = ?",
)
_RETIRE: Final = "UPDATE plans SET last_run = (SELECT seq FROM sqlite_sequence WHERE name = 'runs') WHERE plan = ?"
_NAMES: Final = "SELECT plan, last_run IS NULL FROM plans"
# Backwards, because the youngest runs of a plan are the last to go: while there is one, it is found at once.
_FORGET_PLAN: Final = """
    DELETE FROM plans WHERE plan = ?1 AND (
        SELECT seq FROM runs WHERE flow = plans.flow AND seq <= plans.last_run AND plan = ?1 ORDER BY seq DESC LIMIT 1
    ) IS NULL
"""
_STEPS_AT_ONCE: Final = 50
_PAGES_AT_ONCE: Final = 16
_FREE_PAGES: Final = 1000  # are left for what comes next, and a tenth of the file


class Slice:
    """What is left of the time that one write may take. The first piece of work is always done."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._end = now() + seconds
        self.more = False  # something is left for another slice

    def is_over(self) -> bool:
        """Whether to leave the rest; asked after each piece."""
        if self._now() < self._end:
            return False
        self.more = True
        return True


def prune(connection: apsw.Connection, write: Prune) -> None:
    """Forget a slice, and say whether there is more."""
    mine = Slice(write.seconds)
    gone = [forget(connection, write.at, write.slice) for forget in (dedupe.prune, events.prune)]
    gone.append(_forget_rejected(connection, write, mine))
    gone.append(_forget_runs(connection, write, mine))
    if write.plans is not None:
        _forget_plans(connection, write.plans)
    write.more = mine.more or max(gone) >= write.slice or _give_back(connection, mine)


def _forget_rejected(connection: apsw.Connection, write: Prune, mine: Slice) -> int:
    gone = 0
    for number in rejected.expired(connection, write.at, write.slice):
        rejected.let_go(connection, number)
        gone += 1
        if mine.is_over():
            break
    return gone


def _forget_runs(connection: apsw.Connection, write: Prune, mine: Slice) -> int:
    gone = 0
    found: Any = connection.execute(OVER, (write.at, write.slice)).fetchall()
    for (run,) in found:
        if not forget_run(connection, run, mine):
            break
        gone += 1
        if mine.is_over():
            break
    return gone


def forget_run(connection: apsw.Connection, run: int, mine: Slice) -> bool:
    """Whether all of a run is gone: its row goes last, so that the next slice finds what is left of it."""
    while True:
        connection.execute(_STEPS, (run, _STEPS_AT_ONCE))
        if connection.changes() < _STEPS_AT_ONCE:
            break
        if mine.is_over():
            return False
    for query in _REST:
        connection.execute(query, (run,))
    return True


def _forget_plans(connection: apsw.Connection, needed: frozenset[str]) -> None:
    """Forget plans that no run can begin on and that no run began on. There are as many plans as there were changes."""
    found: Any = connection.execute(_NAMES).fetchall()
    for plan, in_use in found:
        if plan not in needed:
            if in_use:
                connection.execute(_RETIRE, (plan,))
            connection.execute(_FORGET_PLAN, (plan,))


def _spare(connection: apsw.Connection) -> int:
    """Free pages that the file may keep: no more than it may grow by on a small disk."""
    pages, most = (int(connection.pragma(name)) for name in ("page_count", "max_page_count"))
    return min(_FREE_PAGES + pages // 10, most - pages)


def _give_back(connection: apsw.Connection, mine: Slice) -> bool:
    """Make the file shorter where much of it is free; whether that is to go on."""
    while (free := connection.pragma("freelist_count")) > _spare(connection):
        connection.execute(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})").fetchall()
        if mine.is_over():
            return True
        if connection.pragma("freelist_count") >= free:  # a file from before auto_vacuum was on
            return False
    return False
