"""The verbs of a test: calls are noted, mocks answer in their place, and nothing leaves the machine."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

import apsw

from compiler import ir
from compiler.ir.trials import Calls, FailsAs, Mock
from dsl import Span
from runtime.connections.http import kind_of
from runtime.context import Call, Hole, LiteralPart, LocalVerb, RemoteVerb, Setting, Verb, Whole
from runtime.engine.ids import encode
from runtime.failures import Kind, StepFailure
from runtime.shapes import MisfitError, NotJsonError, read_json
from runtime.steps import code
from runtime.values import text_of

_KINDS: Final = {"connect": Kind.NOT_DONE, "no_answer": Kind.TRANSIENT, "timeout": Kind.TRANSIENT}
NOT_MOCKED: Final = "not_mocked"

_NULL: Final = b"null"
_STATUS: Final = re.compile(r"http_([1-5]\d\d)")


Place = tuple[str, Span]  # a flow, and where a step stands in its file


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a flow, by its id in the plan."""

    flow: str
    id: str


@dataclass(slots=True)
class Sent:
    """A call of a step, however often it was tried: what it was called with, as JSON."""

    step: Step
    verb: str
    address: str  # or the name after verb and noun; settings by name, as flows write them
    args: list[Any]
    via: str | None = None


class Script:
    """What mocks say of calls. `steps` has the step that stands at a place of a flow's text."""

    def __init__(self, mocks: Sequence[Mock], steps: Mapping[Place, Step]) -> None:
        self.unused = list(mocks)
        self._mocks = [(mock, selected(mock.calls, steps)) for mock in mocks]

    def of(self, call: Call) -> Mock | None:
        """The mock that a call comes to, if any.

        One that names an address counts before one with holes, and that before one without. Mocks that are written
        alike are the answers of one call after the other; the last one holds on.
        """
        address, step = shown(call), Step(call.run.flow, call.spec.id)
        fitting = [mock for mock, steps in self._mocks if step in steps and is_like(mock.calls, address)]
        if not fitting:
            return None
        best = max(map(_precision, fitting))
        alike = [mock for mock in fitting if _precision(mock) == best]
        chosen = next((mock for mock in alike if mock in self.unused), alike[-1])
        self.unused = [mock for mock in self.unused if mock is not chosen]
        return chosen


def _precision(mock: Mock) -> int:
    if mock.calls.literal is None:
        return 0
    return 1 if any(isinstance(part, ir.Hole) for part in mock.calls.literal) else 2


@dataclass(slots=True)
class Recorder:
    """Notes what is called, and lets mocks answer."""

    script: Script
    live: bool = False  # what no mock is for is really done
    sent: dict[str, Sent] = field(default_factory=dict)  # by idempotency key, in the order of the first attempts
    unmocked: list[Call] = field(default_factory=list)

    def verbs(self, real: Mapping[str, Verb]) -> dict[str, Verb]:
        """The verbs of a test: local ones and code at work, the others in name only."""
        return {title: self._verb(title, verb) for title, verb in real.items()}

    def _verb(self, title: str, verb: Verb) -> Verb:
        match verb:
            case LocalVerb():
                return self._local(verb)
            case RemoteVerb() if title == code.TITLE:
                return self._code(verb)
            case RemoteVerb() if self.live:
                return self._noted(verb)
            case RemoteVerb():
                return self._remote(verb)

    def _local(self, verb: LocalVerb) -> LocalVerb:
        chosen: dict[str, tuple[Call, Mock | None]] = {}  # an attempt may be made again, where its batch failed

        def apply(connection: apsw.Connection, call: Call) -> Any:
            attempt, mock = chosen.get(call.key, (None, None))
            if attempt is not call:
                mock = self.script.of(call)
                chosen[call.key] = call, mock
            result = verb.apply(connection, call) if mock is None else None
            self._note(call)
            return result if mock is None else _given(mock, verb.result)  # a mocked one does nothing

        return LocalVerb(apply, lambda data: None if data == _NULL else verb.result(data))

    def _code(self, verb: RemoteVerb) -> RemoteVerb:
        """Python runs where no mock stands for it; it is no call of anybody."""

        async def perform(call: Call) -> Any:
            mock = self.script.of(call)
            return await verb.perform(call) if mock is None else _given(mock, read_json)

        return RemoteVerb(perform, verb.result)

    def _noted(self, verb: RemoteVerb) -> RemoteVerb:
        async def perform(call: Call) -> Any:
            self._note(call)
            return await verb.perform(call)

        return replace(verb, perform=perform)

    def _remote(self, verb: RemoteVerb) -> RemoteVerb:
        async def perform(call: Call) -> Any:
            self._note(call)
            mock = self.script.of(call)
            return self._nothing(call) if mock is None else _given(mock, read_json)

        return RemoteVerb(perform, verb.result)

    def _note(self, call: Call) -> None:
        args, spec = read_json(encode(call.args)), call.spec
        self.sent.setdefault(call.key, Sent(Step(call.run.flow, spec.id), spec.verb, shown(call), args, spec.via))

    def _nothing(self, call: Call) -> None:
        """What a call gives that no mock is for: nothing, where its step can do with that."""
        if call.spec.result is None:
            return
        try:
            call.spec.result(_NULL)
        except (MisfitError, NotJsonError):
            self.unmocked.append(call)
            raise StepFailure(NOT_MOCKED, "the step needs a result, and nobody was asked for one") from None


def _given(mock: Mock, read: Callable[[bytes], Any]) -> Any:
    match mock.gives:
        case FailsAs(code=said):
            raise StepFailure(said, "as the test says", kind_of_failure(said))
        case None:
            return None
        case value:
            return read(encode(value))


def kind_of_failure(said: str) -> Kind:
    """What a failure says of its effect, by its code."""
    if (status := _STATUS.fullmatch(said)) is not None:
        return kind_of(int(status[1]))
    return _KINDS.get(said, Kind.PERMANENT)


# --- which calls


def selected(calls: Calls, steps: Mapping[Place, Step]) -> frozenset[Step]:
    """The steps that a test names."""
    return frozenset(steps[place] for place in calls.places)


def is_like(calls: Calls, address: str) -> bool:
    """Whether an address or name is like the one that a test writes, if it writes one."""
    if calls.literal is None:
        return True
    return re.fullmatch("".join(map(_pattern, calls.literal)), address) is not None


def reads_like(text: Sequence[str | ir.Setting | ir.Hole], line: str) -> bool:
    """Whether a line is like a text, in which a hole stands for whatever is there."""
    return re.fullmatch("".join(map(_pattern, text)), line, re.DOTALL) is not None


def _pattern(part: str | ir.Setting | ir.Hole) -> str:
    match part:
        case ir.Setting(name):
            return re.escape(f"{{config.{name}}}")
        case ir.Hole():
            return ".*"
        case _:
            return re.escape(part)


def shown(call: Call) -> str:
    """The address of a call, or the name after verb and noun, with settings by their names."""
    literal = call.spec.literal
    holes = sum(isinstance(part, Hole | Whole) for part in literal)
    values = iter(call.args[len(call.args) - holes :])
    return "".join(_shown(part, values) for part in literal)


def _shown(part: LiteralPart, values: Iterator[Any]) -> str:
    match part:
        case Setting(name):
            return f"{{config.{name}}}"
        case Hole():
            return quote(text_of(next(values)), safe="")
        case Whole():
            return text_of(next(values))
        case _:
            return part
