"""Nodes of expressions."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from dsl.nodes.base import Name, Node
from dsl.source import Span


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
