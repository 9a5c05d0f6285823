"""Nodes of what stands at the top of a file."""

from dataclasses import dataclass

from dsl.nodes.base import Documented, Name, Node
from dsl.nodes.expressions import Expr, ListLit, Record, Text
from dsl.nodes.steps import Chain, Command, Respond, Stop
from dsl.nodes.triggers import Trigger
from dsl.nodes.types import TypeExpr
from dsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class Flow(Documented):
    """A flow; an unnamed one takes the name of its file. `doc` is the `##` comment before it."""

    name: Name | None
    trigger: Trigger
    chain: Chain
    handler: Chain | None


@dataclass(frozen=True, slots=True)
class TypeDef(Node):
    """`type Name = type`."""

    name: Name
    type: TypeExpr


@dataclass(frozen=True, slots=True)
class DefParam(Node):
    """A parameter of a `def`."""

    name: Name
    type: TypeExpr


@dataclass(frozen=True, slots=True)
class Def(Node):
    """`def f(a: text): text = expr`."""

    name: Name
    params: tuple[DefParam, ...]
    result: TypeExpr
    body: Expr


@dataclass(frozen=True, slots=True)
class Given(Node):
    """`given {…}` or `given flow {…}`: a delivery, with the headers and query parameters that it has."""

    flow: Name | None
    body: Record | ListLit | Text
    headers: Record | None
    query: Record | None


@dataclass(frozen=True, slots=True)
class Mock(Node):
    """`mock verb noun "literal" = expr`."""

    verb: Name
    noun: Name | None
    literal: Text | None
    value: Expr


@dataclass(frozen=True, slots=True)
class Advance(Node):
    """`advance 2h`."""

    duration: Expr


@dataclass(frozen=True, slots=True)
class Failure(Node):
    """`fail "code"` as what a test expects; without a code, any failure."""

    code: Text | None


@dataclass(frozen=True, slots=True)
class Expect(Node):
    """`expect [not] …`: a command, `respond N {…}`, `stop` or `fail "code"`."""

    negated: bool
    what: Command | Respond | Stop | Failure


TestStep = Given | Mock | Advance | Expect


@dataclass(frozen=True, slots=True)
class Test(Node):
    """`test "…" for flow { … }`."""

    title: Text
    flow: Name | None
    steps: tuple[TestStep, ...]


Item = Flow | TypeDef | Def | Test


@dataclass(frozen=True, slots=True)
class Comment:
    """`# …` up to the line's end, signs and all; no node, so that walks do not meet it."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class File(Node):
    """One file: its edition (`lang 1`; None where absent) and what it declares, in order.

    `unread` holds the names in text that syntax errors made unreadable: a name that is missing
    elsewhere may be one of them, and its users had better stay silent.
    """

    source: Source
    edition: int | None
    items: tuple[Item, ...]
    comments: tuple[Comment, ...] = ()
    unread: frozenset[str] = frozenset()
