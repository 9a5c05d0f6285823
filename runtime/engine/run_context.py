"""The context of the embedded engine: one run, live or going on from its records."""

import math
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from runtime.context import Context, Failed, LocalVerb, Run, StepSpec
from runtime.engine.answers import from_record, to_record
from runtime.engine.attempts import Attempts, placed, recorded
from runtime.engine.explain import attribute
from runtime.engine.ids import digest, encode
from runtime.engine.leaving import Diverged, Suspended
from runtime.engine.life import Life
from runtime.engine.telling import tell_line
from runtime.engine.together import Items, Keep, Outcome, caught, run_together, settle
from runtime.engine.waits import emit, wait_for
from runtime.failures import StepFailure
from runtime.journal.rows import Kind, StepRow
from runtime.journal.writes import KeepAnswer, Record

_DONE = (Kind.RESULT, Kind.FAILED)


class RunContext:
    """Implements `runtime.context.Context`. That of a loop's item gives its steps the item's index."""

    __slots__ = ("_indices", "_life", "run")

    def __init__(self, life: Life, indices: str = "") -> None:
        self.run: Run = life.run
        self._life = life
        self._indices = indices

    @property
    def replaying(self) -> bool:
        """Whether there are records that were not asked for yet."""
        return bool(self._life.replay.left or self._life.replay.lent)

    @property
    def trace(self) -> str:
        """The `traceparent` of the delivery, or nothing where nobody traced it."""
        return self._life.request.trace

    async def step(self, spec: StepSpec, *args: Any) -> Any:
        """Give the recorded result, or run the step and record it."""
        life, step, hashed = self._life, spec.id + self._indices, digest(args)
        verb = life.around.verb(spec)
        record = None
        if life.replay.left or life.replay.lent:
            record = self._record(step, hashed)
            if record is not None and record.kind in _DONE:
                return recorded(record, spec.result or verb.result)
            await life.replay.live(step)
        attempts = Attempts(life, spec, step, args, hashed)
        if record is not None:
            attempts.take_up(record)
        attempt = attempts.local(verb) if isinstance(verb, LocalVerb) else attempts.remote(verb)
        return await life.shared.counts.attempt(life.run.flow, spec, attempt)

    async def sleep(self, step: str, milliseconds: int) -> None:
        """Leave until the time is over."""
        hashed = digest((milliseconds,))
        around = self._life.around
        await self._rest(step + self._indices, hashed, around.steadily() + milliseconds, around.steadily)

    async def sleep_until(self, step: str, instant: datetime) -> None:
        """Leave until the instant."""
        until = math.ceil(instant.timestamp() * 1000)
        await self._rest(step + self._indices, digest((until,)), until, self._life.around.clock)

    async def all(self, step: str, *branches: Callable[[Context], Awaitable[Any]]) -> list[Any]:  # noqa: ARG002  # nothing is recorded of it
        """Run branches together and give their results."""
        results: list[Any] = [None] * len(branches)
        outcomes: list[Outcome] = [None] * len(branches)

        async def run(number: int) -> None:
            results[number], outcomes[number] = await caught(self._attributed(branches[number](self)))

        await run_together(self._life.replay, [partial(run, number) for number in range(len(branches))])
        settle(outcomes)
        return results

    async def each(
        self,
        step: str,
        items: list[Any],
        body: Callable[[Context, Any], Awaitable[Any]],
        *,
        most: int,
        at_once: int,
    ) -> None:
        """Run the body for each item."""
        below, step = f"{step}/", step + self._indices
        if len(items) > most:
            raise placed(StepFailure("too_many", f"{len(items)} items, at most {most} are allowed"), step)

        async def run(index: int) -> None:
            context = RunContext(self._life, f"{self._indices}[{index}]")
            await context._attributed(body(context, items[index]))  # one of us

        if at_once == 1:
            for index in range(len(items)):
                await run(index)
            return
        owes = partial(self._life.replay.owes, below, f"{self._indices}[")
        make = partial(Items, self._life.replay, len(items), run, owes)
        await self._several(step, make, min(at_once, len(items)))

    async def _several(self, step: str, make: Callable[[Keep], Items], at_once: int) -> None:
        """Run several items at once. Where one fails, a record keeps how many had begun."""
        life, record = self._life, self._record(step, b"")

        async def keep() -> None:
            await life.replay.live(step)  # of those that are recorded, all have begun then
            begun = b"%d" % items.begun
            await life.commit(Record(life.seq, step, Kind.RESULT, b"", life.around.clock(), value=begun))

        items = make(keep)
        if record is not None:
            items.known = int(record.value)
        await run_together(life.replay, [items.work] * at_once)
        try:
            settle(items.outcomes)
        except StepFailure as failure:
            failure.beside.append(step)
            raise
        if record is not None:  # to go on without the items that never began would lose them
            raise Diverged(step, "an item failed before, and none does any more")

    async def wait_for(self, step: str, event: str, key: str, within: int, read: Callable[[bytes], Any]) -> Any:
        """Give the value of the event, or leave until it comes or the time is over."""
        hashed = digest((event, key))
        step = step + self._indices
        return await wait_for(self._life, self._record(step, hashed), (step, hashed, event, key), within, read)

    async def emit(self, step: str, event: str, key: str, value: Any) -> None:
        """Commit the event, and let those be woken who wait for it."""
        hashed, step = digest((event, key, value)), step + self._indices
        record = self._record(step, hashed)
        if record is None:
            await emit(self._life, (step, hashed, event, key), value)
        else:
            recorded(record, bytes)

    async def respond(self, step: str, status: int, body: Any) -> None:
        """Commit the answer, then give it to the sender. After an answer, that of `on_error` is not one any more."""
        life, step, hashed = self._life, step + self._indices, digest((status, body))
        if life.answered:
            return
        life.answered = True
        record = self._record(step, hashed)
        value = to_record(status, body) if record is None else record.value
        if record is None:
            await life.replay.live(step)
            writes = (Record(life.seq, step, Kind.RESULT, hashed, life.around.clock(), value=value),)
            keep = () if life.program.dedupe is None else (KeepAnswer(life.run.id, value),)
            await life.commit(*writes, *keep)
        life.shared.answers.give(life.run.id, from_record(value))

    def error(self, failure: StepFailure) -> Failed:
        """Say what a flow may know of a failure."""
        attribute(self._life.program, failure, self._indices)
        return Failed(failure.step, failure.code, failure.message, failure.attempt)

    def header(self, name: str) -> str | None:
        """A header of the delivery."""
        return self._life.request.headers.get(name)

    def query(self, name: str) -> str | None:
        """A query parameter of the delivery."""
        return self._life.request.query.get(name)

    def log(self, step: str, value: Any) -> None:
        """Record a line; it rides on the next commit."""
        life, step = self._life, step + self._indices
        if not life.replay.logged(step):
            life.commit_beside(Record(life.seq, step, Kind.LOG, b"", life.around.clock(), value=encode(value)))
            tell_line(life.run, step, value)

    def setting(self, name: str) -> str:
        """A value of the configuration as it is now."""
        return self._life.around.config[name]

    def secret(self, name: str) -> str:
        """A secret as it is now."""
        return self._life.around.secrets[name]

    # --- what they have in common

    def _record(self, step: str, hashed: bytes) -> StepRow | None:
        record = self._life.replay.take(step)
        if record is not None and record.args != hashed:
            raise Diverged(step, f"step {step} was recorded with other arguments")
        return record or self._lent(step, hashed)

    def _lent(self, step: str, hashed: bytes) -> StepRow | None:
        """A result of the run that this one replays becomes its own, where the arguments are the same."""
        lent = self._life.replay.lent.pop(step, None)
        if lent is None or lent.args != hashed:
            return None
        life = self._life
        life.commit_beside(Record(life.seq, step, Kind.RESULT, hashed, life.around.clock(), lent.attempt, lent.value))
        return msgspec.structs.replace(lent, kind=Kind.RESULT)

    async def _attributed(self, branch: Awaitable[Any]) -> Any:
        """Let failures leave a branch only with their step: the indices of its loops are known here alone."""
        try:
            return await branch
        except StepFailure as failure:
            attribute(self._life.program, failure, self._indices)
            raise

    async def _rest(self, step: str, hashed: bytes, until: int, clock: Callable[[], int]) -> None:
        """Leave up to an instant of a clock; a record keeps it, another that it is over, whatever that says later."""
        life, record = self._life, self._record(step, hashed)
        if record is not None and record.kind is Kind.RESULT:
            return
        await life.replay.live(step)
        if record is not None:
            until = int(record.value)
        now, left = life.around.clock(), until - clock()
        if left <= 0:
            await life.commit(Record(life.seq, step, Kind.RESULT, hashed, now, value=b"%d" % until))
            return
        if record is None:
            await life.commit(Record(life.seq, step, Kind.TIMER, hashed, now, value=b"%d" % until))
        raise Suspended(life.around.steadily() + left, step)
