"""Looking through all that is kept for one person, in pages of some milliseconds."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from runtime.connections import local
from runtime.journal.protocol import Journal
from runtime.journal.texts import PLACES, Place, look
from runtime.privacy.traces import Keys, Traces

PAUSE_SECONDS: Final = 0.005  # between two pages, so that a server's own work is not delayed


@dataclass(slots=True)
class Marks:
    """Where a person's data stands: numbers of rows, and of answers the ids of their runs."""

    runs: set[int] = field(default_factory=set)
    rejected: set[int] = field(default_factory=set)
    events: set[int] = field(default_factory=set)
    answers: set[str] = field(default_factory=set)
    persons: set[int] = field(default_factory=set)
    outbox: set[int] = field(default_factory=set)

    def add(self, place: Place, found: list[Any]) -> None:
        """Take in what a place gave."""
        getattr(self, place.of).update(found)


async def search(journal: Journal, keys: Keys) -> Marks:
    """Find all rows that hold a key, or the id of a person that is known by one. Raises JournalError."""
    marks = Marks()
    for place in (local.PERSONS, local.PERSON_KEYS):
        await _through(journal, place, Traces(keys), marks)
    persons = await journal.read(partial(local.persons_of, numbers=marks.persons))
    traces = Traces(keys, [person.id for person in persons])
    for place in (*PLACES, local.OUTBOX):
        await _through(journal, place, traces, marks)
    return marks


async def _through(journal: Journal, place: Place, traces: Traces, marks: Marks) -> None:
    cursor = place.start
    while True:
        seen = await journal.read(partial(look, place=place, after=cursor, is_wanted=traces.are_in))
        marks.add(place, seen.found)
        if seen.next is None:
            return
        cursor = seen.next
        await asyncio.sleep(PAUSE_SECONDS)
