"""Expressions of a plan."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from dsl.source import Span


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a plan and where it stands in the text."""

    span: Span


@dataclass(frozen=True, slots=True)
class Const(Node):
    """A value known now."""

    value: str | int | bool | Decimal | timedelta | None


@dataclass(frozen=True, slots=True)
class Var(Node):
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class PayloadField(Node):
    """A field of the decoded payload."""

    name: str


@dataclass(frozen=True, slots=True)
class RunField(Node):
    """A fact of the run."""

    name: str


@dataclass(frozen=True, slots=True)
class Get(Node):
    """A field of a value: of an entity (`struct`), of any other record, or of json; absent where the value is."""

    value: "Expr"
    name: str
    how: Literal["struct", "record", "maybe"]


@dataclass(frozen=True, slots=True)
class At(Node):
    """An element of an array or of json, or absence."""

    value: "Expr"
    index: "Expr"


@dataclass(frozen=True, slots=True)
class Apply(Node):
    """A function of the catalog; `named` are parameters given by name."""

    function: str
    args: tuple["Expr", ...]
    named: tuple[tuple[str, "Expr"], ...] = ()


@dataclass(frozen=True, slots=True)
class CallOwn(Node):
    """A function that is Python of the folder; every argument goes by name."""

    function: str
    args: tuple[tuple[str, "Expr"], ...]


@dataclass(frozen=True, slots=True)
class Operation(Node):
    """An operator on two present values."""

    op: Literal[
        "==", "!=", "<", "<=", ">", ">=", "and", "or", "??", "+", "-", "*", "/", "%", "join", "in", "same", "holds"
    ]
    left: "Expr"
    right: "Expr"
    fails: tuple[str, ...] = ()  # the codes with which the operator itself may fail


@dataclass(frozen=True, slots=True)
class Not(Node):
    """Negation of a bool."""

    value: "Expr"


@dataclass(frozen=True, slots=True)
class Negative(Node):
    """Negation of a number."""

    value: "Expr"
    fails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextOf(Node):
    """Text with values in it."""

    parts: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class RecordOf(Node):
    """A record; absent fields are left out."""

    entries: tuple[tuple[str, "Expr"], ...]


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    """An array."""

    items: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class RequestField(Node):
    """A header or a query parameter of the delivery, or absence."""

    of: Literal["header", "query"]
    name: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A `def` of the folder."""

    name: str
    args: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Each(Node):
    """An array made from another: a value for each item for which the condition holds."""

    value: "Expr"
    name: str
    items: "Expr"
    condition: "Expr | None"


Expr = (
    Const
    | Var
    | PayloadField
    | RunField
    | RequestField
    | Call
    | Each
    | Get
    | At
    | Apply
    | CallOwn
    | Operation
    | Not
    | Negative
    | TextOf
    | RecordOf
    | ListOf
)
