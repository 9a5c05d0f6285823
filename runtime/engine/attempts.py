"""One step of one run: its attempts, and what is recorded of them."""

from asyncio import CancelledError, timeout
from collections.abc import Callable
from math import ceil
from typing import Any, Final, NoReturn

import apsw
import msgspec

from runtime.context import Call, LocalVerb, RemoteVerb, StepSpec
from runtime.engine.ids import encode, idempotency_key
from runtime.engine.leaving import Parked, Suspended
from runtime.engine.life import Life
from runtime.engine.policy import Verdict, judge, pause
from runtime.failures import Kind as FailureKind
from runtime.failures import StepFailure
from runtime.journal.rows import Kind, StepRow
from runtime.journal.writes import Effect, Record
from runtime.shapes import MisfitError, NotJsonError

UNKNOWN: Final = "unknown"  # the code of what parks a run until a person says what happened
HELD: Final = "held"  # the code of an attempt that waits for its turn
STOPPED: Final = "stopped"  # the code of an attempt that was to be made when the run had to stop
LONGEST_HELD: Final = 24 * 3_600_000  # ms that a host may hold an attempt, where the step says no `within`
ATTEMPT_SECONDS: Final = 120.0  # the last net where the step says no `within`: verbs have shorter limits of their own


Keep = Callable[[apsw.Connection], None]  # what is kept in the journal's own database beside a record


class _Tried(msgspec.Struct):
    """The value of a `tried` record: the failure of its attempt, when the next one is due, when the first began.

    `after` is the code of the last attempt that was made, which one that waits for its turn was not. `held` is since
    when its host lets none be made, or 0.
    """

    code: str
    message: str
    until: int
    since: int
    after: str = ""
    held: int = 0


class _Failed(msgspec.Struct):
    """The value of a `failed` record."""

    code: str
    message: str


_read_tried = msgspec.json.Decoder(_Tried).decode
_read_failed = msgspec.json.Decoder(_Failed).decode


def recorded(record: StepRow, read: Callable[[bytes], Any]) -> Any:
    """What a step gave. Raises StepFailure where it failed, and Parked for a result that does not fit."""
    if record.kind is Kind.FAILED:
        failed = _read_failed(record.value)
        raise placed(StepFailure(failed.code, failed.message), record.step, record.attempt)
    try:
        return read(record.value)
    except (MisfitError, NotJsonError, msgspec.MsgspecError) as misfit:
        raise Parked(record.step, UNKNOWN, f"its recorded result does not fit: {misfit}", record.attempt) from misfit


def placed(failure: StepFailure, step: str, attempt: int = 1) -> StepFailure:
    """A failure that knows its step."""
    failure.step, failure.attempt = step, attempt
    return failure


