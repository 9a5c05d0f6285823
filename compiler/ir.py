"""The plan of a flow: straight-line operations and branches over variables that are assigned once.

Every node carries the span it came from; `canonical` leaves spans out, so that a plan's hash follows its meaning.
"""

from dataclasses import dataclass, fields
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from dsl.source import Span


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a plan and where it stands in the text."""

    span: Span


# --- expressions


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
class Operation(Node):
    """An operator on two present values."""

    op: Literal["==", "!=", "<", "<=", ">", ">=", "and", "or", "??", "+", "-", "*", "/", "%", "join", "in"]
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class Not(Node):
    """Negation of a bool."""

    value: "Expr"


@dataclass(frozen=True, slots=True)
class Negative(Node):
    """Negation of a number."""

    value: "Expr"


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
    | Operation
    | Not
    | Negative
    | TextOf
    | RecordOf
    | ListOf
)


# --- shapes of data that comes from outside


@dataclass(frozen=True, slots=True)
class Scalar:
    """A kind of value by its name, with its options: the region of a phone, the bounds of a range."""

    name: str
    options: tuple[str | int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some texts."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Many:
    """An array."""

    item: "Shape"


@dataclass(frozen=True, slots=True)
class ShapeField:
    """A field of a record that is read from JSON."""

    name: str
    key: str
    shape: "Shape"
    required: bool
    default: str | int | Decimal | None = None
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Object:
    """A record that is read from JSON."""

    fields: tuple[ShapeField, ...]


Shape = Scalar | OneOf | Many | Object


# --- operations


@dataclass(frozen=True, slots=True)
class Setting:
    """A part of a literal that is read from the configuration."""

    name: str


@dataclass(frozen=True, slots=True)
class Hole:
    """A part of a literal that is the next of the step's holes."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the flow says about attempts; None where it is silent. Pauses are milliseconds."""

    tries: int | None = None
    low: int | None = None
    high: int | None = None
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """The Python of a code step; `body` is where its text stands and no part of the plan's hash."""

    params: tuple[str, ...]
    python: str
    body: Span


@dataclass(frozen=True, slots=True)
class Assign(Node):
    """A pure step, or the value that paths leave for what follows (`step` is then empty)."""

    step: str
    target: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Effect(Node):
    """A step with an effect."""

    step: str
    verb: str
    effect: str
    args: tuple[Expr, ...]
    target: str | None = None
    literal: tuple[str | Setting | Hole, ...] = ()
    policy: Policy = Policy()
    result: Shape | None = None
    code: Code | None = None
    within: int | None = None


@dataclass(frozen=True, slots=True)
class Suspend(Node):
    """A durable wait of a duration."""

    step: str
    duration: Expr


@dataclass(frozen=True, slots=True)
class SuspendUntil(Node):
    """A durable wait for an instant; a date means its first moment in a zone."""

    step: str
    instant: Expr
    zone: str


@dataclass(frozen=True, slots=True)
class WaitFor(Node):
    """A durable wait for an event, for so many ms at most."""

    step: str
    event: str
    key: Expr
    within: int
    target: str | None
    result: "Shape | None"


@dataclass(frozen=True, slots=True)
class Emit(Node):
    """An event for the runs that wait for it."""

    step: str
    event: str
    key: Expr
    value: Expr


@dataclass(frozen=True, slots=True)
class Respond(Node):
    """The answer to the sender."""

    step: str
    status: int
    body: Expr


@dataclass(frozen=True, slots=True)
class Try(Node):
    """Operations, and what runs instead once one of them has failed; `error` is the variable of the failure."""

    ops: tuple["Op", ...]
    error: str
    handler: tuple["Op", ...]
    after: tuple["Op", ...]


@dataclass(frozen=True, slots=True)
class Fork:
    """A branch of `parallel`; `leaves` are the variables that it binds for what follows."""

    name: str
    ops: tuple["Op", ...]
    leaves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parallel(Node):
    """Branches at the same time."""

    step: str
    branches: tuple[Fork, ...]


@dataclass(frozen=True, slots=True)
class For(Node):
    """Operations for each item, `at_once` at a time; more than `most` items fail."""

    step: str
    name: str
    items: Expr
    ops: tuple["Op", ...]
    most: int
    at_once: int


@dataclass(frozen=True, slots=True)
class Branch(Node):
    """The first arm whose condition holds, else `otherwise`."""

    step: str
    arms: tuple[tuple[Expr, tuple["Op", ...]], ...]
    otherwise: tuple["Op", ...]


@dataclass(frozen=True, slots=True)
class LogLine(Node):
    """A line for the run's log."""

    step: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Stop(Node):
    """The run ends here, as it should."""

    step: str


@dataclass(frozen=True, slots=True)
class Fail(Node):
    """The run fails here, with a message."""

    step: str
    message: Expr


Step = (
    Assign
    | Effect
    | Suspend
    | SuspendUntil
    | WaitFor
    | Emit
    | Respond
    | Parallel
    | For
    | Branch
    | LogLine
    | Stop
    | Fail
)
Op = Step | Try


@dataclass(frozen=True, slots=True)
class Function:
    """A `def` that a plan uses."""

    name: str
    params: tuple[str, ...]
    body: Expr


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
    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    responds: bool = False
    answer_within: int | None = None
    dedupe: Dedupe | None = None
    answer: Answer | None = None


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
    inside = [canonical(getattr(value, f.name)) for f in fields(value) if f.name not in ("span", "body")]
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
