"""Nodes of steps and their clauses."""

from dataclasses import dataclass
from typing import Literal

from dsl.nodes.base import Documented, Name, Node
from dsl.nodes.expressions import Expr, FunctionCall, Text
from dsl.nodes.types import TypeExpr
from dsl.source import Span


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """`-> step -> step`; an empty chain has an empty span."""

    steps: tuple["Step", ...]


@dataclass(frozen=True, slots=True)
class By(Node):
    """`by expr`."""

    value: Expr


@dataclass(frozen=True, slots=True)
class To(Node):
    """`to expr`."""

    value: Expr


@dataclass(frozen=True, slots=True)
class From(Node):
    """`from expr`."""

    value: Expr


@dataclass(frozen=True, slots=True)
class With(Node):
    """`with expr`."""

    value: Expr


@dataclass(frozen=True, slots=True)
class As(Node):
    """`as name` or `as name: type`."""

    name: Name
    type: TypeExpr | None


@dataclass(frozen=True, slots=True)
class Via(Node):
    """`via connection`."""

    name: Name


@dataclass(frozen=True, slots=True)
class Unknown(Node):
    """`unknown park` or `unknown retry`."""

    policy: Literal["park", "retry"]


@dataclass(frozen=True, slots=True)
class Retry(Node):
    """`retry N`: further attempts."""

    times: int


@dataclass(frozen=True, slots=True)
class Every(Node):
    """`every 1s` or `every 1s..5m`."""

    low: Expr
    high: Expr | None


@dataclass(frozen=True, slots=True)
class Within(Node):
    """`within 2h`."""

    limit: Expr


@dataclass(frozen=True, slots=True)
class OrElse(Node):
    """`else { … }` after a step."""

    chain: Chain


Clause = By | To | From | With | As | Via | Unknown | Retry | Every | Within | OrElse


@dataclass(frozen=True, slots=True)
class CallStep(Documented):
    """`f(x)` as a step."""

    call: FunctionCall
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class BindStep(Documented):
    """`name = expr`."""

    name: Name
    value: Expr
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Command(Documented):
    """`verb noun "literal" clauses`; `head` covers verb, noun and literal."""

    head: Span
    verb: Name
    noun: Name | None
    literal: Text | None
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class WaitFor(Documented):
    """`wait for event by key within D as x: type else { … }`."""

    event: Name
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class CodeStep(Documented):
    """`code(a, b): type` and fenced Python; `body` covers the lines inside the fence, `python` is their text."""

    params: tuple[Name, ...]
    result: TypeExpr
    body: Span
    python: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Arm(Node):
    """`if` or `else if`: a condition and what runs under it."""

    condition: Expr
    chain: Chain


@dataclass(frozen=True, slots=True)
class If(Documented):
    """`if c { … } else if d { … } else { … }`."""

    arms: tuple[Arm, ...]
    otherwise: Chain | None


@dataclass(frozen=True, slots=True)
class Case(Node):
    """An arm of `match`: its patterns (literals), or none of them for `else`."""

    patterns: tuple[Expr, ...]
    chain: Chain


@dataclass(frozen=True, slots=True)
class Match(Documented):
    """`match x { "a", "b" => { … } else => { … } }`."""

    subject: Expr
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Branch(Node):
    """A named branch of `parallel`."""

    name: Name
    chain: Chain


@dataclass(frozen=True, slots=True)
class Parallel(Documented):
    """`parallel { a { … } b { … } }`."""

    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class For(Documented):
    """`for x in xs max N parallel N { … }`; a limit given twice keeps both, for the checker to say so."""

    name: Name
    items: Expr
    max: tuple[int, ...]
    parallel: tuple[int, ...]
    chain: Chain


@dataclass(frozen=True, slots=True)
class Wait(Documented):
    """`wait 2h`."""

    duration: Expr


@dataclass(frozen=True, slots=True)
class WaitUntil(Documented):
    """`wait until expr`."""

    instant: Expr


@dataclass(frozen=True, slots=True)
class Respond(Documented):
    """`respond 200 expr`."""

    status: int
    body: Expr | None


@dataclass(frozen=True, slots=True)
class Stop(Documented):
    """`stop` with an optional value."""

    value: Expr | None


@dataclass(frozen=True, slots=True)
class Log(Documented):
    """`log expr`."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Fail(Documented):
    """`fail expr`."""

    value: Expr


Step = (
    CallStep
    | BindStep
    | Command
    | WaitFor
    | CodeStep
    | If
    | Match
    | Parallel
    | For
    | Wait
    | WaitUntil
    | Respond
    | Stop
    | Log
    | Fail
)
