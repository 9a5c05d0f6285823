"""What a flow does, by its generated Python: the module is run under a context that keeps no journal."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from types import TracebackType
from typing import Any, cast

from runtime.context import Context, Failed, Run, StepSpec
from runtime.failures import StepFailure
from runtime.program import Program, Request
from runtime.steps import verbs
from tests.compiler.reference.trace import Delivery, Tape, literal

_RESULTS = {title: verb.result for title, verb in verbs(cast("Any", None), cast("Any", None)).items()}


class Recorder:
    """Answers effects from a script; waits are over at once."""

    def __init__(self, program: Program, delivery: Delivery) -> None:
        self.run = Run("r1", "k1", program.flow, delivery.at, program.plan)
        self.tape = Tape()
        self.delivery, self._program = delivery, program
        self._index = ""
        self._failed: dict[StepFailure, Failed] = {}

    def _id(self, step: str) -> str:
        return f"{step}{self._index}"

    def _child(self, tape: Tape, index: str) -> "Recorder":
        child = Recorder(self._program, self.delivery)
        child.tape, child._index, child._failed = tape, index, self._failed
        return child

    async def step(self, spec: StepSpec, *args: Any) -> Any:
        self.tape.note("step", self._id(spec.id), spec.verb, spec.effect, literal(spec.literal), list(args))
        return self._answer(spec.id, args, spec.result or _RESULTS[spec.verb])

    def _answer(self, step: str, args: tuple[Any, ...], read: Callable[[bytes], Any]) -> Any:
        answer = self.delivery.script(self._id(step), args)
        if isinstance(answer, bytes):
            return read(answer)
        failure = StepFailure(answer.code, answer.message)
        self._failed[failure] = Failed(self._id(step), answer.code, answer.message, 1)
        raise failure

    async def sleep(self, step: str, milliseconds: int) -> None:
        self.tape.note("sleep", self._id(step), milliseconds)

    async def sleep_until(self, step: str, instant: datetime) -> None:
        self.tape.note("sleep until", self._id(step), instant)

    async def all(self, step: str, *branches: "Callable[[Context], Awaitable[Any]]") -> list[Any]:
        """Last branch first: none may see what another does."""
        tapes, results = [Tape() for _ in branches], list[Any](branches)
        failures: list[StepFailure] = []
        for number in reversed(range(len(branches))):
            child = self._child(tapes[number], self._index)
            try:
                results[number] = await branches[number](child)
            except StepFailure as failure:
                failures.append(child.located(failure))
        for number, tape in enumerate(tapes):
            self.tape.append(f"{self._id(step)} {number}", tape)
        if failures:
            raise failures[-1]
        return results

    async def each(
        self,
        step: str,
        items: list[Any],
        body: "Callable[[Context, Any], Awaitable[Any]]",
        *,
        most: int,
        at_once: int,
    ) -> None:
        self.tape.note("for", self._id(step), len(items), most, at_once)
        if len(items) > most:
            raise StepFailure("too_many", "too many items")
        for index, item in enumerate(items):
            child = self._child(self.tape, f"{self._index}[{index}]")
            try:
                await body(child, item)
            except StepFailure as failure:
                raise child.located(failure) from None

    async def wait_for(self, step: str, event: str, key: str, within: int, read: Callable[[bytes], Any]) -> Any:
        self.tape.note("wait for", self._id(step), event, key, within)
        return self._answer(step, (key,), read)

    async def emit(self, step: str, event: str, key: str, value: Any) -> None:
        self.tape.note("emit", self._id(step), event, key, value)

    async def respond(self, step: str, status: int, body: Any) -> None:
        self.tape.note("respond", self._id(step), status, body)

    def log(self, step: str, value: Any) -> None:
        self.tape.note("log", self._id(step), value)

    def error(self, failure: StepFailure) -> Failed:
        return self._failed[self.located(failure)]

    def header(self, name: str) -> str | None:
        return self.delivery.headers.get(name)

    def query(self, name: str) -> str | None:
        return self.delivery.query.get(name)

    def setting(self, name: str) -> str:
        return self.delivery.config[name]

    def secret(self, name: str) -> str:
        return self.delivery.secrets[name]

    def located(self, failure: StepFailure) -> StepFailure:
        """The failure, with the step noted at which it happened; a pure step is found by its place in the text."""
        if failure not in self._failed:
            step = _innermost(self._program, failure.__traceback__)
            message = failure.message if failure.code == "failed" else failure.code
            self._failed[failure] = Failed(self._id(step), failure.code, message, 1)
        return failure


def _innermost(program: Program, trace: TracebackType | None) -> str:
    """The step that a traceback ends in. A `def` may stand in another file: it is left out."""
    found = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == program.code.co_filename:
            line, _, column, _ = list(code.co_positions())[trace.tb_lasti // 2]
            place = program.place_of((line or 0, column or 0))
            found = place.step if place is not None else found
        trace = trace.tb_next
    return found


def record(program: Program, delivery: Delivery) -> list[str]:
    """The trace of a program, as the reference gives one of its plan."""
    payload = program.payload.decode(delivery.body).payload
    recorder = Recorder(program, delivery)
    _before(program, payload, recorder)
    try:
        stopped = finish(program.run(payload, recorder))
        recorder.tape.note("stop" if stopped else "end", "")
    except StepFailure as failure:
        error = recorder.error(failure)
        recorder.tape.note("failed", error.step, error.code, error.message)
        if program.handler is not None:
            _handle(program.handler(payload, recorder, error), recorder)
    return recorder.tape.lines


def _before(program: Program, payload: Any, recorder: Recorder) -> None:
    """What the door asks of a program: the keys of a delivery, the immediate answer."""
    request = Request(recorder.delivery.headers, recorder.delivery.query)
    if program.dedupe is not None:
        recorder.tape.note("dedupe", "", program.dedupe.key(payload, request), program.dedupe.window)
    if program.serial is not None:
        recorder.tape.note("serial", "", program.serial(payload, request))
    if program.answer is not None:
        recorder.tape.note("answer", "", *program.answer("r1"))


def _handle(handler: Awaitable[bool], recorder: Recorder) -> None:
    try:
        recorder.tape.note("settled" if finish(handler) else "handled", "")
    except StepFailure as failure:
        second = recorder.error(failure)
        recorder.tape.note("dead", second.step, second.code, second.message)


def finish(run: Awaitable[bool]) -> bool:
    """What a coroutine returns that never has to wait."""
    try:
        cast("Coroutine[None, None, bool]", run).send(None)
    except StopIteration as end:
        return bool(end.value)
    raise AssertionError("the flow waits for something that is not its context")
