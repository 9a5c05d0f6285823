"""Deliveries that did not fit, on their way to the journal. Nobody waits for them, and they hold nobody up."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from runtime.counts import Count
from runtime.engine.acceptance import context
from runtime.engine.ids import encode
from runtime.journal.protocol import Journal, JournalError
from runtime.journal.rows import Misfit
from runtime.journal.writes import Reject
from runtime.program import Program, Request
from runtime.shapes import Problem

KEEP: Final = 30 * 86_400_000  # ms, where the flow does not say
PAUSE_SECONDS: Final = 0.25  # between two commits

_MOST: Final = 1000  # that wait for a commit, of all flows
_MOST_BYTES: Final = 8 << 20
_SLICE: Final = 64  # of one commit
_SLICE_BYTES: Final = 1 << 20
_PROBLEMS_KEPT: Final = 100  # of one delivery: as many as its sender is told


class Rejects:
    """What waits for a commit, by flow. Where there is too much, the oldest go of the flow that has most bytes."""

    def __init__(self, journal: Journal, clock: Callable[[], int], new_id: Callable[[int], str]) -> None:
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self.kept, self.dropped = Count(), Count()
        self._pending: dict[str, _Queue] = {}
        self._some = asyncio.Event()
        self._committing = asyncio.Lock()  # held until what was taken is on disk

    def add(self, program: Program, body: bytes, request: Request, problems: Sequence[Problem]) -> None:
        """Take a delivery."""
        now = self._clock()
        until = now + (program.keep or KEEP)
        beside = context(program, request)
        misfit = Misfit(self._new_id(now), program.plan, now, until, body, beside, problems_kept(problems))
        self._pending.setdefault(program.flow, _Queue()).add(misfit)
        while self._is_too_much():
            self._drop()
        self._some.set()

    def _is_too_much(self) -> bool:
        number = sum(len(queue.misfits) for queue in self._pending.values())
        size = sum(queue.size for queue in self._pending.values())
        return number > 1 and (number > _MOST or size > _MOST_BYTES)

    def _drop(self) -> None:
        flow, queue = max(self._pending.items(), key=lambda entry: entry[1].size)
        queue.take()
        self.dropped.number += 1
        if not queue.misfits:
            del self._pending[flow]

    async def work(self) -> None:
        """Commit some of one flow, then rest."""
        await self._some.wait()
        await self._commit_some()
        await asyncio.sleep(PAUSE_SECONDS)

    async def flush(self) -> None:
        """Commit all that is left. Raises JournalError."""
        async with self._committing:
            while self._pending:
                await self._take_some()

    async def _commit_some(self) -> None:
        async with self._committing:
            if self._pending:
                await self._take_some()

    async def _take_some(self) -> None:
        """What is lost with a commit that fails is lost."""
        flow, queue = next(iter(self._pending.items()))
        misfits = queue.take_some()
        del self._pending[flow]
        if queue.misfits:
            self._pending[flow] = queue  # after the others
        if not self._pending:
            self._some.clear()
        try:
            await self._journal.commit(Reject(flow, misfits))
        except JournalError:
            self.dropped.number += len(misfits)
            raise
        self.kept.number += len(misfits)


def problems_kept(problems: Sequence[Problem]) -> bytes:
    """What is kept of the problems of a delivery."""
    return encode(problems[:_PROBLEMS_KEPT])


class _Queue:
    """The deliveries of one flow, oldest first."""

    def __init__(self) -> None:
        self.misfits: deque[Misfit] = deque()
        self.size = 0

    def add(self, misfit: Misfit) -> None:
        self.misfits.append(misfit)
        self.size += _size(misfit)

    def take(self) -> Misfit:
        misfit = self.misfits.popleft()
        self.size -= _size(misfit)
        return misfit

    def take_some(self) -> tuple[Misfit, ...]:
        taken = [self.take()]
        left = _SLICE_BYTES - _size(taken[0])
        while self.misfits and len(taken) < _SLICE and (left := left - _size(self.misfits[0])) >= 0:
            taken.append(self.take())
        return tuple(taken)


def _size(misfit: Misfit) -> int:
    return len(misfit.body) + len(misfit.context) + len(misfit.problems)
