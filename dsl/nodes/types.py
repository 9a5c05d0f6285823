"""Nodes of types."""

from dataclasses import dataclass

from dsl.nodes.base import Documented, Name, Node
from dsl.nodes.expressions import Expr, Text


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
