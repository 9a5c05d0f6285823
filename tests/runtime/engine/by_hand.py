"""Programs written in a test, as generated code would look, on servers that are killed and started again."""

import asyncio
import json
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from types import CodeType
from typing import Any

from runtime.context import Call, Policy, RemoteVerb, StepSpec
from runtime.engine.answers import Accepted
from runtime.engine.engine import Engine, Limits, UnknownPlan
from runtime.engine.life import Surroundings
from runtime.engine.steady import Boot, Steady
from runtime.failures import Kind, StepFailure
from runtime.journal import SqliteJournal, open_journal
from runtime.journal.rows import RunDetail, RunState
from runtime.program import NO_REQUEST, Place, Program, Request
from runtime.shapes import anything, field, reader, record

PAYLOAD = record("Payload", field("n", anything, required=False))
FAST = Policy(low=1, high=1)
read_json = reader(anything)

Flow = Callable[[Any, Any], Awaitable[bool]]


def now() -> int:
    """The wall clock in ms."""
    return time.time_ns() // 1_000_000


def program(run: Flow, flow: str = "f", **clauses: Any) -> Program:
    """A flow whose code is a function of a test."""
    code: CodeType = run.__code__
    return Program(
        flow=flow,
        plan=f"plan-{flow}",
        path=None,
        limit=1_000_000,
        responds=clauses.pop("responds", False),
        payload=PAYLOAD,
        run=run,
        filename="flows/test.seta",
        places=clauses.pop("places", ()),
        code=code,
        sources=b"{}",
        **clauses,
    )


def place(step: str, function: Any, line: int) -> Place:
    """The place of a step on a line of a function, counted from its `def`."""
    first = function.__code__.co_firstlineno
    return Place(step, line, 1, (first + line, 0), (first + line + 1, 0))


def put(step: str, **rest: Any) -> StepSpec:
    """An effect that may be repeated."""
    return StepSpec(step, "do", "idempotent", **{"policy": FAST, **rest})


def send(step: str, **rest: Any) -> StepSpec:
    """An effect that must not be repeated."""
    return StepSpec(step, "do", "once", **{"policy": FAST, **rest})


class World:
    """What steps do: by step id, a list of outcomes of its attempts, the last for ever; an event is waited for."""

    def __init__(self, **outcomes: Any) -> None:
        self.outcomes = {step: list(value) if isinstance(value, list) else [value] for step, value in outcomes.items()}
        self.calls: list[str] = []
        self.keys: dict[str, set[str]] = {}
        self.most = 0
        self.waits: list[int] = []  # of the next attempts before their turn, in ms
        self._now = 0

    async def perform(self, call: Call) -> Any:
        """Do what the script says, and give the step's id where it says nothing."""
        step = call.spec.id
        name = f"{step}:{call.args[0]}" if call.args else step
        self.calls.append(name)
        self.keys.setdefault(name, set()).add(call.key)
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            return await self._outcome(name if name in self.outcomes else step)
        finally:
            self._now -= 1

    def turn(self, _: Call) -> int:
        """How long an attempt has to wait; nothing where the script says nothing."""
        return self.waits.pop(0) if self.waits else 0

    async def _outcome(self, name: str) -> Any:
        script = self.outcomes.get(name, [name])
        outcome = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(outcome, asyncio.Event):
            await outcome.wait()
            outcome = name
        elif isinstance(outcome, float):
            await asyncio.sleep(outcome)
            outcome = name
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def lost() -> StepFailure:
    """Nobody knows whether the effect happened."""
    return StepFailure("no_answer", "the answer was lost", Kind.TRANSIENT)


def refused(retry_after: float | None = None) -> StepFailure:
    """The effect surely did not happen."""
    return StepFailure("connect", "connection refused", Kind.NOT_DONE, retry_after)


def wrong(code: str = "http_404") -> StepFailure:
    """A repeat gives the same."""
    return StepFailure(code, "it is wrong")


