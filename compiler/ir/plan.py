"""A whole plan, and how to go through one."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from compiler.ir.operations import Branch, For, Op, Parallel, Step, Try
from compiler.ir.shapes import Object, Shape
from compiler.ir.values import Apply, CallOwn, Expr, Var
from dsl.source import Span


@dataclass(frozen=True, slots=True)
class Function:
    """A `def` that a plan uses."""

    name: str
    params: tuple[str, ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class OwnFunction:
    """Python of the folder that a plan calls, and the shape that what it gives must have."""

    name: str
    result: Shape


@dataclass(frozen=True, slots=True)
class Dedupe:
    """The key of a delivery and for how many ms a repeat is known."""

    key: Expr
    window: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The immediate answer instead of the run's id."""

    status: int
    body: Expr


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may call: a scheme of the catalog, the names of its secrets and its options, each by parameter."""

    scheme: str
    secrets: tuple[tuple[str, str], ...]
    options: tuple[tuple[str, str | int], ...]  # durations in ms


@dataclass(frozen=True, slots=True)
class Plan:
    """A flow, compiled: what it takes and what it does."""

    flow: str
    path: str | None
    limit: int
    payload: Object
    ops: tuple[Op, ...]
    handler: tuple[Op, ...] | None = None
    handler_error: str = ""
    functions: tuple[Function, ...] = ()
    own: tuple[OwnFunction, ...] = ()
    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    responds: bool = False
    answer_within: int | None = None
    dedupe: Dedupe | None = None
    serial: Expr | None = None
    concurrency: int | None = None
    keep: int | None = None  # ms
    answer: Answer | None = None
    accept: tuple[str, ...] = ("json",)  # kinds of bodies
    cors: tuple[str, ...] = ()  # sites whose pages may read what the door answers; "*": all
    guard: Guard | None = None


def canonical(value: Any) -> Any:
    """A plan as nested lists that JSON can hold, without spans."""
    if isinstance(value, Span):
        return None
    if isinstance(value, tuple):
        return [canonical(part) for part in value]
    if isinstance(value, Decimal | timedelta):
        return [type(value).__name__, str(value)]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    inside = [canonical(getattr(value, f.name)) for f in fields(value) if f.name != "span"]
    return [type(value).__name__, *inside]


def steps(ops: tuple[Op, ...]) -> list[Step]:
    """All operations that are steps of the flow, in text order, those inside branches too."""
    found: list[Step] = []
    for op in ops:
        if not isinstance(op, Try) and op.step:
            found.append(op)
        for inner in blocks(op):
            found.extend(steps(inner))
    return found


def blocks(op: Op) -> list[tuple[Op, ...]]:
    """The operations inside an operation, block by block."""
    match op:
        case Branch(arms=arms, otherwise=otherwise):
            return [*(inner for _, inner in arms), otherwise]
        case Try(ops=ops, handler=handler):
            return [ops, handler]
        case Parallel(branches=branches):
            return [branch.ops for branch in branches]
        case For(ops=ops):
            return [ops]
        case _:
            return []


def all_steps(plan: Plan) -> list[Step]:
    """The steps of a flow and of its handler."""
    return [*steps(plan.ops), *steps(plan.handler or ())]


def applied(plan: Plan) -> set[str]:
    """The functions of the catalog that a plan applies."""
    names: set[str] = set()
    stack: list[object] = [plan]
    while stack:
        node = stack.pop()
        if isinstance(node, Apply | CallOwn):
            names.add(node.function)
        if isinstance(node, tuple):
            stack.extend(node)
        elif hasattr(node, "__dataclass_fields__"):
            stack.extend(getattr(node, name) for name in node.__dataclass_fields__)
    return names


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """An expression with other names for some of its variables."""
    if isinstance(value, Var):
        return replace(value, name=names.get(value.name, value.name))
    if isinstance(value, tuple):
        return tuple(renamed(part, names) for part in value)
    if not is_dataclass(value) or isinstance(value, type | Span):
        return value
    return replace(value, **{f.name: renamed(getattr(value, f.name), names) for f in fields(value) if f.name != "span"})
