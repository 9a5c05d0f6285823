"""What runs have to do with one another, against a model: repeats, turns, answers, events and who waits for them."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from runtime.journal import SqliteJournal, open_journal
from runtime.journal.rows import RunState
from runtime.journal.writes import Accept, Await, Emit, KeepAnswer, Move, Prune, Write
from tests.runtime.journal.made import NOW

OPEN = {RunState.ACCEPTED, RunState.RUNNING, RunState.WAITING}

_ids = count(1)


@dataclass
class Run:
    """A run, and which of its steps have ended."""

    id: str
    state: RunState
    received_at: int
    serial: bytes | None
    wake_at: int | None = None
    ended: set[str] = field(default_factory=set)


@dataclass
class Wait:
    """A step that waits for an event."""

    event: str
    key: str
    since: int
    until: int
    after: int


@dataclass
class Event:
    """What was emitted."""

    name: str
    key: str
    value: bytes
    at: int
    expires_at: int
    last_run: int


@dataclass
class Model:
    """What must be in the journal. `apply` gives what a write is to be told."""

    runs: dict[int, Run] = field(default_factory=dict)
    keys: dict[bytes, tuple[str, int, bytes]] = field(default_factory=dict)  # run, until when, answer
    waits: dict[tuple[int, str], Wait] = field(default_factory=dict)
    events: dict[int, Event] = field(default_factory=dict)
    last_event: int = 0

    def apply(self, write: Write) -> tuple[Any, ...]:
        match write:
            case Accept():
                return self._accept(write)
            case Move():
                return self._move(write)
            case Await():
                return self._await(write)
            case Emit():
                return self._emit(write)
            case KeepAnswer():
                return self._answer(write)
            case Prune():
                return self._prune(write.at)
            case _:
                raise AssertionError(write)

    def _accept(self, write: Accept) -> tuple[Any, ...]:
        if write.dedupe is not None:
            run, until, answer = self.keys.get(write.dedupe, ("", 0, b""))
            if until > write.received_at:
                return run, answer, False
            self.keys[write.dedupe] = (write.run_id, write.dedupe_until, b"")
        others = (run for run in self.runs.values() if run.state in OPEN and run.serial == write.serial)
        busy = write.serial is not None and any(others)
        state = RunState.RUNNING if write.running and not busy else RunState.ACCEPTED
        self.runs[len(self.runs) + 1] = Run(write.run_id, state, write.received_at, write.serial)
        return "", b"", busy

    def _move(self, write: Move) -> tuple[Any, ...]:
        if not self._is_open(write.run):
            return (True,)
        run = self.runs[write.run]
        waits = [wait for (number, _), wait in self.waits.items() if number == write.run]
        came = any(self._meets(write.run, wait, number) for wait in waits for number in self.events)
        run.state = write.state
        run.wake_at = 0 if came and write.state is RunState.WAITING else write.wake_at
        return (False,)

    def _await(self, write: Await) -> tuple[Any, ...]:
        if not self._may_end(write.run, write.step):
            return True, 0, b"", ""
        asked = Wait(write.event, write.key, write.at, write.until, write.after)
        wait = self.waits.setdefault((write.run, write.step), asked)
        found = [number for number in self.events if self._meets(write.run, wait, number)]
        if not found and write.at < wait.until:
            return False, 0, b"", ""
        del self.waits[write.run, write.step]
        self.runs[write.run].ended.add(write.step)
        return (False, found[0], self.events[found[0]].value, "") if found else (False, 0, b"", "timeout")

    def _meets(self, run: int, wait: Wait, number: int) -> bool:
        event = self.events[number]
        same = (event.name, event.key) == (wait.event, wait.key) and number > wait.after
        return same and event.at <= wait.until and event.expires_at > wait.since and event.last_run >= run

    def _emit(self, write: Emit) -> tuple[Any, ...]:
        if not self._may_end(write.run, write.step):
            return True, 0
        self.runs[write.run].ended.add(write.step)
        self.last_event += 1
        self.events[self.last_event] = Event(
            write.event, write.key, write.value, write.at, write.expires_at, len(self.runs)
        )
        waiting = {run for (run, _), wait in self.waits.items() if (wait.event, wait.key) == (write.event, write.key)}
        woken = [run for run in waiting if self._would_sleep_on(self.runs[run], write.at)]
        for number in woken:
            self.runs[number].wake_at = write.at
        return False, len(woken)

    def _would_sleep_on(self, run: Run, at: int) -> bool:
        return run.state is RunState.WAITING and run.wake_at is not None and run.wake_at > at

    def _answer(self, write: KeepAnswer) -> tuple[Any, ...]:
        for key, (run, until, _) in self.keys.items():
            if run == write.run_id:
                self.keys[key] = (run, until, write.answer)
        return (False,)

    def _prune(self, at: int) -> tuple[Any, ...]:
        self.keys = {key: kept for key, kept in self.keys.items() if kept[1] > at}
        wanted = {(wait.event, wait.key) for (run, _), wait in self.waits.items() if self._is_open(run)}
        self.events = {
            number: event
            for number, event in self.events.items()
            if event.expires_at > at or (event.name, event.key) in wanted
        }
        return (False,)

    def _is_open(self, run: int) -> bool:
        return run in self.runs and self.runs[run].state in OPEN

    def _may_end(self, run: int, step: str) -> bool:
        return self._is_open(run) and step not in self.runs[run].ended


def told(write: Write) -> tuple[Any, ...]:
    """What a commit said of a write."""
    match write:
        case Accept():
            return write.first, write.answer, write.busy
        case Await():
            return write.lost, write.number, write.value, write.failure.code if write.failure else ""
        case Emit():
            return write.lost, write.woken
        case _:
            return (write.lost,)


Made = Callable[[int], Write]  # at an instant

RUNS = st.integers(1, 4)
NAMES = st.sampled_from(["pago", "pago", "visto"])
KEYS = st.sampled_from(["1", "1", "2"])
SOON = st.integers(1, 8)  # ms
PICK = st.integers(0, 5)
BESIDE = st.sampled_from([-1, 0, 1])


def accept(dedupe: bytes | None, window: int, serial: bytes | None, *, running: bool) -> Made:
    run_id = f"run{next(_ids):08}"
    return lambda now: Accept(
        run_id, run_id, "f", "plan1", now, b"{}", running=running, serial=serial, dedupe=dedupe,
        dedupe_until=now + window,
    )  # fmt: skip


def waits(run: int, step: str, event: tuple[str, str], within: int, after: int) -> Made:
    return lambda now: Await(run, step, b"hash", *event, now, now + within, after)


def emits(run: int, step: str, event: tuple[str, str], keep: int) -> Made:
    return lambda now: Emit(run, step, b"hash", *event, b"1", now, now + keep)


def moves(run: int, state: RunState, until: int) -> Made:
    return lambda now: Move(run, state, now, now + until if state is RunState.WAITING else None)


EVENTS = st.tuples(NAMES, KEYS)
SOME = st.none() | st.sampled_from([b"x", b"y"])
WRITES = st.lists(
    st.builds(accept, SOME, SOON, SOME, running=st.booleans())
    | st.builds(waits, RUNS, st.sampled_from(["w1", "w2"]), EVENTS, st.integers(0, 8), st.integers(0, 2))
    | st.builds(emits, RUNS, st.sampled_from(["e1", "e2", "e3"]), EVENTS, SOON)
    | st.builds(
        moves, RUNS, st.sampled_from([RunState.WAITING, RunState.WAITING, RunState.DONE, RunState.PARKED]), SOON
    ),
    min_size=1,
    max_size=8,
)


class Meetings(RuleBasedStateMachine):
    """Commits while time passes; after each step the tables are those of the model."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.now = NOW
        self.model = Model()
        self.journal = self.opened()

    def opened(self) -> SqliteJournal:
        return self.runner.run(open_journal(self.folder, clock=lambda: self.now, wait=0, durable=False))

    @initialize()
    def begin(self) -> None:
        some = [
            accept(None, 1, None, running=True),
            accept(b"x", 5, b"x", running=True),
            accept(b"y", 5, None, running=True),
        ]
        self.commit(some)
        self.commit([waits(1, "w1", ("pago", "1"), 5, 0), waits(2, "w1", ("pago", "1"), 3, 0)])

    @rule(made=WRITES)
    def commit(self, made: list[Made]) -> None:
        known = len(self.model.runs)
        writes = [one(self.now) for one in made]
        for write in writes:
            if isinstance(write, Move | Await | Emit) and write.run > known:
                write.run = 999  # nobody knows the number of a run that its own batch begins
        self.hand_over(writes)

    def hand_over(self, writes: list[Write]) -> None:
        async def commit() -> None:
            await self.journal.commit(*writes)

        expected = [self.model.apply(write) for write in writes]
        self.runner.run(commit())
        assert [told(write) for write in writes] == expected

    @rule(milliseconds=SOON)
    def time_passes(self, milliseconds: int) -> None:
        self.now += milliseconds

    @rule(run=RUNS)
    def answer(self, run: int) -> None:
        if run in self.model.runs:
            self.hand_over([KeepAnswer(self.model.runs[run].id, b'{"status":200,"body":null}')])

    @rule(which=PICK)
    def come_by_again(self, which: int) -> None:
        """A run that waits asks anew."""
        if asked := list(self.model.waits.items()):
            (run, step), wait = asked[which % len(asked)]
            again = Await(run, step, b"hash", wait.event, wait.key, self.now, self.now + 3, wait.after)
            self.hand_over([again])

    @rule(which=PICK, step=st.sampled_from(["e1", "e2", "e3"]), run=RUNS)
    def emit_what_is_waited_for(self, which: int, step: str, run: int) -> None:
        if (asked := list(self.model.waits.values())) and run in self.model.runs:
            wait = asked[which % len(asked)]
            self.hand_over([Emit(run, step, b"hash", wait.event, wait.key, b"1", self.now, self.now + 4)])

    @rule(which=PICK)
    def fall_asleep(self, which: int) -> None:
        """A run waits for what it asked for."""
        if asked := sorted({(run, wait.until) for (run, _), wait in self.model.waits.items()}):
            run, until = asked[which % len(asked)]
            self.hand_over([Move(run, RunState.WAITING, self.now, until)])

    @rule(which=PICK, beside=BESIDE, step=st.sampled_from(["e1", "e2", "e3"]), run=RUNS)
    def an_event_comes_at_the_last_moment(self, which: int, beside: int, step: str, run: int) -> None:
        if asked := sorted(wait.until for wait in self.model.waits.values()):
            self.now = max(self.now, asked[which % len(asked)] + beside)
            self.emit_what_is_waited_for(which, step, run)
            self.come_by_again(which)

    @rule(which=PICK, beside=BESIDE)
    def a_repeat_comes_at_the_last_moment(self, which: int, beside: int) -> None:
        if keys := sorted(self.model.keys.items()):
            key, (_, until, _) = keys[which % len(keys)]
            self.now = max(self.now, until + beside)
            self.commit([accept(key, 4, None, running=True)])

    @rule(which=PICK)
    def a_new_run_waits_for_what_was_emitted(self, which: int) -> None:
        if emitted := list(self.model.events.values()):
            event = emitted[which % len(emitted)]
            self.commit([accept(None, 1, None, running=True)])
            self.commit([waits(len(self.model.runs), "w1", (event.name, event.key), 3, 0)])

    @rule()
    def what_is_over_goes(self) -> None:
        self.hand_over([Prune(self.now, seconds=60.0)])

    @rule()
    def close_and_open(self) -> None:
        self.runner.run(self.journal.close())
        self.journal = self.opened()
        running = [number for number, run in self.model.runs.items() if run.state is RunState.RUNNING]
        self.hand_over([Move(number, RunState.RUNNING, self.now) for number in running])

    @invariant()
    def the_tables_are_those_of_the_model(self) -> None:
        model = self.model
        runs = [(number, run.id, run.state, run.wake_at) for number, run in model.runs.items()]
        assert self.rows("SELECT seq, id, state, wake_at FROM runs ORDER BY seq") == runs
        keys = [(key, *kept) for key, kept in sorted(model.keys.items())]
        assert self.rows("SELECT key, run, expires_at, answer FROM dedupe ORDER BY key") == keys
        waiters = [
            (*of, one.event, one.key, one.since, one.until, one.after) for of, one in sorted(model.waits.items())
        ]
        text = "SELECT run, step, event, key, since, until, after FROM waiters ORDER BY run, step"
        assert self.rows(text) == waiters
        events = [(number, one.name, one.key, one.at, one.expires_at) for number, one in model.events.items()]
        assert self.rows("SELECT n, name, key, at, expires_at FROM events ORDER BY n") == events

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.runner.run(self.journal.read(lambda c: list(c.execute(text))))
        return found

    def teardown(self) -> None:
        self.runner.run(self.journal.close())
        self.runner.close()
        shutil.rmtree(self.folder)


TestMeetings = Meetings.TestCase
TestMeetings.settings = settings(max_examples=30, stateful_step_count=20)
