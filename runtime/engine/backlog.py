"""What waits in the journal: begun when there is room, woken when its time has come."""

import asyncio

from runtime.engine.lanes import Lane, Lanes
from runtime.engine.life import Shared
from runtime.engine.runs import Runs
from runtime.journal.protocol import Move, RunState

_LONGEST_SLEEP = 60.0  # seconds


class Backlog:
    """Reads the journal for runs that the running set has room for."""

    def __init__(self, shared: Shared, lanes: Lanes, runs: Runs) -> None:
        self._around = shared.around
        self._journal = shared.around.journal
        self._alarm = shared.alarm
        self._lanes = lanes
        self._runs = runs
        self._found = False

    async def refill(self) -> None:
        """Fill the running set, flow after flow, each in the order of acceptance."""
        await self._runs.work.wait()
        self._runs.work.clear()
        if not self._found:
            for flow in await self._journal.open_flows():
                self._lanes.of(flow)
            self._found = True
        while (lane := self._lanes.next_behind()) is not None:
            async with self._runs.reading:
                await self._begin_some(lane)

    async def _begin_some(self, lane: Lane) -> None:
        seen, cursor = lane.news, lane.cursor
        rows = await self._journal.open_runs(cursor, self._lanes.share(lane), lane.flow)
        for row in rows:
            busy = self._runs.is_busy(row)
            if not busy and self._lanes.room(lane) <= 0:
                break
            if not busy:
                await self._runs.resume(row)
            if lane.cursor != cursor:  # set back meanwhile
                break
            lane.cursor = cursor = row.seq
        if not rows and seen == lane.news:
            lane.behind = False

    async def wake(self) -> None:
        """Let runs go on whose time has come, then sleep until the next one's."""
        self._alarm.clear()
        now = self._around.clock()
        rows = await self._journal.due_runs(now, self._lanes.places)
        rows = [row for row in rows if row.seq not in self._runs.active]
        if not rows:
            await self._sleep_until(await self._journal.next_wake())
            return
        moves = [Move(row.seq, RunState.RUNNING, now, None, row.attempt, row.step) for row in rows]
        await self._journal.commit(*moves)
        for row in rows:
            self._lanes.of(row.flow).fall_behind(row.seq)
        self._runs.work.set()

    async def _sleep_until(self, instant: int | None) -> None:
        seconds = _LONGEST_SLEEP if instant is None else max(0.01, (instant - self._around.clock()) / 1000)
        try:
            async with asyncio.timeout(min(seconds, _LONGEST_SLEEP)):
                await self._alarm.wait()
        except TimeoutError:
            return
