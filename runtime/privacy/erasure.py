"""What is kept of one person: what there is, and that it goes for good."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import scrypt
from itertools import islice
from typing import Final, TypeVar

import apsw
import msgspec

from runtime.connections import local, opt_outs
from runtime.engine.hands import Hands, WrongState
from runtime.journal import erasing, rejected
from runtime.journal.apply import ENDED
from runtime.journal.protocol import Journal, JournalError
from runtime.journal.rows import RejectedRow, RunRow, Tombstone
from runtime.journal.texts import Event, answers_of, events_of, runs_of
from runtime.journal.writes import Erase, KeepTombstone
from runtime.privacy.search import Marks, search
from runtime.privacy.traces import Keys

_RUNS_AT_ONCE: Final = 20  # of one commit, at most
_ROWS_AT_ONCE: Final = 100
_SHOWN: Final = 10  # runs of a message

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is kept of a person. Of runs and rejected deliveries, what lists show of them."""

    runs: list[RunRow]
    rejected: list[RejectedRow]
    events: list[Event]
    answers: list[tuple[str, bytes]]  # run, JSON
    persons: list[local.PersonRow]
    outbox: list[local.Message]
    tombstones: list[Tombstone]
    opted_out: bool  # somebody of the phone or email was erased who wanted no messages


class Counts(msgspec.Struct, frozen=True):
    """How much was erased."""

    runs: int
    rejected: int
    events: int
    answers: int
    persons: int
    outbox: int


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased; of the runs, how many were cancelled for it, and whether the log was cut off after it."""

    at: int
    counts: Counts
    cancelled: int
    log_is_clean: bool


async def _nothing() -> None:
    """All is on disk."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """Finds and erases. `flush` puts on disk what is not there yet; `salt` is the folder's own."""

    journal: Journal
    clock: Callable[[], int]
    hands: Hands
    salt: bytes
    flush: Callable[[], Awaitable[None]] = field(default=_nothing)

    async def find(self, keys: Keys) -> Kept:
        """What is kept now. Raises JournalError."""
        await self.flush()
        marks = await search(self.journal, keys)
        return await self._kept(keys, marks)

    async def erase(self, keys: Keys, *, cancel: bool = False) -> Erased:
        """Forget all of it, and keep a tombstone.

        Raises WrongState, with nothing erased, where runs that have not ended hold some of it, unless `cancel` says
        that they are to be cancelled; and JournalError, with some of it erased: to be asked for again.
        """
        await self.flush()
        marks = await search(self.journal, keys)
        live = [run for run in await self._runs(marks) if run.state not in ENDED]
        if live and not cancel:
            raise WrongState(f"{_not_over(live)}; until then nothing is erased")
        for run in live:
            await self._cancel(run.id)
        for write in _writes(marks):
            await self._erase(write)
        counts = Counts(**{name: len(getattr(marks, name)) for name in Counts.__struct_fields__})
        now = self.clock()
        if any(msgspec.structs.astuple(counts)):
            await self._bury(keys, now, counts)
        return Erased(now, counts, len(live), await self.journal.empty_log())

    async def _kept(self, keys: Keys, marks: Marks) -> Kept:
        read = self.journal.read
        return Kept(
            await self._runs(marks),
            await read(partial(rejected.rows_of, numbers=marks.rejected)),
            await read(partial(events_of, numbers=marks.events)),
            await read(partial(answers_of, runs=sorted(marks.answers))),
            await read(partial(local.persons_of, numbers=marks.persons)),
            await read(partial(local.messages_of, numbers=marks.outbox)),
            await self._tombstones(keys),
            await read(lambda connection: opt_outs.hold(connection, keys.phone, keys.email)),
        )

    async def _runs(self, marks: Marks) -> list[RunRow]:
        """Newest first."""
        found: list[RunRow] = []
        for numbers in _groups(sorted(marks.runs, reverse=True), _ROWS_AT_ONCE):
            found += await self.journal.read(partial(runs_of, numbers=numbers))
        return found

    async def _cancel(self, run_id: str) -> None:
        detail = await self.journal.run(run_id)
        if detail is not None and detail.run.state not in ENDED:
            await self.hands.cancel(detail)

    async def _erase(self, write: Erase) -> None:
        while True:
            await self.journal.commit(write)
            if write.lost:
                raise JournalError("some of it could not be erased: the server's log says why")
            if write.live:
                live = await self.journal.read(partial(runs_of, numbers=write.live))
                raise WrongState(f"{_not_over(live)}; then erase what is left")
            if not write.more:
                return

    async def _bury(self, keys: Keys, now: int, counts: Counts) -> None:
        for kind, value in keys.each():
            hashed = await self._hash(kind, value)
            await self.journal.commit(KeepTombstone(Tombstone(now, kind, msgspec.json.encode(counts)), hashed))

    async def _tombstones(self, keys: Keys) -> list[Tombstone]:
        found: list[Tombstone] = []
        for kind, value in keys.each():
            hashed = await self._hash(kind, value)
            found += await self.journal.read(partial(erasing.tombstones, kind=kind, hash_=hashed))
        return found

    async def _hash(self, kind: str, value: str) -> bytes:
        """A hash that takes long to compute: there are few enough phones to try them all."""
        secret = f"{kind}:{value}".encode()
        return await asyncio.to_thread(scrypt, secret, salt=self.salt, n=1 << 14, r=8, p=1, dklen=16)


def _writes(marks: Marks) -> Iterator[Erase]:
    """So much each that a commit of deliveries beside it is not delayed."""
    for runs in _groups(sorted(marks.runs), _RUNS_AT_ONCE):
        yield Erase(runs=runs)
    for numbers in _groups(sorted(marks.rejected), _RUNS_AT_ONCE):
        yield Erase(rejected=numbers)
    for numbers in _groups(sorted(marks.events), _ROWS_AT_ONCE):
        yield Erase(events=numbers)
    for ids in _groups(sorted(marks.answers), _ROWS_AT_ONCE):
        yield Erase(answers=ids)
    for numbers in _groups(sorted(marks.persons), _ROWS_AT_ONCE):
        yield Erase(beside=_forgets(persons=numbers))
    for numbers in _groups(sorted(marks.outbox), _ROWS_AT_ONCE):
        yield Erase(beside=_forgets(messages=numbers))


def _groups(rows: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    left = iter(rows)
    while group := tuple(islice(left, size)):
        yield group


def _forgets(persons: tuple[int, ...] = (), messages: tuple[int, ...] = ()) -> Callable[[apsw.Connection], None]:
    return lambda connection: local.erase(connection, persons, messages)


def _not_over(live: list[RunRow]) -> str:
    shown = ", ".join(f"{run.id} ({run.state})" for run in live[:_SHOWN])
    more = f" and {len(live) - _SHOWN} more" if len(live) > _SHOWN else ""
    runs = "a run that holds it has not ended" if len(live) == 1 else f"{len(live)} runs that hold it have not ended"
    return f"{runs}: {shown}{more}. Let them end, cancel them with `seta runs cancel ID`, or say --cancel-runs"
