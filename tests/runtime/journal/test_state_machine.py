"""The journal against a model of a few dictionaries, with crashes in between."""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runtime.failures import Kind as FailureKind
from runtime.failures import StepFailure
from runtime.journal import SqliteJournal, Tables, open_journal
from runtime.journal.rejected import deliveries
from runtime.journal.rows import Kind, RunState, Suspect
from runtime.journal.writes import (
    Accept,
    Cancel,
    Claim,
    Erase,
    LetGo,
    Move,
    Prune,
    Record,
    Reject,
    Rejudge,
    Release,
    Reopen,
    Try,
    Wake,
    Write,
)
from tests.runtime.journal.made import NOW, REJECTED_UNTIL, accept, misfit, move, record

NOTES = Tables("notes", ("CREATE TABLE notes (n INTEGER PRIMARY KEY, text TEXT) STRICT",))
DAY = 86_400_000
OPEN = {RunState.ACCEPTED, RunState.RUNNING, RunState.WAITING}
BEGUN = (Kind.STARTED, Kind.TRIED, Kind.TIMER, Kind.LENT)
LENT = {(Kind.LENT, kind) for kind in (Kind.STARTED, Kind.TRIED, Kind.TIMER)}
REPLACES = LENT | {(begun, end) for begun in BEGUN for end in (Kind.RESULT, Kind.FAILED)} | {(Kind.STARTED, Kind.TRIED)}


class Note:
    """A local effect: it writes a note, then succeeds or fails."""

    def __init__(self, text: str, failure: FailureKind | None) -> None:
        self.text = text
        self.failure = failure

    def __call__(self, connection: apsw.Connection) -> object:
        connection.execute("INSERT INTO notes (text) VALUES (?)", (self.text,))
        if self.failure is not None:
            raise StepFailure("failed", self.text, self.failure)
        return self.text


