"""What the checker found out of a flow: later passes read it, and never look at types again on their own.

Nodes are told apart by identity, not by value: the same words at two places may mean different things.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from compiler.catalog import Catalog, Connection, Template, Verb
from compiler.expand import Fill
from compiler.ir import Guard
from compiler.scope import Binding, Merged
from compiler.types import Default, RecordOf, Type
from dsl import Source, nodes


@dataclass(frozen=True, slots=True)
class Environment:
    """What flows are checked against, beside their own text: from the catalog and from seta.toml."""

    catalog: Catalog
    config: frozenset[str] = frozenset()
    region: str = "BR"
    zone: str = "America/Sao_Paulo"
    types: Mapping[str, Type] = field(default_factory=dict)
    defs: "Mapping[str, Definition]" = field(default_factory=dict)
    connections: tuple[Connection, ...] = ()
    open_hosts: bool = False  # data may choose the host of a request


@dataclass(frozen=True, slots=True)
class Definition:
    """A checked `def`: pure, one expression, never recursive."""

    node: nodes.Def
    source: Source
    params: tuple[tuple[str, Type], ...]
    result: Type
    facts: "Facts"


@dataclass(frozen=True, slots=True)
class PayloadField:
    """A field of the payload as the door decodes it."""

    name: str
    key: str
    type: Type
    default: Default
    lenient: bool
    doc: str = ""


@dataclass(slots=True)
class Facts:
    """By identity of nodes: types of expressions, meaning of names, what steps bind, which slots were filled."""

    types: dict[int, Type] = field(default_factory=dict)
    names: dict[int, Binding] = field(default_factory=dict)
    roots: dict[int, str] = field(default_factory=dict)
    binds: dict[int, Binding] = field(default_factory=dict)
    verbs: dict[int, Verb] = field(default_factory=dict)
    slots: dict[int, dict[Literal["by", "to"], nodes.Expr]] = field(default_factory=dict)
    connections: dict[int, Connection] = field(default_factory=dict)
    templates: dict[int, Template] = field(default_factory=dict)
    results: dict[int, Type] = field(default_factory=dict)
    merges: dict[int, list[Merged]] = field(default_factory=dict)
    headers: set[str] = field(default_factory=set)
    query: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    guard: Guard | None = None
    used: set[str] = field(default_factory=set)  # variables that something reads
    narrowed: dict[int, Binding] = field(default_factory=dict)  # the subject of a `match` under a name
    responds: bool = False
    payload: RecordOf = field(default_factory=lambda: RecordOf(()))
    fields: tuple[PayloadField, ...] = ()
    fills: list[Fill] = field(default_factory=list)

    def type_of(self, expr: nodes.Expr) -> Type:
        """The type of a checked expression."""
        return self.types[id(expr)]
