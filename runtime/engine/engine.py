"""The embedded engine: accepts deliveries, runs them at once or when there is room, and goes on with what waits."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.context import Run
from runtime.engine.acceptance import complete
from runtime.engine.answers import Accepted, from_record
from runtime.engine.backlog import Backlog
from runtime.engine.hands import Hands
from runtime.engine.ids import uuid7
from runtime.engine.lanes import Lane, Lanes
from runtime.engine.life import Life, Shared, Surroundings
from runtime.engine.rejected import Rejects
from runtime.engine.rejudging import Again
from runtime.engine.retention import Retention
from runtime.engine.runs import FindProgram, Runs, UnknownPlan
from runtime.engine.starting import Start
from runtime.engine.steady import Steady, Watch
from runtime.engine.suspects import Suspects
from runtime.journal.protocol import JournalError
from runtime.journal.rows import RunState, decoded_size
from runtime.journal.writes import Accept, KeepGeneration, KeepPlan
from runtime.program import NO_REQUEST, Program, Request
from runtime.shapes import Problem

__all__ = ["Engine", "FindProgram", "Limits", "UnknownPlan"]

logger = logging.getLogger("seta.engine")

DAY = 86_400_000  # ms


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one server. What does not fit waits in the journal, not in memory."""

    running: int = 256
    load: int = 64 * 1024 * 1024  # bytes of bodies and of the records that runs go on with, decoded, at the same time
    reread_seconds: float = 1.0  # pause after the journal refused something
    trial_seconds: float = 1.0  # that a run which was in memory at a crash is watched for, before the next one
    keep_events: int = 30 * DAY  # ms that an event is kept, or longer where a flow waits longer


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
        self._limits = limits or Limits()
        self._clock = around.clock
        self._journal = around.journal
        self._entropy = entropy
        self._shared = Shared(around, self._limits.keep_events)
        self._lanes = Lanes(self._limits.running, self._limits.load)
        self._runs = Runs(self._shared, self._lanes, find, self._limits.reread_seconds)
        self._backlog = Backlog(self._shared, self._lanes, self._runs)
        self._suspects = Suspects(self._shared, self._lanes, self._runs, self._limits.trial_seconds)
        self._retention = Retention(around.journal, around.clock)
        self._start = Start(around.journal, around.clock, self._new_id, self._begin)
        self.again = Again.of(self._start)
        self.rejects = Rejects(around.journal, around.clock, self._new_id)
        self.hands = Hands(around.journal, around.clock, self._runs)
        self.counts = self._shared.counts
        self._keepers: list[asyncio.Task[None]] = []

    # --- life

    def start(self) -> None:
        """Go on with what the journal holds, and with what will be due."""
        loop = asyncio.get_running_loop()
        for run in self._journal.poisoned:
            self.counts.ended(run.flow, RunState.DEAD, run.lived)
        self._runs.work.set()
        works = (
            self._backlog.refill,
            self._backlog.wake,
            self._suspects.work,
            self._retention.work,
            self.rejects.work,
        )
        steady = self._shared.around.steady
        watches = [Watch(self._journal, steady, self._shared.alarm).work] if isinstance(steady, Steady) else []
        self._keepers = [loop.create_task(self._keep_at(work)) for work in (*works, *watches)]

    def look(self) -> None:
        """Look at the clock now: it was moved, and runs may be due."""
        self._shared.alarm.set()

    async def stop(self, grace: float) -> None:
        """Start nothing more; let what runs end for `grace` seconds, then leave the rest to the next start."""
        for keeper in self._keepers:
            keeper.cancel()
        await self._runs.stop(grace)
        await asyncio.gather(*self._keepers, return_exceptions=True)
        try:
            await self.keep_rejected()
        except JournalError as error:
            logger.warning("some rejected deliveries are lost: %s", error)

    async def keep_rejected(self) -> None:
        """Put on disk what was rejected until now. Raises JournalError."""
        await self.rejects.flush()

    async def keep(self, programs: Mapping[str, Program], *beside: KeepGeneration) -> None:
        """Keep the sources of these programs, so that their runs can end on them, and in the same commit the rest.

        They are the flows from now on. Raises JournalError; then nothing has changed.
        """
        now = self._clock()
        self._retention.hold(program.plan for program in programs.values())
        plans = (KeepPlan(program.plan, program.flow, program.sources, now) for program in programs.values())
        writes: list[KeepPlan | KeepGeneration] = [*plans, *beside]
        await self._journal.commit(*writes)
        if any(write.lost for write in writes):
            raise JournalError("the plans could not be kept")
        self._retention.need(program.plan for program in programs.values())
        for program in programs.values():
            self._lanes.limit(program.flow, program.concurrency)
        self._start.programs = dict(programs)
        # never less than the limits say: runs of flows that are gone may wait for events too
        self._shared.keep_events = max(self._limits.keep_events, *(program.waits for program in programs.values()), 0)

    def adopt(self, around: Surroundings) -> None:
        """Let steps find this configuration, these secrets and verbs from now on, also those of runs under way."""
        self._shared.around = around

    @property
    def running(self) -> int:
        """How many runs are in memory."""
        return self._lanes.taken

    async def _keep_at(self, work: Callable[[], Any]) -> None:
        """Repeat a piece of work for the life of the server, whatever the journal says in between."""
        while True:
            try:
                await work()
            except Exception as error:
                known = isinstance(error, JournalError)
                logger.warning("the engine reads the journal again: %s", error, exc_info=not known)
                await asyncio.sleep(self._limits.reread_seconds)
                self._runs.work.set()

    # --- accept

    async def accept(
        self, program: Program, payload: Any, body: bytes, notes: bytes = b"", request: Request = NO_REQUEST
    ) -> Accepted:
        """Commit a delivery and start its run. Raises JournalError; then nothing is kept."""
        now = self._clock()
        run_id = self._new_id(now)
        accept = Accept(run_id, run_id, program.flow, program.plan, now, body, notes=notes)
        complete(accept, program, payload, request)
        lane = self._lanes.of(program.flow)
        answer = self._shared.answers.expect(run_id) if program.responds else None
        try:
            begun = await self._commit(accept, lane)
        except BaseException:
            if answer is not None:
                answer.cancel()
            raise
        if accept.first:
            if answer is not None:
                answer.cancel()
            return Accepted(
                accept.first, None, repeat=True, recorded=from_record(accept.answer) if accept.answer else None
            )
        if begun:
            run = Run(run_id, run_id, program.flow, now, program.plan)
            life = Life(run, accept.seq, program, self._shared, request=request, serial=accept.serial)
            self._runs.launch(life, payload, lane, decoded_size(body))
        elif not accept.busy:  # else the end of the one before begins it
            self._begin(program.flow)
        return Accepted(run_id, answer)

    def reject(self, program: Program, body: bytes, request: Request, problems: Sequence[Problem]) -> None:
        """Keep a delivery that does not fit its flow, soon: a crash before that, or a flood of them, loses it."""
        self.rejects.add(program, body, request, problems)

    def _new_id(self, now: int) -> str:
        return uuid7(now, self._entropy(10))

    def _begin(self, flow: str) -> None:
        """Begin what was put into the journal, when there is room."""
        self._lanes.of(flow).fall_behind()
        self._runs.work.set()

    async def _commit(self, accept: Accept, lane: Lane) -> bool:
        """Put a delivery on disk; whether it is to begin now, in a place of the running set that it has then."""
        room = not lane.behind and not self._runs.stopping and self._lanes.room(lane) > 0
        accept.running = room
        if room:
            self._lanes.take(lane)
            self._runs.arriving.add(accept.run_id)
        begun = False
        try:
            await self._journal.commit(accept)
            if accept.lost:
                raise JournalError("the delivery could not be kept")
            begun = room and not accept.first and not accept.busy
        except asyncio.CancelledError:  # who asked is gone; the delivery may be on disk, where its run is found
            lane.fall_behind(accept.seq)
            self._runs.work.set()
            raise
        finally:
            self._runs.arriving.discard(accept.run_id)
            if room and not begun:
                self._lanes.release(lane)
        return begun
