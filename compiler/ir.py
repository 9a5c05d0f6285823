"""The plan of a flow: straight-line operations and branches over variables that are assigned once.

Every node carries the span it came from; `canonical` leaves spans out, so that a plan's hash follows its meaning.
"""

from dataclasses import dataclass, fields
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

    value: str | int | bool | Decimal | None


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

    op: Literal["==", "!=", "<", "<=", ">", ">=", "and", "or", "??", "+", "-", "*", "/", "%", "join"]
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


Expr = (
    Const | Var | PayloadField | RunField | Get | At | Apply | Operation | Not | Negative | TextOf | RecordOf | ListOf
)


# --- shapes of data that comes from outside


@dataclass(frozen=True, slots=True)
class Scalar:
    """A kind of value by its name, with its options (the region of a phone)."""

    name: str
    options: tuple[str, ...] = ()


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
    default: str | int | bool | None = None
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


@dataclass(frozen=True, slots=True)
class Suspend(Node):
    """A wait; `duration` is in milliseconds."""

    step: str
    duration: Expr


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


Op = Assign | Effect | Suspend | Branch | LogLine | Stop | Fail


@dataclass(frozen=True, slots=True)
class Plan:
    """A flow, compiled: what it takes and what it does."""

    flow: str
    path: str | None
    limit: int
    payload: Object
    ops: tuple[Op, ...]


def canonical(value: Any) -> Any:
    """A plan as nested lists that JSON can hold, without spans."""
    if isinstance(value, Span):
        return None
    if isinstance(value, tuple):
        return [canonical(part) for part in value]
    if isinstance(value, Decimal):
        return ["decimal", str(value)]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    inside = [canonical(getattr(value, f.name)) for f in fields(value) if f.name not in ("span", "body")]
    return [type(value).__name__, *inside]


def steps(ops: tuple[Op, ...]) -> list[Op]:
    """All operations that are steps of the flow, in text order, those inside branches too."""
    found: list[Op] = []
    for op in ops:
        if not (isinstance(op, Assign) and not op.step):
            found.append(op)
        if isinstance(op, Branch):
            for _, inner in op.arms:
                found.extend(steps(inner))
            found.extend(steps(op.otherwise))
    return found
