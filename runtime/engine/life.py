"""A run while it is in memory, and what all runs of a server share."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.context import Call, RemoteVerb, Run, StepSpec, Verb, over
from runtime.engine.answers import Answers
from runtime.engine.counts import EngineCounts
from runtime.engine.leaving import Abandoned
from runtime.engine.replay import Replay
from runtime.failures import StepFailure
from runtime.journal.protocol import Journal
from runtime.journal.rows import StepRow
from runtime.journal.writes import Await, Emit, KeepAnswer, Record
from runtime.program import NO_REQUEST, Program, Request


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every run of a server shares."""

    journal: Journal
    verbs: Mapping[str, Verb]
    config: Mapping[str, str]
    clock: Callable[[], int]  # ms since the Unix epoch
    random: Callable[[], float]
    secrets: Mapping[str, str] = field(default_factory=dict)
    steady: Callable[[], int] | None = None  # the same without the jumps of the wall clock; None: it makes none

    def steadily(self) -> int:
        """The instant by which it is measured how long something lasts."""
        return (self.steady or self.clock)()

    def verb(self, spec: StepSpec) -> Verb:
        """What a step does, over the connection that its plan chose.

        A run may be older than seta.toml: without its connection, the step fails as `no_connection`.
        """
        if spec.via is None:
            return self.verbs[spec.verb]
        return self.verbs.get(over(spec.verb, spec.via)) or RemoteVerb(_unconnected, self.verbs[spec.verb].result)


async def _unconnected(call: Call) -> Any:
    message = f"seta.toml has no connection `{call.spec.via}`, or a secret of it is missing"
    raise StepFailure("no_connection", message)


@dataclass(slots=True)
class Shared:
    """What the engine adds to that. A reload puts other surroundings in the place of those that were."""

    around: Surroundings
    keep_events: int  # ms
    answers: Answers = field(default_factory=Answers)
    counts: EngineCounts = field(default_factory=EngineCounts)
    alarm: asyncio.Event = field(default_factory=asyncio.Event)  # set when a run may be due earlier than was thought


class Life:
    """One run, from its start or from its records, until it ends or leaves."""

    __slots__ = (
        "_beside",
        "answered",
        "doing",
        "program",
        "replay",
        "request",
        "run",
        "seq",
        "serial",
        "shared",
        "taken",
    )

    def __init__(  # noqa: PLR0913  # what makes a run
        self,
        run: Run,
        seq: int,
        program: Program,
        shared: Shared,
        *,
        request: Request = NO_REQUEST,
        records: Iterable[StepRow] = (),
        serial: bytes | None = None,
    ) -> None:
        self.run = run
        self.seq = seq
        self.program = program
        self.shared = shared
        self.request = request
        self.serial = serial
        self.answered = False
        self.doing: set[str] = set()  # steps whose effect is under way
        self.replay = Replay(records)
        self._beside: list[asyncio.Future[None]] = []  # commits that nobody has waited for
        self.taken: dict[tuple[str, str], int] = {}  # name and key of an event -> the last number that the run took

    @property
    def around(self) -> Surroundings:
        """What there is now of configuration, secrets and verbs."""
        return self.shared.around

    async def commit(self, *writes: Record | Await | Emit | KeepAnswer) -> None:
        """Put writes on disk. Raises Abandoned where the run is no longer ours, and JournalError."""
        await self.around.journal.commit(*writes)
        for write in writes:
            if write.lost:
                raise Abandoned
        for future in [one for one in self._beside if one.done()]:  # all that were handed over before
            future.result()
            self._beside.remove(future)

    def commit_beside(self, record: Record) -> None:
        """Let a record be put on disk while the run goes on: the next commit finds out whether it was."""
        future = self.around.journal.commit(record)
        if not self._beside or self._beside[-1] is not future:
            self._beside.append(future)

    async def settle(self) -> None:
        """Wait until all that was to be put on disk beside is there. Raises JournalError.

        Batches are committed one after the other, and each for itself: one may fail and the next succeed.
        """
        for future in self._beside:
            await future
