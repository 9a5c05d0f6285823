"""The real journal without its threads: the loop commits, after a while, and a disk of chance lets it fail."""

import asyncio
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import apsw

from runtime.journal import sqlite
from runtime.journal.batch import Batch, BatchFuture
from runtime.journal.protocol import JournalError
from runtime.journal.reader import Reader
from runtime.journal.writer import Writer
from runtime.journal.writes import Prune, Write
from tests.faults.simulation.virtual import AtOnce

T = TypeVar("T")

Note = Callable[[str], None]


class Disk:
    """Takes a while for everything, and refuses some of it by chance until it is calm."""

    def __init__(self, chance: random.Random, note: Note, refused: list[float]) -> None:
        self.calm = False
        self.note = note
        self.refused = refused  # when a commit of the owner was
        self.owner = 0  # whose writes may be kept
        self._chance = chance

    async def work(self) -> None:
        """Take a while, now and then a long one."""
        slow = self._chance.random() < 0.02
        await asyncio.sleep(self._chance.uniform(0.2, 3.0) if slow else self._chance.uniform(0.0, 0.02))

    def fails(self) -> bool:
        """Whether something fails now."""
        return not self.calm and self._chance.random() < 0.03


class HeldWriter(Writer):
    """Commits on the loop. What a commit comes to is told a while after it is on disk, as it is by a real thread."""

    def __init__(self, disk: Disk, *args: Any) -> None:
        super().__init__(*args)
        self._disk = disk
        self._working: asyncio.Task[None] | None = None

    def _run(self) -> None:
        """Leave the work to the loop."""

    def commit(self, writes: Sequence[Write]) -> BatchFuture:
        """Add writes to the next batch."""
        for write in writes:
            if isinstance(write, Prune):
                write.seconds = 3600.0  # it looks at a clock that is not ours
        future = super().commit(writes)
        if self._working is None and not self._closing:
            self._working = self._loop.create_task(self._work())
        return future

    async def _work(self) -> None:
        await self._disk.work()
        while not self._closing and not self._queue.empty():
            batch = self._take()
            await self._disk.work()
            if self._closing:
                self._settle(batch, JournalError("the process is dead"))
                return
            error = self._commit(batch.writes)
            self._disk.note(f"{self._incarnation} commits {_names(batch.writes)}: {error or 'kept'}")
            if error is not None and self._incarnation == self._disk.owner:
                self._disk.refused.append(self._loop.time())
            assert error is not None or self._incarnation == self._disk.owner, "a process wrote that owns nothing"
            await self._disk.work()
            self._settle(batch, error)
        self._working = None

    def _take(self) -> Batch:
        batch = self._queue.get()
        assert isinstance(batch, Batch), "nobody asks for anything else here"
        if self._filling is batch:
            self._filling = None
        return batch

    def _transact(self, writes: Sequence[Write]) -> None:
        if self._disk.fails():
            raise apsw.IOError("torn cable")
        super()._transact(writes)

    async def close(self) -> None:
        """Die: what is not on disk is lost, and nobody is told of what is."""
        self._closing = True
        self._filling = None
        if self._working is not None:
            await asyncio.wait([self._working])
        while not self._queue.empty():
            self._settle(self._take(), JournalError("the process is dead"))
        self._drop()


def _names(writes: Sequence[Write]) -> str:
    return ", ".join(type(write).__name__ for write in writes)


class HeldReader(Reader):
    """Reads on the loop."""

    def __init__(self, disk: Disk, *args: Any) -> None:
        super().__init__(*args)
        self._executor = AtOnce()
        self._disk = disk

    async def read(self, query: Callable[[apsw.Connection], T]) -> T:
        """Run a query after a while, and tell after another what it found."""
        await self._disk.work()
        if self._disk.fails():
            raise JournalError("torn cable")
        found = await super().read(query)
        await self._disk.work()
        return found


def parts(disk: Disk) -> list[tuple[Any, str, Any]]:
    """What has to be put into the journal's room for one simulation: where, its name, what."""
    return [
        (sqlite, "Writer", partial(HeldWriter, disk)),
        (sqlite, "Reader", partial(HeldReader, disk)),
    ]