class Clock:
    """The wall clock, which a test may set."""

    def __init__(self) -> None:
        self.ahead = 0
        self.boot: Boot | None = None  # by which a steady clock counts; None: there is none

    def __call__(self) -> int:
        """Milliseconds since the Unix epoch."""
        return now() + self.ahead


class Server:
    """One life of a server. The next one over the same folder is started after `kill`."""

    def __init__(self, journal: Any, programs: Iterable[Program], world: World, clock: Clock, limits: Limits) -> None:
        self.journal = journal
        self.programs = {one.flow: one for one in programs}
        self.world = world
        self.world = world
        plans = {one.plan: one for one in self.programs.values()}

        async def find(plan: str, bundle: bytes | None) -> Program:
            if plan not in plans:
                raise UnknownPlan(f"no plan {plan} ({bundle is not None})")
            return plans[plan]

        verb = RemoteVerb(world.perform, read_json, turn=world.turn)
        steady = None if clock.boot is None else Steady(journal.kept_clock, clock, clock.boot)
        around = Surroundings(journal, {"do": verb}, {"host": "here"}, clock, random.Random(7).random, steady=steady)
        self.engine = Engine(around, find, os.urandom, limits)

    async def deliver(self, n: Any = 0, flow: str = "f", request: Request = NO_REQUEST) -> Accepted:
        """Accept a delivery."""
        one, body = self.programs[flow], json.dumps({"n": n}).encode()
        return await self.engine.accept(one, one.payload.decode(body).payload, body, request=request)

    async def post(self, n: Any = 0, flow: str = "f") -> str:
        """Accept a delivery and give its run's id."""
        return (await self.deliver(n, flow)).run_id

    async def end(self, run_id: str, *states: RunState) -> RunDetail:
        """The run, once it is in one of some states (or in any that is an end)."""
        wanted = states or (RunState.DONE, RunState.DEAD, RunState.STOPPED, RunState.PARKED)
        async with asyncio.timeout(10):
            while True:
                detail: RunDetail | None = await self.journal.run(run_id)
                if detail is not None and detail.run.state in wanted:
                    return detail
                await asyncio.sleep(0.002)

    async def kill(self) -> None:
        """End as a process that dies: what was handed over goes to disk, and nothing after that."""
        await self.journal.close()
        await self.engine.stop(0)

    async def stop(self) -> None:
        """End in good order."""
        await self.engine.stop(0)
        await self.journal.close()


class Servers:
    """Starts one server after the other over one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.running: Server | None = None

    async def start(
        self,
        *programs: Program,
        world: World | None = None,
        limits: Limits | None = None,
        wrap: Callable[[SqliteJournal], Any] = lambda journal: journal,
    ) -> Server:
        """Kill the server that runs and start the next one."""
        await self.stop()
        journal = wrap(await open_journal(self.folder, clock=self.clock))
        limits = limits or Limits(reread_seconds=0.02)
        server = self.running = Server(journal, programs, world or World(), self.clock, limits)
        await server.engine.keep(server.programs)
        server.engine.start()
        return server

    async def stop(self) -> None:
        """Kill the server that runs."""
        if self.running is not None:
            await self.running.kill()
        self.running = None

    async def end(self) -> None:
        """Stop the server that runs in good order."""
        if self.running is not None:
            await self.running.stop()
        self.running = None


def error_of(detail: RunDetail) -> dict[str, Any]:
    """Why a run ended."""
    found: dict[str, Any] = json.loads(bytes(detail.run.error or b"{}"))
    return found


def kinds(detail: RunDetail) -> dict[str, str]:
    """The records of a run, by step."""
    return {row.step: row.kind.value for row in detail.steps}


async def until(true: Callable[[], Any]) -> None:
    """Wait for what must come true."""
    async with asyncio.timeout(10):
        while not true():  # nothing tells of it
            await asyncio.sleep(0.002)