@dataclass
class Model:
    """What must be in the journal."""

    runs: dict[int, tuple[str, RunState, int | None]] = field(default_factory=dict)
    steps: dict[int, dict[str, tuple[Kind, bytes]]] = field(default_factory=dict)
    over: dict[int, int] = field(default_factory=dict)  # when what has ended may go
    keep: dict[int, int] = field(default_factory=dict)
    deaths: dict[int, tuple[int, int]] = field(default_factory=dict)  # of a suspect: all, and alone
    claimed: tuple[int, ...] = ()
    notes: list[str] = field(default_factory=list)
    rejected: dict[int, tuple[str, str, int]] = field(default_factory=dict)  # flow, plan, bytes
    last: int = 0
    last_rejected: int = 0

    def apply(self, write: Write) -> bool:
        """Do a write and say whether it is lost."""
        match write:
            case Move():
                return self._move(write)
            case Wake() | Claim() | Try() | LetGo():
                return self._fly(write)
            case Cancel() | Reopen():
                return self._cancel(write) if isinstance(write, Cancel) else self._reopen(write)
            case Rejudge():
                return self._rejudge(write)
            case Record(effect=Note() as note):
                return self._record_note(write, note)
            case Record():
                return self._record(write, write.kind, write.value)
            case _:
                self._apply_all_the_same(write)
                return False

    def _apply_all_the_same(self, write: Write) -> None:
        """Do a write that is not lost, whatever there is."""
        match write:
            case Accept():
                if not write.rejected or self._let_go(write.rejected):
                    self._accept(write)
            case Reject():
                self._reject(write)
            case Prune():
                self._prune(write.at)
            case Erase():
                self._erase(write)
            case _:  # what else there is has no state here
                pass

    def _prune(self, at: int) -> None:
        for run in [run for run, end in self.over.items() if end <= at]:
            self._forget(run)
        if at >= REJECTED_UNTIL:
            self.rejected.clear()

    def _erase(self, write: Erase) -> None:
        for run in self.over.keys() & set(write.runs):
            self._forget(run)
        for number in write.rejected:
            self._let_go(number)

    def _forget(self, run: int) -> None:
        del self.runs[run], self.steps[run], self.over[run], self.keep[run]
        self.deaths.pop(run, None)

    def _let_go(self, number: int) -> bool:
        known = number in self.rejected
        self.rejected.pop(number, None)
        return known

    def _reject(self, write: Reject) -> None:
        for one in write.misfits:
            self.last_rejected += 1
            self.rejected[self.last_rejected] = (write.flow, one.plan, len(one.body))
        kept, size = 0, 0
        for number, (flow, _, length) in sorted(self.rejected.items(), reverse=True):
            if flow == write.flow:
                kept, size = kept + 1, size + length
                if kept > write.most or size > write.most_bytes:
                    del self.rejected[number]

    def _rejudge(self, write: Rejudge) -> bool:
        if write.number not in self.rejected:
            return True
        flow, _, size = self.rejected[write.number]
        self.rejected[write.number] = (flow, write.plan, size)
        return False

    def _accept(self, write: Accept) -> None:
        self.last += 1
        state = RunState.RUNNING if write.running else RunState.ACCEPTED
        self.runs[self.last] = (write.run_id, state, None)
        lent = self.steps.get(write.lender, {}).items()
        self.steps[self.last] = {step: (Kind.LENT, value) for step, (kind, value) in lent if kind is Kind.RESULT}
        self.keep[self.last] = write.keep or 0

    def _fly(self, write: Wake | Claim | Try | LetGo) -> bool:
        match write:
            case Wake():
                for run in filter(lambda run: self.is_in(run, RunState.WAITING), write.runs):
                    self.runs[run] = (self.runs[run][0], RunState.ACCEPTED, None)
            case Claim():
                self.claimed = write.runs
            case Try():
                if not self.is_in(write.run, RunState.ACCEPTED) and not self.is_in(write.run, RunState.RUNNING):
                    return True
                self._set(write.run, RunState.RUNNING)
            case LetGo():
                for run in self._in_flight():
                    self._set(run, RunState.ACCEPTED)
                self.claimed = ()
        return False

    def _set(self, run: int, state: RunState) -> None:
        name, _, wake_at = self.runs[run]
        self.runs[run] = (name, state, wake_at)

    def _in_flight(self) -> list[int]:
        return [
            run
            for run, (_, state, _) in self.runs.items()
            if state is RunState.RUNNING or (state is RunState.ACCEPTED and run in self.claimed)
        ]

    def die(self) -> None:
        """The process ends, and the next one takes the folder."""
        in_flight, self.claimed = self._in_flight(), ()
        for run in in_flight:
            deaths, strikes = self.deaths.get(run, (0, 0))
            strikes += deaths > 0 and len(in_flight) == 1
            self.deaths[run] = (deaths + 1, strikes)
            self._set(run, RunState.ACCEPTED)
            if strikes == 3:
                self.runs[run] = (self.runs[run][0], RunState.DEAD, None)
                self._end(run, NOW)

    def suspects(self) -> list[Suspect]:
        """The open runs that there is something against."""
        found = [(run, deaths) for run, (deaths, _) in self.deaths.items() if self.is_in(run, RunState.ACCEPTED)]
        return [Suspect(run, "retomada", deaths) for run, deaths in sorted(found, key=lambda one: (-one[1], one[0]))]

    def _move(self, write: Move) -> bool:
        if not self.is_open(write.run):
            return True
        self.deaths.pop(write.run, None)
        self.runs[write.run] = (self.runs[write.run][0], write.state, write.wake_at)
        if write.state in {RunState.DONE, RunState.DEAD}:
            self._end(write.run, write.at)
        return False

    def _end(self, run: int, at: int) -> None:
        by_itself = 90 * DAY if self.runs[run][1] is RunState.DEAD else 30 * DAY
        self.over[run] = at + (self.keep[run] or by_itself)

    def _cancel(self, write: Cancel) -> bool:
        if not self.is_open(write.run) and not self.is_in(write.run, RunState.PARKED):
            return True
        self.runs[write.run] = (self.runs[write.run][0], RunState.CANCELLED, None)
        self._end(write.run, write.at)
        return False

    def _reopen(self, write: Reopen) -> bool:
        if not self.is_in(write.run, write.state):
            return True
        self.runs[write.run] = (self.runs[write.run][0], RunState.ACCEPTED, None)
        self.over.pop(write.run, None)
        self.deaths.pop(write.run, None)
        steps = self.steps[write.run]
        for step in write.undo:
            if step in steps and steps[step][0] is not Kind.LOG:
                del steps[step]
        for step, value in write.results:
            if step in steps and steps[step][0] is not Kind.LOG:
                steps[step] = (Kind.RESULT, value)
        return False

    def is_in(self, run: int, state: RunState) -> bool:
        return run in self.runs and self.runs[run][1] is state

    def is_open(self, run: int) -> bool:
        return run in self.runs and self.runs[run][1] in OPEN

    def _record(self, write: Record, kind: Kind, value: bytes) -> bool:
        if not self.is_open(write.run):
            return True
        steps = self.steps[write.run]
        if write.step in steps and (steps[write.step][0], kind) not in REPLACES:
            before, old = steps[write.step]
            if (before, kind) != (Kind.TRIED, Kind.TRIED) or old == value:
                return True
        steps.pop(write.step, None)  # so that it comes last
        steps[write.step] = (kind, value)
        return False

    def _record_note(self, write: Record, note: Note) -> bool:
        if not self.is_open(write.run):
            return True
        if self.steps[write.run].get(write.step, (Kind.STARTED,))[0] not in BEGUN:
            return True
        if note.failure in {FailureKind.TRANSIENT, FailureKind.NOT_DONE}:
            return False
        if note.failure is not None:
            return self._record(write, Kind.FAILED, f'{{"code":"failed","message":"{note.text}"}}'.encode())
        self.notes.append(note.text)
        return self._record(write, Kind.RESULT, f'"{note.text}"'.encode())


