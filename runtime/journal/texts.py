"""Everything that was written down of what people sent, row by row: for who looks for one person in all of it."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import apsw

from runtime.journal.queries import runs_by_number
from runtime.journal.rows import RunRow

Cursor = tuple[int | str | bytes, ...]
Text = bytes | str | None

# Of one read, or of one row where it is longer: no more than what the interpreter gives a thread before it gives way,
# so that deliveries beside it are answered as fast as ever.
SLICE_SECONDS: Final = 0.005
_NUMBERS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A table. The query gives rows above a cursor: the columns of the cursor, whose the row is, and its texts."""

    of: str  # what its rows are of: runs, by their numbers, answers, by their runs' ids, or its own rows
    query: str
    start: Cursor = (0,)


PLACES: Final = (
    Place("runs", "SELECT run, run, body, context, notes FROM deliveries WHERE run > ? ORDER BY run"),
    Place("runs", "SELECT seq, seq, error FROM runs WHERE seq > ? ORDER BY seq"),
    Place("runs", "SELECT n, run, value, step FROM steps WHERE n > ? ORDER BY n"),
    Place("runs", "SELECT run, step, run, key FROM waiters WHERE (run, step) > (?, ?) ORDER BY run, step", (0, "")),
    Place("answers", "SELECT flow, key, run, answer FROM dedupe WHERE (flow, key) > (?, ?) ORDER BY 1, 2", ("", b"")),
    Place("events", "SELECT n, n, key, value FROM events WHERE n > ? ORDER BY n"),
    Place("rejected", "SELECT n, n, body, context, problems FROM rejected WHERE n > ? ORDER BY n"),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Some rows of a place: whose those are in which something was found, and where to go on, unless it is the end."""

    found: list[Any]
    next: Cursor | None


def look(connection: apsw.Connection, place: Place, after: Cursor, is_wanted: Callable[[Iterable[Text]], bool]) -> Seen:
    """Look through rows above a cursor, for a short time."""
    end = time.monotonic() + SLICE_SECONDS
    width, found = len(place.start), []
    rows: Any = connection.execute(place.query, after)
    for row in rows:
        if is_wanted(row[width + 1 :]):
            found.append(row[width])
        if time.monotonic() > end:
            return Seen(found, row[:width])
    return Seen(found, None)


@dataclass(frozen=True, slots=True)
class Event:
    """An event that is kept."""

    number: int
    name: str
    key: str
    value: bytes
    at: int


_EVENT: Final = "SELECT n, name, key, value, at FROM events WHERE n = ?"
_ANSWERS: Final = "SELECT run, answer FROM dedupe WHERE run = ? AND answer <> x''"


def runs_of(connection: apsw.Connection, numbers: Iterable[int]) -> list[RunRow]:
    """The runs of these numbers that there still are, newest first."""
    return sorted(runs_by_number(connection, list(numbers)), key=lambda run: -run.seq)


def events_of(connection: apsw.Connection, numbers: Iterable[int]) -> list[Event]:
    """The events of these numbers that there still are."""
    rows: Any = [connection.execute(_EVENT, (number,)).fetchone() for number in numbers]
    return [Event(*row) for row in rows if row is not None]


def answers_of(connection: apsw.Connection, runs: Iterable[str]) -> list[tuple[str, bytes]]:
    """The answers that are kept for repeats of these runs' deliveries, each with its run's id."""
    found: Any = [row for run in runs for row in connection.execute(_ANSWERS, (run,))]
    return [(run, answer) for run, answer in found]
