"""The context of the embedded engine: one run, live or going on from its records."""

from asyncio import timeout
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from runtime.context import Call, LocalVerb, RemoteVerb, Run, StepSpec, Suspended, Verb
from runtime.engine.ids import digest, encode, idempotency_key
from runtime.engine.policy import Verdict, judge, pause
from runtime.failures import Kind as FailureKind
from runtime.failures import StepFailure
from runtime.journal.protocol import Journal, Kind, Move, Record, RunState, StepRow
from runtime.shapes import MisfitError, NotJsonError


class Abandoned(BaseException):  # not an error of the run: somebody else owns or ended it
    """A write of this run changed nothing: it is no longer ours to go on with."""


class Diverged(Exception):  # noqa: N818  # a state that a run is in, not a fault of the code that finds it
    """The records of the run and what the flow asks for now do not agree."""


class Parked(BaseException):  # the run leaves; neither `else` nor `on error` of a flow may see it
    """A person has to say how it goes on; the journal knows already."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every run of a server shares."""

    journal: Journal
    verbs: Mapping[str, Verb]
    config: Mapping[str, str]
    clock: Callable[[], int]  # ms since the Unix epoch
    random: Callable[[], float]


class _Failed(msgspec.Struct):
    code: str
    message: str


_read_failure = msgspec.json.Decoder(_Failed).decode
_DONE = (Kind.RESULT, Kind.FAILED)
ATTEMPT_SECONDS = 120.0  # the last net: verbs have limits of their own, shorter ones