RUNS = st.integers(1, 6)
STEPS = st.sampled_from(["a", "b"])
REJECTED = st.integers(1, 9)
ACCEPTS = st.builds(
    accept,
    running=st.booleans(),
    keep=st.sampled_from([None, 1, DAY]),
    lender=st.integers(0, 3),
    rejected=st.just(0) | REJECTED,
)
REJECTS = st.builds(
    Reject,
    st.sampled_from("fg"),
    st.lists(st.builds(misfit, body=st.binary(max_size=9)), min_size=1, max_size=4).map(tuple),
    most=st.integers(1, 5),
    most_bytes=st.integers(9, 20),
) | st.builds(Rejudge, REJECTED, st.just("plan2"), st.just(b"[1]"))
RECORDS = st.builds(record, RUNS, STEPS, st.sampled_from(Kind), st.binary(max_size=4))
EFFECTS = st.builds(
    record, RUNS, STEPS, effect=st.builds(Note, st.sampled_from("xyz"), st.sampled_from([None, None, *FailureKind]))
)
MOVES = st.builds(
    move,
    RUNS,
    st.sampled_from([RunState.RUNNING, RunState.WAITING, RunState.DONE, RunState.DEAD, RunState.PARKED]),
    wake_at=st.none() | st.integers(NOW, NOW + 3),
)
PRUNES = st.builds(
    Prune, st.sampled_from([NOW, NOW + 1, NOW + DAY, NOW + 30 * DAY, NOW + 90 * DAY]), seconds=st.just(60.0)
)
CANCELS = st.builds(Cancel, RUNS, st.just(NOW))
REOPENS = st.builds(
    Reopen,
    RUNS,
    st.sampled_from([RunState.DEAD, RunState.PARKED]),
    st.lists(STEPS, max_size=2).map(tuple),
    results=st.lists(st.tuples(STEPS, st.binary(max_size=2)), max_size=1).map(tuple),
)
ERASES = st.builds(
    Erase,
    st.lists(RUNS, max_size=3).map(tuple),
    st.lists(REJECTED, max_size=2).map(tuple),
    seconds=st.just(60.0),
)
BY_HAND = CANCELS | REOPENS | ERASES | st.builds(Release)  # nothing here is of a backup
SOME_RUNS = st.lists(RUNS, min_size=1, max_size=2).map(tuple)
FLIGHTS = st.builds(Claim, SOME_RUNS) | st.builds(Try, RUNS) | st.builds(Wake, SOME_RUNS) | st.builds(LetGo)
WRITES = st.lists(ACCEPTS | REJECTS | RECORDS | EFFECTS | MOVES | FLIGHTS | PRUNES | BY_HAND, min_size=1, max_size=12)


