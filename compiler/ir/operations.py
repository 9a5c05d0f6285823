"""Operations of a plan."""

from dataclasses import dataclass

from compiler.ir.shapes import Shape
from compiler.ir.values import Expr, Node
from dsl.source import Span


@dataclass(frozen=True, slots=True)
class Setting:
    """A part of a literal that is read from the configuration."""

    name: str


@dataclass(frozen=True, slots=True)
class Hole:
    """A part of a literal that is the next of the step's holes."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A literal that is a value of the step's holes, from scheme to end."""


LiteralPart = str | Setting | Hole | Whole


@dataclass(frozen=True, slots=True)
class Connection:
    """What of a connection is part of the plan: which it is, what it is, and whether it takes repeats for one."""

    name: str
    kind: str
    idempotent: bool


@dataclass(frozen=True, slots=True)
class Template:
    """What the catalog file says of the template that a literal names; parameters in their order.

    `parts` says where each of them goes (compiler.catalog.TemplateParam); nothing where all go into the body.
    """

    language: str
    params: tuple[str, ...]
    parts: tuple[str, ...] = ()


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
    literal: tuple[LiteralPart, ...] = ()
    policy: Policy = Policy()
    result: Shape | None = None
    code: Code | None = None
    within: int | None = None
    connection: Connection | None = None
    template: Template | None = None

    @property
    def repeated(self) -> bool:
        """Whether a lost answer of a keyed effect is repeated: the flow asks for it, or the other side takes it."""
        return self.policy.tries is not None or (self.connection is not None and self.connection.idempotent)


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
    result: Shape | None


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