class RunContext:
    """Implements `runtime.context.Context`."""

    def __init__(
        self,
        run: Run,
        seq: int,
        around: Surroundings,
        records: list[StepRow] | None = None,
        waited: tuple[str, int] = ("", 0),
    ) -> None:
        self.run = run
        self.step_now = ""  # the step that runs or ran last, for the one who asks why the run ended
        self.attempt = 0
        self._seq = seq
        self._around = around
        self._records = {record.step: record for record in records or ()}
        self._left = sum(record.kind in _DONE for record in records or ())  # results not yet handed out
        self._waited = waited  # the step that waited for another attempt, and how many it has had

    async def step(self, spec: StepSpec, *args: Any) -> Any:
        """Give the recorded result, or run the step and record it."""
        self.step_now, self.attempt = spec.id, 1
        verb = self._around.verbs[spec.verb]
        hashed = digest(args)
        record = self._records.get(spec.id)
        if record is not None:
            self._agree(record, hashed)
            if record.kind in _DONE:
                return self._recorded(record, spec.result or verb.result)
        elif self._left:
            raise Diverged(f"step {spec.id} has no record, but later ones have")
        if isinstance(verb, LocalVerb):
            return await self._local(verb, spec, args, hashed)
        return await self._remote(verb, spec, args, hashed, record)

    async def sleep(self, step: str, milliseconds: int) -> None:
        """Leave until the time is over; the record keeps the instant at which that is."""
        self.step_now = step
        now = self._around.clock()
        record = self._records.get(step)
        if record is not None:
            until = int(record.value)
            if until <= now:
                return
            timer: tuple[Record, ...] = ()
        else:
            until = now + max(0, milliseconds)
            timer = (Record(self._seq, step, Kind.TIMER, b"", now, value=b"%d" % until),)
        await self._leave(until, step, 0, *timer)

    def log(self, step: str, value: Any) -> None:
        """Record a line; it rides on the next commit."""
        if step not in self._records:
            self._around.journal.commit(
                Record(self._seq, step, Kind.LOG, b"", self._around.clock(), value=encode(value))
            )

    def setting(self, name: str) -> str:
        """A value of the configuration as it is now."""
        return self._around.config[name]

    # --- from the records

    def _agree(self, record: StepRow, hashed: bytes) -> None:
        if record.args != hashed:
            raise Diverged(f"step {record.step} was recorded with other arguments")

    def _recorded(self, record: StepRow, read: Callable[[bytes], Any]) -> Any:
        self._left -= 1
        self.attempt = record.attempt
        if record.kind is Kind.FAILED:
            failed = _read_failure(record.value)
            raise StepFailure(failed.code, failed.message)
        return read(record.value)

    # --- live

    def _call(self, spec: StepSpec, args: tuple[Any, ...]) -> Call:
        key = idempotency_key(self.run.key, spec.id)
        log = partial(self._log_output, spec.id)
        return Call(self.run, spec, args, key, self._around.clock(), self._around.config, log)

    def _log_output(self, step: str, text: str) -> None:
        self.log(f"{step}.output~{self.attempt}", text)

    async def _local(self, verb: LocalVerb, spec: StepSpec, args: tuple[Any, ...], hashed: bytes) -> Any:
        call = self._call(spec, args)

        def effect(connection: Any) -> Any:
            return verb.apply(connection, call)

        record = Record(self._seq, spec.id, Kind.RESULT, hashed, call.at, effect=effect)
        await self._commit(record)
        if record.failure is not None:
            raise record.failure
        return record.outcome

    async def _remote(
        self, verb: RemoteVerb, spec: StepSpec, args: tuple[Any, ...], hashed: bytes, record: StepRow | None
    ) -> Any:
        made = self._waited[1] if self._waited[0] == spec.id else 0
        if record is not None and record.attempt > made:
            if spec.policy.unknown == "park":
                return await self._unknown(spec, "the process ended while the step was under way")
            made = record.attempt
        self.attempt = made + 1
        if spec.effect == "once":
            await self._commit(self._record(spec, Kind.STARTED, hashed))
        try:
            async with timeout(ATTEMPT_SECONDS):
                value = await verb.perform(self._call(spec, args))
        except TimeoutError:
            late = StepFailure("timeout", f"no answer within {ATTEMPT_SECONDS:g} s", FailureKind.TRANSIENT)
            return await self._failed(spec, hashed, late)
        except StepFailure as failure:
            return await self._failed(spec, hashed, failure)
        told = encode(value)
        try:
            result = (spec.result or verb.result)(told)
        except (MisfitError, NotJsonError) as misfit:
            return await self._failed(spec, hashed, StepFailure("result", f"what came back does not fit: {misfit}"))
        await self._commit(self._record(spec, Kind.RESULT, hashed, told))
        return result

    async def _failed(self, spec: StepSpec, hashed: bytes, failure: StepFailure) -> Any:
        match judge(spec, failure, self.attempt):
            case Verdict.REPEAT:
                wait = pause(spec.policy, self.attempt, self._around.random, failure.retry_after)
                await self._leave(self._around.clock() + wait, spec.id, self.attempt, error=failure)
            case Verdict.UNKNOWN:
                await self._unknown(spec, failure.message)
            case Verdict.FAIL:
                told = encode(_Failed(failure.code, failure.message))
                await self._commit(self._record(spec, Kind.FAILED, hashed, told))
                raise failure

    async def _unknown(self, spec: StepSpec, why: str) -> None:
        message = f"nobody can tell whether it happened: {why}"
        await self._move(RunState.PARKED, spec.id, error=StepFailure("unknown", message))
        raise Parked

    async def _leave(
        self, until: int, step: str, attempt: int, *records: Record, error: StepFailure | None = None
    ) -> None:
        await self._move(RunState.WAITING, step, *records, until=until, attempt=attempt, error=error)
        raise Suspended

    async def _move(
        self,
        state: RunState,
        step: str,
        *records: Record,
        until: int | None = None,
        attempt: int = 0,
        error: StepFailure | None = None,
    ) -> None:
        told = (
            b""
            if error is None
            else encode({"step": step, "code": error.code, "message": error.message, "attempt": self.attempt})
        )
        move = Move(self._seq, state, self._around.clock(), until, attempt, step, told)
        await self._commit(*records, move)

    def _record(self, spec: StepSpec, kind: Kind, hashed: bytes, value: bytes = b"") -> Record:
        return Record(self._seq, spec.id, kind, hashed, self._around.clock(), self.attempt, value)

    async def _commit(self, *writes: Record | Move) -> None:
        await self._around.journal.commit(*writes)
        if any(write.lost for write in writes):
            raise Abandoned