class Attempts:
    """A step that has no end yet. `step` is its id with the indices of the loops around it."""

    __slots__ = ("_after", "_args", "_hashed", "_held", "_life", "_number", "_since", "_spec", "_step")

    def __init__(self, life: Life, spec: StepSpec, step: str, args: tuple[Any, ...], hashed: bytes) -> None:
        self._life = life
        self._spec = spec
        self._step = step
        self._args = args
        self._hashed = hashed
        self._number = 1  # of the attempt under way
        self._since = 0  # when the first one began, where it matters
        self._after = ""  # the code with which the one before failed
        self._held = 0  # since when its host lets none be made

    def take_up(self, record: StepRow) -> None:
        """Go on after the attempts that are recorded. Raises Suspended or Parked where none may be made now."""
        if record.kind is Kind.TRIED:
            tried = _read_tried(record.value)
            if tried.until > self._life.around.steadily():
                failure = StepFailure(tried.code, tried.message)
                raise Suspended(tried.until, self._step, placed(failure, self._step, record.attempt))
            self._since, self._after, self._held = tried.since, tried.after, tried.held
        elif self._spec.policy.unknown == "park":
            self._number = record.attempt
            raise self._unknown("the process ended while the step was under way")
        self._number = record.attempt + 1

    async def local(self, verb: LocalVerb) -> Any:
        """Make an attempt whose effect is in the journal's own database."""
        call = self._call()
        return await self._with_effect(Kind.RESULT, call, lambda connection: verb.apply(connection, call))

    async def remote(self, verb: RemoteVerb) -> Any:
        """Make an attempt that reaches out."""
        call = self._call()
        self._since = self._since or self._life.around.steadily()
        if self._seconds_left() <= 0:
            self._number -= 1  # it is not made
            late = StepFailure("timeout", "the time for all attempts was over before this one")
            await self._fail(late)
            raise late
        if verb.turn is not None and (wait := verb.turn(call)):
            await self._hold(f"it is its turn in {wait / 1000:g} s", wait)
        if self._spec.effect == "once":
            await self._start(verb, call)
        try:
            value = await self._perform(verb, call)
        except StepFailure as failure:
            if failure.kind is FailureKind.HELD:
                await self._hold_for_host(failure.message, ceil((failure.retry_after or 0) * 1000))
            await self._fail(failure, _kept_of_refusal(verb, call, failure))
            raise
        encoded = encode(value)
        try:
            result = (self._spec.result or verb.result)(encoded)
        except (MisfitError, NotJsonError) as misfit:
            unfit = StepFailure("result", f"what came back does not fit: {misfit}")
            await self._fail(unfit)
            raise unfit from misfit
        await self._end(verb, call, value, encoded)
        return result

    async def _hold_for_host(self, why: str, wait: int) -> NoReturn:
        """As `_hold`, but not for ever: a host that is gone would keep the run from its `else` and from its end."""
        now = self._life.around.steadily()
        self._held = self._held or now
        if self._spec.within is None and now - self._held >= LONGEST_HELD:
            self._number -= 1  # it is not made
            late = StepFailure(HELD, f"{why}; for 24 h no attempt could be made")
            await self._fail(late)
            raise late
        await self._hold(why, wait)

    async def _hold(self, why: str, wait: int) -> NoReturn:
        """Let the attempt wait so many ms. Raises Suspended, or StepFailure where the step has not so much time."""
        until = self._life.around.steadily() + wait
        held = placed(StepFailure(HELD, why), self._step, self._number)
        self._number -= 1  # it is not made
        if self._spec.within is not None and until >= self._since + self._spec.within:
            await self._fail(held)
            raise held
        tried = _Tried(held.code, held.message, until, self._since, self._after, self._held)
        await self._record(Kind.TRIED, encode(tried))
        raise Suspended(until, self._step, held)

    async def _start(self, verb: RemoteVerb, call: Call) -> None:
        """Commit that the attempt is under way. Raises StepFailure where the journal's database speaks against it."""
        try:
            if (before := verb.before) is None:
                await self._record(Kind.STARTED)
            else:
                await self._with_effect(Kind.STARTED, call, lambda connection: before(connection, call))
        except CancelledError:
            self._take_back()
            raise

    def _take_back(self) -> None:
        """Record beside that the attempt was not made, although it is recorded that it would be."""
        life, now = self._life, self._life.around.steadily()
        tried = _Tried(STOPPED, "the run was stopped before this was sent", now, self._since, self._after, self._held)
        at, attempt = life.around.clock(), self._number - 1
        life.commit_beside(Record(life.seq, self._step, Kind.TRIED, self._hashed, at, attempt, encode(tried)))

    async def _end(self, verb: RemoteVerb, call: Call, value: Any, encoded: bytes) -> None:
        """Commit what the attempt gave."""
        if (after := verb.after) is None:
            await self._record(Kind.RESULT, encoded)
        else:
            keep = _beside(lambda connection: after(connection, call, value), encoded)
            await self._with_effect(Kind.RESULT, call, keep)

    async def _perform(self, verb: RemoteVerb, call: Call) -> Any:
        seconds, doing = self._seconds_left(), self._life.doing
        doing.add(self._step)
        try:
            async with timeout(seconds):
                return await verb.perform(call)
        except TimeoutError:
            raise StepFailure("timeout", f"no answer within {seconds:g} s", FailureKind.TRANSIENT) from None
        finally:
            doing.discard(self._step)

    def _seconds_left(self) -> float:
        if self._spec.within is None:
            return ATTEMPT_SECONDS
        return (self._since + self._spec.within - self._life.around.steadily()) / 1000

    def _call(self) -> Call:
        run, around = self._life.run, self._life.around
        key = idempotency_key(run.key, self._step)
        return Call(run, self._spec, self._args, key, around.clock(), around.config, self._log, self._after)

    def _log(self, text: str) -> None:
        life, step = self._life, f"{self._step}.output~{self._number}"
        if not life.replay.logged(step):
            line = Record(life.seq, step, Kind.LOG, b"", life.around.clock(), value=encode(text))
            life.commit_beside(line)

    async def _fail(self, failure: StepFailure, keep: Keep | None = None) -> None:
        """Record a failure; raise Suspended for another attempt, Parked where nobody knows what happened.

        `keep` is what a failure that is final leaves in the journal's own database.
        """
        placed(failure, self._step, self._number)
        verdict, until = judge(self._spec, failure, self._number), 0
        if verdict is Verdict.REPEAT:
            around = self._life.around
            until = around.steadily() + pause(self._spec.policy, self._number, around.random, failure.retry_after)
            if self._spec.within is not None and until >= self._since + self._spec.within:
                verdict = Verdict.FAIL
        match verdict:
            case Verdict.REPEAT:
                tried = _Tried(failure.code, failure.message, until, self._since, failure.code)
                await self._record(Kind.TRIED, encode(tried))
                raise Suspended(until, self._step, failure)
            case Verdict.UNKNOWN:
                raise self._unknown(failure.message)
            case Verdict.FAIL:
                encoded = encode(_Failed(failure.code, failure.message))
                await self._record(Kind.FAILED, encoded, keep and _beside(keep, encoded))

    def _unknown(self, why: str) -> Parked:
        return Parked(self._step, UNKNOWN, f"nobody can tell whether it happened: {why}", self._number)

    async def _with_effect(self, kind: Kind, call: Call, effect: Effect) -> Any:
        """Commit a record and an effect in the journal's own database as one; what the effect gave."""
        life = self._life
        record = Record(life.seq, self._step, kind, self._hashed, call.at, self._number, effect=effect)
        await life.commit(record)
        failure = record.failure
        if failure is None:
            return record.outcome
        if failure.kind in (FailureKind.TRANSIENT, FailureKind.NOT_DONE):  # undone, and not recorded
            failure.kind = FailureKind.NOT_DONE
            self._since = self._since or self._life.around.steadily()
            await self._fail(failure)
        raise placed(failure, self._step, self._number)

    async def _record(self, kind: Kind, value: bytes = b"", effect: Effect | None = None) -> None:
        life = self._life
        now = life.around.clock()
        await life.commit(Record(life.seq, self._step, kind, self._hashed, now, self._number, value, effect))


def _kept_of_refusal(verb: RemoteVerb, call: Call, failure: StepFailure) -> Keep | None:
    refused = verb.refused
    return refused and (lambda connection: refused(connection, call, failure))


def _beside(keep: Keep, encoded: bytes) -> Effect:
    """The effect of a record whose value is known already."""

    def kept(connection: apsw.Connection) -> msgspec.Raw:
        keep(connection)
        return msgspec.Raw(encoded)

    return kept
