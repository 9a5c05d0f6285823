"""The tree of a file of flows: frozen nodes, each with its span. Nothing here knows what a name means."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Literal

from dsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a file and where it stands."""

    span: Span


@dataclass(frozen=True, slots=True)
class Documented(Node):
    """A part that may have `##` comments before it: `doc` is their text."""

    doc: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class Name(Node):
    """An identifier, NFC-normalised."""

    text: str


# --- expressions


@dataclass(frozen=True, slots=True)
class NameRef(Node):
    """A bare name used as a value."""

    name: str


@dataclass(frozen=True, slots=True)
class IntLit(Node):
    """An integer literal."""

    value: int


@dataclass(frozen=True, slots=True)
class DecimalLit(Node):
    """A literal with a decimal point, exact."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class DurationLit(Node):
    """A duration such as `90s` or `2h`; `text` is as written."""

    milliseconds: int
    text: str


@dataclass(frozen=True, slots=True)
class BoolLit(Node):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class NoneLit(Node):
    """`none`."""


@dataclass(frozen=True, slots=True)
class Hole(Node):
    """`{path}` inside text; the span covers the braces, the path's spans lie inside."""

    path: "Expr"


@dataclass(frozen=True, slots=True)
class Text(Node):
    """Text in double quotes: runs of characters (escapes resolved) and holes, in order."""

    parts: tuple[str | Hole, ...]

    @property
    def static(self) -> str | None:
        """The text itself where it has no hole, else None."""
        if any(isinstance(part, Hole) for part in self.parts):
            return None
        return "".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True, slots=True)
class FieldOf(Node):
    """`value.name`."""

    value: "Expr"
    name: Name


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`value[index]`."""

    value: "Expr"
    index: "Expr"


@dataclass(frozen=True, slots=True)
class Arg(Node):
    """An argument; `name` where it is given by name."""

    name: Name | None
    value: "Expr"


@dataclass(frozen=True, slots=True)
class FunctionCall(Node):
    """`f(x, region: "BR")` as a value."""

    name: Name
    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`not x` or `-x`."""

    op: Literal["not", "-"]
    value: "Expr"


Operator = Literal["or", "and", "==", "!=", "<=", ">=", "<", ">", "in", "+", "-", "*", "/", "%", "??"]


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Two operands; `op_span` is the operator's own place."""

    op: Operator
    op_span: Span
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class Entry(Node):
    """`name: value` or `"key": value` in a record; `{nome}` is `{nome: nome}` with `short` set."""

    key: Name
    value: "Expr"
    short: bool = False


@dataclass(frozen=True, slots=True)
class Record(Node):
    """`{nome, total: valor}`."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ListLit(Node):
    """`[a, b]`."""

    items: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Comprehension(Node):
    """`[value for name in items if condition]`."""

    value: "Expr"
    name: Name
    items: "Expr"
    condition: "Expr | None"


Expr = (
    NameRef
    | IntLit
    | DecimalLit
    | DurationLit
    | BoolLit
    | NoneLit
    | Text
    | FieldOf
    | Index
    | FunctionCall
    | Unary
    | Binary
    | Record
    | ListLit
    | Comprehension
)


# --- types


@dataclass(frozen=True, slots=True)
class TypeName(Node):
    """`text`, `text(1..200)`, `Lead`."""

    name: str
    low: int | None = None
    high: int | None = None
    ranged: bool = False


@dataclass(frozen=True, slots=True)
class PiiType(Node):
    """`pii T`."""

    inner: "TypeExpr"


@dataclass(frozen=True, slots=True)
class ListType(Node):
    """`[T]`."""

    item: "TypeExpr"


@dataclass(frozen=True, slots=True)
class EnumType(Node):
    """`"a" | "b"`."""

    values: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class OptionalType(Node):
    """`T?`."""

    inner: "TypeExpr"


@dataclass(frozen=True, slots=True)
class FieldDecl(Documented):
    """`"json key" as name: type = default`; `doc` is the `##` comment before it."""

    name: Name
    key: Text | None
    type: "TypeExpr"
    default: Expr | None


@dataclass(frozen=True, slots=True)
class RecordType(Node):
    """`{a: T, b: U}`."""

    fields: tuple[FieldDecl, ...]


TypeExpr = TypeName | PiiType | ListType | EnumType | OptionalType | RecordType


# --- steps


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


# --- triggers


@dataclass(frozen=True, slots=True)
class Signed(Node):
    """`signed scheme(secret.NAME, …)`."""

    scheme: Name
    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class Token(Node):
    """`token header "X" (secret.NAME)`."""

    header: Text
    value: Expr


@dataclass(frozen=True, slots=True)
class Basic(Node):
    """`basic(secret.USER, secret.PASSWORD)`."""

    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class Open(Node):
    """`open`."""


@dataclass(frozen=True, slots=True)
class Cors(Node):
    """`cors "https://site", …`."""

    origins: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Accept(Node):
    """`accept json, form`."""

    kinds: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Limit(Node):
    """`limit 5mb`, in bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class Dedupe(Node):
    """`dedupe by expr for 24h`."""

    key: Expr
    window: DurationLit


@dataclass(frozen=True, slots=True)
class Answer(Node):
    """`answer 200 with expr`."""

    status: int
    body: Expr | None


@dataclass(frozen=True, slots=True)
class AnswerWithin(Node):
    """`answer within 5s`."""

    limit: DurationLit


@dataclass(frozen=True, slots=True)
class Serial(Node):
    """`serial by expr`."""

    key: Expr


@dataclass(frozen=True, slots=True)
class Keep(Node):
    """`keep 30d`."""

    period: DurationLit


@dataclass(frozen=True, slots=True)
class Concurrency(Node):
    """`concurrency 20`."""

    limit: int


TriggerClause = (
    Signed | Token | Basic | Open | Cors | Accept | Limit | Dedupe | Answer | AnswerWithin | Serial | Keep | Concurrency
)


@dataclass(frozen=True, slots=True)
class NamedPayload(Node):
    """`name: type`: the whole body under one name."""

    name: Name
    type: TypeExpr


@dataclass(frozen=True, slots=True)
class Trigger(Node):
    """`webhook "/path" clauses payload`."""

    kind: Name
    path: Text | None
    clauses: tuple[TriggerClause, ...]
    payload: RecordType | NamedPayload | None


# --- top level


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
    """`given {…}`: the delivery of a test."""

    payload: Record


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
class Expect(Node):
    """`expect [not] …`: a command, `respond N`, `stop` or `fail`."""

    negated: bool
    what: Command | Respond | Stop | Literal["fail"]


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


def children(node: Node) -> Iterator[Node]:
    """The nodes directly under a node, in the order of its fields."""
    for item in fields(node):
        value = getattr(node, item.name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, Node))


def walk(node: Node) -> Iterator[Node]:
    """A node and everything under it, in text order, without recursion."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(list(children(current))))
