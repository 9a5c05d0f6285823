"""A test of flows as data: what comes in, what other systems say, how time goes on, and what is expected of it all.

A trial is no part of a plan. It names steps by flow and place in the text, as the operations of plans do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from compiler.ir.operations import Hole, Setting
from compiler.ir.values import Node
from dsl.source import Source, Span

Json = str | int | bool | Decimal | timedelta | None | tuple["Json", ...] | Mapping[str, "Json"]


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of steps. With a `literal`, only those of an address or name like it: a hole stands for whatever is there.

    `written` is what the test writes, such as `post "{config.erp}/pedidos"`.
    """

    written: str
    places: frozenset[tuple[str, Span]]  # flow, and where the step stands in its file
    literal: tuple[str | Setting | Hole, ...] | None


@dataclass(frozen=True, slots=True)
class Events:
    """Events of a name."""

    written: str
    name: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines in the logs of runs. With a `text`, only those like it: a hole stands for whatever is there."""

    written: str
    text: tuple[str | Setting | Hole, ...] | None


@dataclass(frozen=True, slots=True)
class Delivery(Node):
    """A delivery to a flow. Header names are in lower case. Of a form, the body is its text as it is sent."""

    flow: str
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: bool = False


@dataclass(frozen=True, slots=True)
class FailsAs:
    """What is said of a call that fails: the code of its failure."""

    code: str


@dataclass(frozen=True, slots=True)
class Mock(Node):
    """What calls give, instead of what they would do."""

    calls: Calls
    gives: Json | FailsAs


@dataclass(frozen=True, slots=True)
class Advance(Node):
    """Time goes on by so many ms."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class Said(Node):
    """What a clause of an expectation says of the argument at an index; of a record, of those fields alone."""

    clause: str
    index: int
    value: Json


@dataclass(frozen=True, slots=True)
class ExpectSent(Node):
    """A call, event or line is expected, or that there is none."""

    negated: bool
    what: Calls | Events | Lines
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class ExpectAnswer(Node):
    """The sender of the last delivery got this answer; of a body, the given fields count."""

    negated: bool
    status: int
    body: Json


@dataclass(frozen=True, slots=True)
class ExpectEnd(Node):
    """The run of the last delivery has stopped itself, or has failed for good, with this code if one is given."""

    negated: bool
    how: Literal["stop", "fail"]
    code: str | None = None


Expectation = ExpectSent | ExpectAnswer | ExpectEnd
TrialStep = Delivery | Mock | Advance | Expectation


@dataclass(frozen=True, slots=True)
class Trial:
    """One test: `flow` is what it is of, `span` its title. Its steps run in their order; mocks hold from the start."""

    source: Source
    span: Span
    title: str
    flow: str
    steps: tuple[TrialStep, ...]
