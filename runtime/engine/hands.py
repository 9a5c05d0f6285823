"""What people do to runs: cancel one, let one go on that is dead or parked, say what became of an unknown step.

Without a server the journal alone is changed, and the next server goes on from there.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from runtime.engine.attempts import UNKNOWN
from runtime.engine.explain import told
from runtime.engine.ids import encode
from runtime.engine.life import Life
from runtime.engine.runs import Runs
from runtime.failures import StepFailure
from runtime.journal.protocol import Journal, JournalError
from runtime.journal.rows import Kind, RunDetail, RunState
from runtime.journal.writes import Cancel, Release, Reopen

HANDLER: Final = "on_error/"  # with which the ids of its steps begin


class WrongState(Exception):  # noqa: N818  # what is wrong with the request, said as people say it
    """The run is not in a state in which this can be done; the message says what can."""


class _Failure(msgspec.Struct):
    """What is used of why a run ended or stands still."""

    step: str = ""
    code: str = ""
    beside: list[str] = []


_read_failure = msgspec.json.Decoder(_Failure).decode


class Hands:
    """Changes runs in the journal and, where there is a server, in its memory."""

    def __init__(self, journal: Journal, clock: Callable[[], int], runs: Runs | None = None) -> None:
        self._journal = journal
        self._clock = clock
        self._runs = runs

    def in_memory(self) -> frozenset[int]:
        """The numbers of the runs that are being run."""
        return frozenset() if self._runs is None else frozenset(self._runs.active)

    async def cancel(self, run: RunDetail) -> None:
        """End a run that is open or parked. Raises WrongState and JournalError."""
        if self._runs is None:
            await self._commit_cancel(run, *_left_open(run))
            return
        async with self._runs.reading:
            await self._cancel(run, self._runs)

    async def _cancel(self, run: RunDetail, runs: Runs) -> None:
        number, flow = run.run.seq, run.run.flow
        life, doing = await runs.interrupt(number)
        step, error = _left_open(run) if life is None else _cut_off(life, doing)
        try:
            await self._commit_cancel(run, step, error)
        except JournalError as refused:
            runs.set_back(flow, number, refused)
            raise
        await runs.interrupt(number)  # should it have been accepted a moment ago
        runs.cancelled(number, run.run.id, flow, run.serial)

    async def _commit_cancel(self, run: RunDetail, step: str, error: bytes) -> None:
        write = Cancel(run.run.seq, self._clock(), step, error)
        await self._journal.commit(write)
        if write.lost:
            raise WrongState(f"the run {run.run.id} has ended already")

    async def retry(self, run: RunDetail) -> None:
        """Let a dead or parked run go on where it stands. Raises WrongState and JournalError."""
        failure = _failure_of(run)
        if run.run.state is RunState.PARKED and failure.code == UNKNOWN:
            raise WrongState(
                f"nobody can tell whether step {failure.step} of the run {run.run.id} happened:"
                " say so with `seta runs resolve ID --sent` or `--not-sent`"
            )
        if run.run.state not in (RunState.DEAD, RunState.PARKED):
            raise WrongState(f"the run {run.run.id} is {run.run.state}: only one that is dead or parked can be retried")
        dead = run.run.state is RunState.DEAD
        undo, below = ((failure.step, *failure.beside), (HANDLER,)) if dead else ((), ())
        await self._reopen(run, Reopen(run.run.seq, run.run.state, undo, below))

    async def resolve(self, run: RunDetail, result: bytes | None) -> None:
        """Take the unknown step of a parked run as done, with a result (JSON), or let it be tried again (None).

        Raises WrongState and JournalError.
        """
        failure = _failure_of(run)
        if run.run.state is not RunState.PARKED or failure.code != UNKNOWN:
            raise WrongState(f"the run {run.run.id} has no step of which nobody knows whether it happened")
        step = failure.step
        undo, results = ((step,), ()) if result is None else ((), ((step, result),))
        await self._reopen(run, Reopen(run.run.seq, RunState.PARKED, undo, results=results))

    async def release(self) -> int:
        """Let all runs go on that came with a backup; how many they are. Raises JournalError."""
        released = 0
        while (some := await self._release_some()) > 0:
            released += some
        if self._runs is not None:
            for flow in await self._journal.open_flows():
                self._runs.reopened(0, flow)
        return released

    async def _release_some(self) -> int:
        write = Release()
        await self._journal.commit(write)
        return write.released

    async def _reopen(self, run: RunDetail, write: Reopen) -> None:
        await self._journal.commit(write)
        if write.lost:
            raise WrongState(f"the run {run.run.id} is no longer {write.state}: somebody else was faster")
        if self._runs is not None:
            self._runs.reopened(run.run.seq, run.run.flow)


def _failure_of(run: RunDetail) -> _Failure:
    return _Failure() if run.run.error is None else _read_failure(run.run.error)


def _left_open(run: RunDetail) -> tuple[str, bytes]:
    """The step that a run outside memory stands at, and what there is to say of those that a death has cut off."""
    started = [row for row in run.steps if row.kind is Kind.STARTED]
    if not started or run.run.error:
        return "", b""
    steps = ", ".join(row.step for row in started)
    message = f"nobody can tell whether it happened: the server ended during {steps}"
    error = {"step": started[0].step, "code": UNKNOWN, "message": message, "attempt": started[0].attempt}
    return started[0].step, encode(error)


def _cut_off(life: Life, doing: list[str]) -> tuple[str, bytes]:
    """The step that a cancelled run stands at, and what there is to say of steps that were under way."""
    if not doing:
        return "", b""
    steps = ", ".join(doing)
    failure = StepFailure(UNKNOWN, f"nobody can tell whether it happened: the run was cancelled during {steps}")
    failure.step = doing[0]
    return failure.step, told(life.program, failure)
