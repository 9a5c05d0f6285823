"""The runs in memory: begun live or from the journal, and let go once their last write is on disk."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec

from runtime.beside import beside
from runtime.context import Run
from runtime.engine.answers import Unanswered
from runtime.engine.drive import Ending, drive
from runtime.engine.ids import encode
from runtime.engine.lanes import Lane, Lanes
from runtime.engine.leaving import Abandoned
from runtime.engine.life import Life, Shared
from runtime.engine.telling import tell_end
from runtime.journal.protocol import JournalError
from runtime.journal.rows import OpenRun, RunState, decoded_size
from runtime.journal.writes import Claim, LetGo, Move, Try
from runtime.program import NO_REQUEST, Program, Request
from runtime.shapes import MisfitError, NotJsonError

logger = logging.getLogger("seta.engine")


class UnknownPlan(Exception):  # noqa: N818  # a state that a run is in
    """The plan of a run can no longer be made; the message says why."""


FindProgram = Callable[[str, bytes | None], Awaitable[Program]]

_LARGE: Final = 1024 * 1024  # bytes of a body, decoded, for which the event loop does not wait

_read_request = msgspec.json.Decoder(Request).decode


class Runs:
    """Starts runs in places of the running set, and sees to what comes after them."""

    def __init__(self, shared: Shared, lanes: Lanes, find: FindProgram, reread_seconds: float) -> None:
        self.active: dict[int, str] = {}  # number -> id, until the commit of the last write
        self.arriving: set[str] = set()  # ids of those that begin as soon as their acceptance is known to be on disk
        self.gone: set[int] = set()  # numbers of those that left memory during a look into the journal
        self.work = asyncio.Event()  # set when some of the backlog may be begun
        self.left = asyncio.Event()  # set when a run gives its place back
        self.stopping = False
        self.reading = asyncio.Lock()  # held from a look into the journal until what was found has begun
        self._shared = shared
        self._journal = shared.around.journal
        self._lanes = lanes
        self._find = find
        self._reread_seconds = reread_seconds
        self._tasks: dict[asyncio.Task[None], Life] = {}
        self._searches: set[asyncio.Task[None]] = set()

    async def stop(self, grace: float) -> None:
        """Let what runs end for `grace` seconds, then leave the rest to the next start."""
        self.stopping = True
        answers = self._shared.answers
        answers.give_all_others(frozenset(self.active.values()))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in (*self._tasks, *self._searches):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._searches, return_exceptions=True)
        answers.give_all_others()
        await self._let_go()

    async def _let_go(self) -> None:
        """Say that no run is in memory any more, so that none is suspected of a death that was none."""
        try:
            await self._journal.commit(LetGo())
        except JournalError as error:
            logger.warning("the next start will suspect the runs that are left of a crash: %s", error)

    # --- begin

    def launch(self, life: Life, payload: Any, lane: Lane, size: int) -> asyncio.Task[None]:
        """Start a run of which the journal knows that it is in memory, in a place that was taken already.

        It was begun with so many bytes.
        """
        self._lanes.weigh(lane, size)
        self.active[life.seq] = life.run.id
        task = asyncio.get_running_loop().create_task(self._live(life, payload))
        self._tasks[task] = life

        def ended(task: asyncio.Task[None]) -> None:
            del self._tasks[task]
            self._lanes.weigh(lane, -size)
            self._lanes.release(lane)
            self.left.set()
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error("the engine failed at a run", exc_info=error)
            if self._lanes.should_refill(lane):
                self.work.set()

        task.add_done_callback(ended)
        return task

    async def begin(self, lane: Lane, rows: Sequence[OpenRun], *, on_trial: bool = False) -> list[asyncio.Task[None]]:
        """Take runs of one flow from the journal into places that were taken already; `reading` is held.

        The journal knows of all of them before one begins. Their records give what was done already. What cannot be
        begun now is read again. Raises JournalError.
        """
        left, tasks = deque(rows), list[asyncio.Task[None]]()
        self.active |= {row.seq: row.run_id for row in rows}
        try:
            await self._journal.commit(Try(rows[0].seq) if on_trial else Claim(tuple(self.active)))
            while left:
                tasks += await self._resume(lane, left[0])
                left.popleft()
        except BaseException:
            for row in left:
                self._lanes.release(lane)
                self._leave(row.seq)
            lane.fall_behind(left[0].seq)
            raise
        return tasks

    async def _resume(self, lane: Lane, row: OpenRun) -> list[asyncio.Task[None]]:
        run = Run(row.run_id, row.key, row.flow, row.received_at, row.plan)
        try:
            life, payload = await self._revive(row, run)
        except (UnknownPlan, NotJsonError, MisfitError) as unknown:
            self._lanes.release(lane)
            self._finish(run, row.seq, row.serial, _unknown(row.step, unknown))
            return []
        return [self.launch(life, payload, lane, row.size)]

    async def _revive(self, row: OpenRun, run: Run) -> tuple[Life, Any]:
        program = await self._program(row.plan)
        request = _read_request(row.context) if row.context else NO_REQUEST
        large = decoded_size(row.body) > _LARGE
        payload = await beside(program.read, row.body, request) if large else program.read(row.body, request)
        life = Life(run, row.seq, program, self._shared, request=request, records=row.steps, serial=row.serial)
        return life, payload

    async def _program(self, plan: str) -> Program:
        try:
            return await self._find(plan, None)
        except UnknownPlan:
            return await self._find(plan, await self._journal.plan(plan))

    def has(self, row: OpenRun) -> bool:
        """Whether a run is in memory, or will be as soon as its acceptance is known."""
        return row.seq in self.active or row.run_id in self.arriving

    def is_busy(self, row: OpenRun) -> bool:
        """Whether another run has the turn of this one, as the journal says or as only the memory knows."""
        if row.serial is None or row.busy:
            return row.busy
        others = (life for life in self._tasks.values() if life.seq != row.seq)
        return any(life.serial == row.serial and life.run.flow == row.flow for life in others)

    # --- by hand

    async def interrupt(self, seq: int) -> tuple[Life | None, list[str]]:
        """Stop a run where it is, if it is in memory; and its steps that were under way.

        It is not begun again before `cancelled` or `set_back`.
        """
        task, life = next(((task, life) for task, life in self._tasks.items() if life.seq == seq), (None, None))
        if task is None or life is None:
            return None, []
        doing = sorted(life.doing)
        task.cancel()
        await asyncio.wait([task])
        return life, doing

    def cancelled(self, seq: int, run_id: str, flow: str, serial: bytes | None) -> None:
        """See to what comes after a run that was ended by hand."""
        self._leave(seq)
        self._shared.counts.ended(flow, RunState.CANCELLED)
        self._settled(run_id, flow, serial, RunState.CANCELLED)

    def reopened(self, seq: int, flow: str) -> None:
        """Begin a run that may go on, when there is room."""
        self._lanes.of(flow).fall_behind(seq)
        self.work.set()

    # --- end

    async def _live(self, life: Life, payload: Any) -> None:
        try:
            ending = await drive(life, payload)
            await life.settle()
        except Abandoned:
            self._leave(life.seq)
        except JournalError as error:
            self.set_back(life.run.flow, life.seq, error)
        else:
            self._finish(life.run, life.seq, life.serial, ending)

    def _finish(self, run: Run, seq: int, serial: bytes | None, ending: Ending) -> None:
        """Write the last record without waiting for it; should it get lost, the run is read again."""
        now = self._shared.around.clock()
        move = Move(seq, ending.state, now, ending.wake_at, ending.attempt, ending.step, ending.error)

        def settled(kept: "asyncio.Future[None]") -> None:
            if (error := kept.exception()) is not None:
                self.set_back(run.flow, seq, error)
                return
            self._leave(seq)
            self._settled(run.id, run.flow, serial, ending.state)
            if ending.state is not RunState.WAITING:
                self._shared.counts.ended(run.flow, ending.state, now - run.at)
                tell_end(run, ending.state, ending.step, ending.error)

        self._journal.commit(move).add_done_callback(settled)

    def _settled(self, run_id: str, flow: str, serial: bytes | None, state: RunState) -> None:
        if state is RunState.WAITING:
            self._shared.alarm.set()
            return
        self._shared.answers.give(run_id, Unanswered.LATER if state is RunState.PARKED else Unanswered.FAILED)
        if serial is not None and not self.stopping:
            task = asyncio.get_running_loop().create_task(self._begin_next(flow, serial))
            self._searches.add(task)
            task.add_done_callback(self._searches.discard)

    def _leave(self, seq: int) -> None:
        """Let a run go. What a look into the journal that is under way finds of it may be of before."""
        self.active.pop(seq, None)
        if self.reading.locked():
            self.gone.add(seq)

    def set_back(self, flow: str, seq: int, error: BaseException) -> None:
        """The journal refused a record: the run is still open there, so read it again later."""
        logger.warning("a run is set back, the journal refused its record: %s", error)
        self._leave(seq)
        self._lanes.of(flow).fall_behind(seq)
        asyncio.get_running_loop().call_later(self._reread_seconds, self.work.set)

    async def _begin_next(self, flow: str, serial: bytes) -> None:
        """Begin the run that waited for another one with its serial key."""
        lane = self._lanes.of(flow)
        async with self.reading:
            self.gone.clear()
            try:
                row = await self._journal.next_of(flow, serial)
                if row is None or self.has(row) or self.is_busy(row) or row.deaths:
                    return  # a suspect waits for its trial
                if row.seq not in self.gone and self._lanes.room(lane) > 0:
                    self._lanes.take(lane)
                    await self.begin(lane, [row])
                    return
                lane.fall_behind(row.seq)
            except JournalError:
                lane.fall_behind(0)
        self.work.set()


def _unknown(step: str, why: Exception) -> Ending:
    told = {"step": step, "code": "diverged", "message": str(why), "attempt": 0}
    return Ending(RunState.PARKED, step, encode(told))
