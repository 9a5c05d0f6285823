"""What a running flow sees, and what a step is to the runtime.

Generated code awaits nothing but a `Context`. It never knows where it is journaled: another engine is another
implementation of this protocol.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import apsw

from runtime.code import Block


@dataclass(frozen=True, slots=True)
class Setting:
    """A part of a literal that is read from the configuration when the step runs."""

    name: str


@dataclass(frozen=True, slots=True)
class Hole:
    """A part of a literal that is the next value of the step's holes."""


LiteralPart = str | Setting | Hole


@dataclass(frozen=True, slots=True)
class Policy:
    """When a failed attempt is repeated. `tries` counts all attempts; pauses are milliseconds."""

    tries: int = 5
    low: int = 1_000
    high: int = 300_000
    asked: bool = False  # the flow wrote `retry`: a lost answer of a keyed effect is repeated too
    unknown: Literal["park", "retry"] = "park"


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


@dataclass(frozen=True, slots=True)
class Run:
    """What a flow may know of its own run. `at` is when its delivery came, in ms since the Unix epoch."""

    id: str
    key: str
    flow: str
    at: int
    plan: str


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt of a step. `key` is the same for every attempt, also after a restart."""

    run: Run
    spec: StepSpec
    args: tuple[Any, ...]
    key: str
    at: int
    config: Mapping[str, str]
    log: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LocalVerb:
    """A verb whose effect is in the journal's own database: effect and record are one transaction."""

    apply: Callable[[apsw.Connection, Call], Any]
    result: Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class RemoteVerb:
    """A verb that reaches out. `perform` raises StepFailure."""

    perform: Callable[[Call], Awaitable[Any]]
    result: Callable[[bytes], Any]


Verb = LocalVerb | RemoteVerb


class Suspended(BaseException):  # not an error: the run left, and comes back when its time is due
    """The run has nothing to do for now. A BaseException, so that no handler of a flow can catch it."""


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

    def log(self, step: str, value: Any) -> None:
        """Put a line into the run's log."""
        ...

    def setting(self, name: str) -> str:
        """A value of the folder's configuration."""
        ...
