"""What waits in the journal: begun when there is room, woken when its time has come."""

import asyncio

from runtime.engine.lanes import Lane, Lanes
from runtime.engine.life import Shared
from runtime.engine.runs import Runs
from runtime.journal.rows import OpenRun
from runtime.journal.writes import Wake

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
        seen, cursor = lane.news, lane.read_on()
        self._runs.gone.clear()
        page = (cursor, self._lanes.share(lane), self._lanes.spare(lane))
        rows = await self._journal.open_runs_of(lane.flow, *page)
        if not rows and seen == lane.news:
            lane.behind = False
        if lane.cursor == cursor and (chosen := self._chosen(lane, rows)):  # else it was set back meanwhile
            await self._runs.begin(lane, chosen)

    def _chosen(self, lane: Lane, rows: list[OpenRun]) -> list[OpenRun]:
        """Those that may begin, in places that they have then; the backlog is read up to there."""
        chosen = []
        for row in rows:
            if row.seq >= lane.returned or row.seq in self._runs.gone:  # it is not as it was read, or not the next one
                break
            if not self._runs.has(row) and not self._runs.is_busy(row):
                if self._lanes.room(lane) <= 0:
                    break
                self._lanes.take(lane)
                chosen.append(row)
            lane.cursor = row.seq
        return chosen

    async def wake(self) -> None:
        """Let runs go on whose time has come, then sleep until the next one's."""
        self._alarm.clear()
        now = self._around.steadily()
        rows = await self._journal.due_runs(now, self._lanes.places)
        rows = [row for row in rows if row.seq not in self._runs.active]
        if not rows:
            await self._sleep_until(await self._journal.next_wake())
            return
        await self._journal.commit(Wake(tuple(row.seq for row in rows)))
        for row in rows:
            self._lanes.of(row.flow).fall_behind(row.seq)
        self._runs.work.set()

    async def _sleep_until(self, instant: int | None) -> None:
        seconds = _LONGEST_SLEEP if instant is None else max(0.01, (instant - self._around.steadily()) / 1000)
        try:
            async with asyncio.timeout(min(seconds, _LONGEST_SLEEP)):
                await self._alarm.wait()
        except TimeoutError:
            return
