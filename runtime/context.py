"""What a running flow sees, and what a step is to the runtime.

Generated code awaits nothing but a `Context`. It never knows where it is journaled: another engine is another
implementation of this protocol.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

import apsw
import msgspec

from runtime.code import Block
from runtime.failures import StepFailure


@dataclass(frozen=True, slots=True)
class Setting:
    """A part of a literal that is read from the configuration when the step runs."""

    name: str


@dataclass(frozen=True, slots=True)
class Hole:
    """A part of a literal that is the next value of the step's holes."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A literal that is a value of the step's holes, from scheme to end."""


LiteralPart = str | Setting | Hole | Whole


@dataclass(frozen=True, slots=True)
class Policy:
    """When a failed attempt is repeated. `tries` counts all attempts; pauses are milliseconds."""

    tries: int = 5
    low: int = 1_000
    high: int = 300_000
    asked: bool = False  # by `retry` or an idempotent connection: a lost answer of a keyed effect is repeated too
    unknown: Literal["park", "retry"] = "park"


@dataclass(frozen=True, slots=True)
class Template:
    """What a plan knows of a message template: its language, and the names of its parameters in their order.

    `parts` says where each goes (compiler.catalog.TemplateParam); nothing where all go into the body.
    """

    language: str
    params: tuple[str, ...]
    parts: tuple[str, ...] = ()

    def part(self, name: str) -> str:
        """Where a parameter goes; empty for the body."""
        return self.parts[self.params.index(name)] if self.parts and name in self.params else ""


@dataclass(frozen=True, slots=True)
class StepSpec:
    """All of a step that is known before any run: a constant of the generated module."""

    id: str
    verb: str  # as the catalog titles it
    effect: Literal["idempotent", "keyed", "once"]
    literal: tuple[LiteralPart, ...] = ()
    policy: Policy = Policy()
    within: int | None = None  # milliseconds for all attempts and pauses
    result: Callable[[bytes], Any] | None = None  # reads a recorded result; None: the verb's own
    block: Block | None = None  # the Python of a `code` step
    via: str | None = None  # the connection that the plan chose; None: none of seta.toml
    template: Template | None = None  # that the literal names, where the catalog file has it


class Run(msgspec.Struct, frozen=True):
    """What a flow may know of its own run. `at` is when its delivery came, in ms since the Unix epoch."""

    id: str
    key: str
    flow: str
    at: int
    plan: str


class Call(msgspec.Struct, frozen=True):
    """One attempt of a step. `key` is the same for every attempt, also after a restart.

    `after` is the code with which the attempt before this one failed, as the journal has it; empty for the first.
    """

    run: Run
    spec: StepSpec
    args: tuple[Any, ...]
    key: str
    at: int
    config: Mapping[str, str]
    log: Callable[[str], None]
    after: str = ""


@dataclass(frozen=True, slots=True)
class LocalVerb:
    """A verb whose effect is in the journal's own database: effect and record are one transaction."""

    apply: Callable[[apsw.Connection, Call], Any]
    result: Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class RemoteVerb:
    """A verb that reaches out. `perform` raises StepFailure.

    What it has to do in the journal's own database is part of its records: `before`, which may raise StepFailure, of
    the `started` one that an effect of class `once` has; `after`, which gets what `perform` gave, of the result; and
    `refused`, which fails in nothing, of a failure of `perform` that is final.

    `turn` says how long an attempt has to wait before it may begin, in ms. What waits is in the journal, uses no try
    and asks again when its time has come.
    """

    perform: Callable[[Call], Awaitable[Any]]
    result: Callable[[bytes], Any]
    before: Callable[[apsw.Connection, Call], None] | None = None
    after: Callable[[apsw.Connection, Call, Any], None] | None = None
    refused: Callable[[apsw.Connection, Call, StepFailure], None] | None = None
    turn: Callable[[Call], int] | None = None


Verb = LocalVerb | RemoteVerb


def over(title: str, connection: str) -> str:
    """The name under which a table of verbs has a verb over a connection of seta.toml."""
    return f"{title} via {connection}"


@dataclass(frozen=True, slots=True)
class Failed:
    """A failure as flows see it."""

    step: str
    code: str
    message: str
    attempt: int


class Context(Protocol):
    """The calls that generated code makes."""

    @property
    def run(self) -> Run:
        """The run's own facts."""
        ...

    async def step(self, spec: StepSpec, *args: Any) -> Any:
        """Run a step, or give what is recorded of it. Raises StepFailure."""
        ...

    async def sleep(self, step: str, milliseconds: int) -> None:
        """Go on after a time, however often the process dies meanwhile."""
        ...

    async def sleep_until(self, step: str, instant: datetime) -> None:
        """Go on at an instant; one that is past means now."""
        ...

    async def all(self, step: str, *branches: "Callable[[Context], Awaitable[Any]]") -> list[Any]:
        """Run branches at the same time, starting in text order.

        All of them finish; then the results are given, or the first failure in text order is raised. Nests.
        """
        ...

    async def each(
        self,
        step: str,
        items: "list[Any]",
        body: "Callable[[Context, Any], Awaitable[Any]]",
        *,
        most: int,
        at_once: int,
    ) -> None:
        """Run a body for each item, `at_once` at a time; the context it gets numbers its steps by the item's index.

        Raises StepFailure: `too_many` for more than `most` items, before the first; otherwise the failure of the
        lowest index. After a failure none starts, and those that run finish.
        """
        ...

    async def wait_for(self, step: str, event: str, key: str, within: int, read: Callable[[bytes], Any]) -> Any:
        """The value of an event of that name and key that comes within so many ms, early ones since the run included.

        Raises StepFailure: `timeout`.
        """
        ...

    async def emit(self, step: str, event: str, key: str, value: Any) -> None:
        """Wake every run that waits for that name and key, and keep the event for those that will."""
        ...

    async def respond(self, step: str, status: int, body: Any) -> None:
        """Answer the sender, who waits. Returns once the answer, with all that came before it, is committed."""
        ...

    def error(self, failure: StepFailure) -> "Failed":
        """What a flow may know of a failure: the name `error` in `else` and `on error`."""
        ...

    def header(self, name: str) -> str | None:
        """A header of the delivery that the plan names, or None."""
        ...

    def query(self, name: str) -> str | None:
        """A query parameter of the delivery that the plan names, or None."""
        ...

    def log(self, step: str, value: Any) -> None:
        """Put a line into the run's log."""
        ...

    def setting(self, name: str) -> str:
        """A value of the folder's configuration."""
        ...

    def secret(self, name: str) -> str:
        """A secret that the plan names; it is never recorded."""
        ...