class JournalMachine(RuleBasedStateMachine):
    """Commits, crashes and reopens; after each step all that was acknowledged is there and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.life = 0
        self.model = Model()
        self.incarnation = 0
        self.journal = self.opened()

    @property
    def data(self) -> Path:
        return self.folder / str(self.life)

    def opened(self) -> SqliteJournal:
        journal = self.runner.run(open_journal(self.data, clock=lambda: NOW, tables=(NOTES,), wait=0))
        assert journal.incarnation == self.incarnation + 1
        self.incarnation = journal.incarnation
        self.model.die()
        assert list(journal.suspects) == self.model.suspects()
        return journal

    @initialize()
    def begin(self) -> None:
        self.commit([accept(), accept()])

    @rule(writes=WRITES)
    def commit(self, writes: list[Write]) -> None:
        async def hand_over() -> None:
            await self.journal.commit(*writes)

        self.name_known_runs(writes)
        expected = [self.model.apply(write) for write in writes]
        self.runner.run(hand_over())
        assert [write.lost for write in writes] == expected

    def name_known_runs(self, writes: list[Write]) -> None:
        """Let no write be of a run that its own batch begins: nobody knows the number yet."""
        for write in writes:
            if isinstance(write, Record | Move | Try | Cancel | Reopen) and write.run > self.model.last:
                write.run = 999
            if isinstance(write, Claim | Wake):
                write.runs = tuple(run for run in write.runs if run <= self.model.last)

    @rule(batches=st.lists(WRITES, min_size=2, max_size=5))
    def commit_without_waiting_for_each(self, batches: list[list[Write]]) -> None:
        async def hand_over() -> None:
            await asyncio.gather(*[self.journal.commit(*writes) for writes in batches])

        for writes in batches:
            self.name_known_runs(writes)
        expected = [self.model.apply(write) for writes in batches for write in writes]
        self.runner.run(hand_over())
        assert [write.lost for writes in batches for write in writes] == expected

    @rule()
    def close_and_open(self) -> None:
        self.runner.run(self.journal.close())
        self.journal = self.opened()

    @rule()
    def crash(self) -> None:
        """Go on with the files as they lie, as after kill -9."""
        left = self.data
        self.life += 1
        self.data.mkdir()
        for name in ("seta.db", "seta.db-wal"):  # in this order: copying the log in between does no harm
            shutil.copy(left / name, self.data / name)
        self.runner.run(self.journal.close())
        self.journal = self.opened()

    @precondition(lambda self: self.model.runs)
    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        runs, deaths, steps, notes = self.runner.run(self.look())
        assert runs == self.model.runs
        assert deaths == self.model.deaths
        assert steps == {seq: list(records.items()) for seq, records in self.model.steps.items()}
        assert notes == self.model.notes

    @invariant()
    def what_was_rejected_is_kept_within_its_bounds(self) -> None:
        found = self.runner.run(self.journal.read(lambda c: deliveries(c, (0, 999, 999), None, None)))
        assert {one.number: (one.flow, one.plan, len(one.body)) for one in found} == self.model.rejected

    @precondition(lambda self: self.model.runs)
    @invariant()
    def the_engine_finds_what_it_may_go_on_with(self) -> None:
        runs = self.model.runs.items()
        runnable = [seq for seq, (_, state, _) in runs if state in {RunState.ACCEPTED, RunState.RUNNING}]
        waiting = [(at, seq) for seq, (_, state, at) in runs if state is RunState.WAITING and at is not None]
        found = self.runner.run(self.journal.open_runs(0, 999))
        assert [run.seq for run in found] == runnable
        due = self.runner.run(self.journal.due_runs(NOW + 1, 999))
        assert [run.seq for run in due] == [seq for at, seq in sorted(waiting) if at <= NOW + 1]
        assert self.runner.run(self.journal.next_wake()) == min((at for at, _ in waiting), default=None)

    async def look(self) -> tuple[Any, Any, Any, Any]:
        found = [await self.journal.run(row.id) for row in reversed(await self.journal.runs(limit=999))]
        details = [detail for detail in found if detail is not None]
        runs = {detail.run.seq: (detail.run.id, detail.run.state, detail.wake_at) for detail in details}
        deaths = {detail.run.seq: (detail.deaths, detail.strikes) for detail in details if detail.deaths}
        steps = {detail.run.seq: [(row.step, (row.kind, row.value)) for row in detail.steps] for detail in details}
        notes = await self.journal.read(lambda c: list(c.execute("SELECT text FROM notes ORDER BY n")))
        return runs, deaths, steps, [text for (text,) in notes]

    def teardown(self) -> None:
        self.runner.run(self.journal.close())
        self.runner.close()
        shutil.rmtree(self.folder)


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(max_examples=25, stateful_step_count=15)
