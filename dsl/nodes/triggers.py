"""Nodes of triggers."""

from dataclasses import dataclass

from dsl.nodes.base import Name, Node
from dsl.nodes.expressions import Arg, DurationLit, Expr, Text
from dsl.nodes.types import RecordType, TypeExpr


@dataclass(frozen=True, slots=True)
class Signed(Node):
    """`signed scheme(secret.NAME, …)`."""

    scheme: Name
    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class Token(Node):
    """`token header "X" (secret.NAME, …)`."""

    header: Text
    args: tuple[Arg, ...]


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
