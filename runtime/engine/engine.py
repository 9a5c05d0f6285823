"""The embedded engine: accepts deliveries, runs them at once or when there is room, and goes on with what waits."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from runtime.context import Run, Suspended
from runtime.engine.ids import encode, uuid7
from runtime.engine.run_context import Abandoned, Diverged, Parked, RunContext, Surroundings
from runtime.failures import StepFailure
from runtime.journal.protocol import Accept, JournalError, KeepPlan, Move, OpenRun, RunState
from runtime.program import Place, Program
from runtime.shapes import MisfitError, NotJsonError

logger = logging.getLogger("seta.engine")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one server. What does not fit waits in the journal, not in memory."""

    running: int = 256
    reread_seconds: float = 1.0  # pause after the journal refused something


class UnknownPlan(Exception):  # noqa: N818  # a state that a run is in
    """The plan of a run can no longer be made; the message says why."""


FindProgram = Callable[[str, bytes | None], Program]


class Engine:
    """One server's runs. All methods are called on the event loop.

    `find` gives the program of a plan, from its hash and the bundle kept with it, or raises UnknownPlan.
    """

    def __init__(
        self,
        around: Surroundings,
        find: FindProgram,
        entropy: Callable[[int], bytes],
        limits: Limits | None = None,
    ) -> None:
        self._around = around
        self._journal = around.journal
        self._find = find
        self._entropy = entropy
        self._limits = limits or Limits()
        self._active: set[int] = set()  # until the commit of their last record
        self._tasks: set[asyncio.Task[None]] = set()
        self._taken = 0  # places in the running set, given to tasks or to deliveries being accepted
        self._cursor = 0  # the backlog is read up to this sequence number
        self._behind = True  # there may be runs in the journal that nobody runs: so at every start
        self._news = 0  # counts what made the backlog longer, to see what comes while it is read
        self._work = asyncio.Event()
        self._alarm = asyncio.Event()
        self._stopping = False
        self._keepers: list[asyncio.Task[None]] = []

    # --- life

    def start(self) -> None:
        """Go on with what the journal holds, and with what will be due."""
        loop = asyncio.get_running_loop()
        self._work.set()
        self._alarm.set()
        self._keepers = [loop.create_task(self._keep(self._refill)), loop.create_task(self._keep(self._wake))]

    async def stop(self, grace: float) -> None:
        """Start nothing more; let what runs end for `grace` seconds, then leave the rest to the next start."""
        self._stopping = True
        for keeper in self._keepers:
            keeper.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._keepers, *self._tasks, return_exceptions=True)

    async def keep(self, programs: Mapping[str, Program]) -> None:
        """Keep the sources of these programs, so that their runs can end on them."""
        now = self._around.clock()
        await self._journal.commit(
            *(KeepPlan(program.plan, program.flow, program.sources, now) for program in programs.values())
        )

    @property
    def running(self) -> int:
        """How many runs are in memory."""
        return self._taken

    # --- accept

    async def accept(self, program: Program, payload: Any, body: bytes, notes: bytes = b"") -> str:
        """Commit a delivery and start its run. Raises JournalError; then nothing is kept."""
        now = self._around.clock()
        run_id = uuid7(now, self._entropy(10))
        room = not self._behind and not self._stopping and self._taken < self._limits.running
        accept = Accept(run_id, run_id, program.flow, program.plan, now, body, notes=notes, running=room)
        self._taken += room
        try:
            await self._journal.commit(accept)
        except BaseException:
            self._taken -= room
            raise
        if room:
            run = Run(run_id, run_id, program.flow, now, program.plan)
            self._launch(accept.seq, program, payload, RunContext(run, accept.seq, self._around))
        else:
            self._fall_behind()
            self._work.set()
        return run_id

    # --- run

    def _launch(self, seq: int, program: Program, payload: Any, context: RunContext) -> None:
        """Start a task in a place of the running set that was taken already."""
        self._active.add(seq)
        task = asyncio.get_running_loop().create_task(self._drive(seq, program, payload, context))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._taken -= 1
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("the engine failed at a run", exc_info=error)
        if self._behind and self._taken <= self._limits.running // 2:
            self._work.set()

    async def _drive(self, seq: int, program: Program, payload: Any, context: RunContext) -> None:
        try:
            stopped = await program.run(payload, context)
        except Suspended:
            self._active.discard(seq)
            self._alarm.set()
        except (Abandoned, Parked):
            self._active.discard(seq)
        except JournalError as error:
            self._set_back(seq, error)
        except Diverged as diverged:
            self._end(seq, program, context, RunState.PARKED, StepFailure("diverged", str(diverged)))
        except StepFailure as failure:
            self._end(seq, program, context, RunState.DEAD, failure)
        except Exception as error:
            logger.exception("run %s of %s: a fault in the flow or in Seta", context.run.id, program.flow)
            fault = StepFailure("internal", f"{type(error).__name__} (see the server's log)")
            fault.__traceback__ = error.__traceback__
            self._end(seq, program, context, RunState.DEAD, fault)
        else:
            self._end(seq, program, context, RunState.STOPPED if stopped else RunState.DONE)

    def _end(
        self, seq: int, program: Program, context: RunContext, state: RunState, failure: StepFailure | None = None
    ) -> None:
        """Write the last record without waiting for it; should it get lost, the run is read again."""
        step, told = "", b""
        if failure is not None:
            step, told = explain(program, context, failure)
        move = Move(seq, state, self._around.clock(), step=step, error=told)
        self._journal.commit(move).add_done_callback(lambda kept: self._settled(seq, kept))

    def _settled(self, seq: int, kept: "asyncio.Future[None]") -> None:
        if (error := kept.exception()) is None:
            self._active.discard(seq)
        else:
            self._set_back(seq, error)

    def _set_back(self, seq: int, error: BaseException) -> None:
        """The journal refused a record: the run is still open there, so read it again later."""
        logger.warning("a run is set back, the journal refused its record: %s", error)
        self._active.discard(seq)
        self._read_again()

    def _fall_behind(self) -> None:
        self._news += 1
        self._behind = True

    def _read_again(self) -> None:
        self._cursor = 0
        self._fall_behind()
        asyncio.get_running_loop().call_later(self._limits.reread_seconds, self._work.set)

    # --- go on from the journal

    async def _keep(self, work: Callable[[], Any]) -> None:
        """Repeat a piece of work for the life of the server, whatever the journal says in between."""
        while True:
            try:
                await work()
            except Exception as error:
                known = isinstance(error, JournalError)
                logger.warning("the engine reads the journal again: %s", error, exc_info=not known)
                self._read_again()
                await asyncio.sleep(self._limits.reread_seconds)

    async def _refill(self) -> None:
        """Fill the running set from the backlog, in the order of acceptance."""
        await self._work.wait()
        self._work.clear()
        while self._behind and (room := self._limits.running - self._taken) > 0:
            seen, cursor = self._news, self._cursor
            rows = await self._journal.open_runs(cursor, room)
            for row in rows:
                await self._resume(row)
                if cursor != self._cursor:
                    break
                self._cursor = cursor = row.seq
            if not rows and seen == self._news:
                self._behind = False

    async def _wake(self) -> None:
        """Go on with runs whose time has come, then sleep until the next one's."""
        self._alarm.clear()
        rows = await self._journal.due_runs(self._around.clock(), self._limits.running)
        rows = [row for row in rows if row.seq not in self._active]
        now = self._around.clock()
        moves = [Move(row.seq, RunState.RUNNING, now, None, row.attempt, row.step) for row in rows]
        if moves:
            await self._journal.commit(*moves)
            for row in rows:
                await self._place()
                await self._resume(row)
            return
        await self._sleep_until(await self._journal.next_wake())

    async def _place(self) -> None:
        """Wait for a place in the running set."""
        while self._taken >= self._limits.running:
            if self._tasks:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(0)  # all places are held by deliveries that are being committed

    async def _sleep_until(self, instant: int | None) -> None:
        seconds = 60.0 if instant is None else max(0.01, (instant - self._around.clock()) / 1000)
        try:
            async with asyncio.timeout(min(seconds, 60.0)):
                await self._alarm.wait()
        except TimeoutError:
            return

    async def _resume(self, row: OpenRun) -> None:
        """Run again what the journal holds; its records give what was done already."""
        if row.seq in self._active:
            return
        self._active.add(row.seq)
        self._taken += 1
        try:
            program = await self._program(row.plan)
            payload = program.payload.decode(row.body).payload
            steps = await self._journal.steps(row.seq)
        except (UnknownPlan, NotJsonError, MisfitError) as unknown:
            self._taken -= 1
            told = encode({"step": row.step, "code": "diverged", "message": str(unknown), "attempt": 0})
            move = Move(row.seq, RunState.PARKED, self._around.clock(), step=row.step, error=told)
            self._journal.commit(move).add_done_callback(lambda kept: self._settled(row.seq, kept))
            return
        except BaseException:
            self._taken -= 1
            self._active.discard(row.seq)
            raise
        run = Run(row.run_id, row.key, row.flow, row.received_at, row.plan)
        self._launch(row.seq, program, payload, RunContext(run, row.seq, self._around, steps, (row.step, row.attempt)))

    async def _program(self, plan: str) -> Program:
        try:
            return self._find(plan, None)
        except UnknownPlan:
            return self._find(plan, await self._journal.plan(plan))


def explain(program: Program, context: RunContext, failure: StepFailure) -> tuple[str, bytes]:
    """The step that failed and the JSON that is kept of it. A pure step is found by its place in the text."""
    place = _place_in(program, failure.__traceback__) or program.place(context.step_now)
    step = place.step if place else context.step_now
    told = {
        "step": step,
        "code": failure.code,
        "message": failure.message,
        "attempt": context.attempt if step == context.step_now else 1,
        "where": f"{program.filename}:{place.line}:{place.column}" if place else program.filename,
    }
    return step, encode(told)


def _place_in(program: Program, trace: TracebackType | None) -> Place | None:
    found = None
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == program.code.co_filename:
            line, _, column, _ = list(code.co_positions())[trace.tb_lasti // 2]
            if line is not None and column is not None:
                found = program.place_of((line, column)) or found
        trace = trace.tb_next
    return found
