"""What was in memory when the server died, one run after the other: which of them it was that killed it shows soon.

A suspect is on trial for a while, and no other one begins before it has left memory or that time is over. After one
death other runs run beside it. After a second one it is begun with nothing beside it: only so does a death tell that it
was this run. The time doubles with each death, so that also what kills late is found.
"""

import asyncio
from collections import deque
from typing import Final

from runtime.engine.lanes import Lane, Lanes
from runtime.engine.life import Shared
from runtime.engine.runs import Runs
from runtime.journal.rows import OpenRun, Suspect

_MOST_DOUBLINGS: Final = 12


class Suspects:
    """Begins the suspects that the journal knew when it was opened: there are no others."""

    def __init__(self, shared: Shared, lanes: Lanes, runs: Runs, trial_seconds: float) -> None:
        self._journal = shared.around.journal
        self._lanes = lanes
        self._runs = runs
        self._trial_seconds = trial_seconds
        self._left = deque(self._journal.suspects)
        lanes.closed = self._one_is_to_be_alone()

    async def work(self) -> None:
        """See to the next one."""
        if not self._left:
            await asyncio.Event().wait()  # until the server stops
        suspect = self._left[0]
        tasks = await self._begin(suspect)
        if tasks:
            await asyncio.wait(tasks, timeout=self._seconds(suspect))
        self._left.popleft()
        if self._lanes.closed and not self._one_is_to_be_alone():
            self._lanes.closed = False
            self._runs.work.set()

    def _one_is_to_be_alone(self) -> bool:
        return bool(self._left) and self._left[0].deaths > 1

    def _seconds(self, suspect: Suspect) -> float:
        return self._trial_seconds * 2.0 ** min(suspect.deaths - 1, _MOST_DOUBLINGS)

    async def _begin(self, suspect: Suspect) -> list[asyncio.Task[None]]:
        lane = self._lanes.of(suspect.flow)
        await self._take_place(lane)
        async with self._runs.reading:
            row = await self._find(suspect, lane)
            return [] if row is None else await self._runs.begin(lane, [row], on_trial=True)

    async def _take_place(self, lane: Lane) -> None:
        """Take a place before there is one, so that the next one that is free is this."""
        self._lanes.take(lane)
        try:
            while self._lanes.is_over(lane):
                self._runs.left.clear()
                await self._runs.left.wait()
        except BaseException:
            self._lanes.release(lane)
            raise

    async def _find(self, suspect: Suspect, lane: Lane) -> OpenRun | None:
        """The suspect, or None and its place back where somebody ended it meanwhile."""
        row = None
        try:
            row = await self._journal.open_run(suspect.seq)
        finally:
            if row is None or row.seq in self._runs.active:
                self._lanes.release(lane)
                row = None
        return row
