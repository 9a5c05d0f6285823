"""Whether the server can take deliveries, and why not."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from runtime.door.answers import DISK_FULL, Refused, draining, unwell
from runtime.door.hooks import Hooks
from runtime.journal.protocol import JournalError

FRESH_SECONDS: Final = 1.0  # so old may the last commit be that a server is ready on


class Vitals(Protocol):
    """What the journal says of itself. Room and health are asked at every delivery, so both are cheap."""

    def room(self) -> bool:
        """Whether there is room to accept."""
        ...

    def healthy(self) -> str | None:
        """None, or why it should not be given more."""
        ...

    def committed_ago(self) -> float:
        """Seconds since the last commit that was kept, or since the start."""
        ...

    def commit(self) -> "asyncio.Future[None]":
        """Commit, even where there is nothing to write. The future cannot be cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class QueueBound:
    """How long the first run that waits for its turn may have waited, where that is a reason not to be ready.

    `age` says how long it has, in seconds as `most`; it may raise JournalError.
    """

    most: float
    age: Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Serving:
    """The generation of flows that is served, and why the folder as it is now is not."""

    number: int
    at: int  # when it was committed, in ms since the Unix epoch
    refused: str = ""
    detail: str = ""  # the diagnostics, as people read them

    def document(self) -> dict[str, Any]:
        """Say it to who runs the server."""
        told: dict[str, Any] = {"number": self.number, "at": datetime.fromtimestamp(self.at / 1000, UTC)}
        return {**told, "refused": self.refused, "detail": self.detail} if self.refused else told


class Readiness:
    """The server's own view of itself. `draining` turns true once, when it is told to stop."""

    def __init__(self, journal: Vitals, hooks: Hooks, queue: QueueBound | None = None) -> None:
        self.draining = False
        self._late = False  # the first run that waits had waited too long when somebody asked
        self._stale = False  # the last commit was old when somebody asked, and no new one came
        self.serving: Serving | None = None
        self._journal = journal
        self._hooks = hooks
        self._queue = queue

    def check(self) -> None:
        """Raise Refused where a delivery cannot be taken now."""
        if self.draining:
            raise Refused(draining())
        if not self._journal.room():
            raise Refused(DISK_FULL)
        if self._journal.healthy() is not None:
            raise Refused(unwell())

    def reasons(self) -> dict[str, str]:
        """Why the server is not ready: a word for programs, a sentence for people."""
        found = {}
        if self.draining:
            found["draining"] = "the server is stopping"
        if not self._journal.room():
            found["disk-full"] = "the disk has too little room to accept deliveries"
        if (trouble := self._journal.healthy()) is not None:
            found["journal"] = trouble
        elif self._stale:
            found["journal"] = f"a commit takes over {FRESH_SECONDS:g} s"
        if not self._hooks.table:
            found["no-flows"] = "no flow is loaded"
        if self._late and self._queue is not None:
            found["queue"] = f"the first run that waits for its turn has waited for over {self._queue.most:g} s"
        return found

    async def brief(self) -> tuple[int, dict[str, Any]]:
        """Status and document for everybody: whether, and not why."""
        await self._freshen()
        return (503, {"status": "unready"}) if self.reasons() else (200, {"status": "ready"})

    async def detail(self) -> tuple[int, dict[str, Any]]:
        """Status and document for who runs the server."""
        await self._freshen()
        reasons = [{"name": name, "detail": detail} for name, detail in self.reasons().items()]
        told = {
            "schema": "seta.ready/1",
            "ready": not reasons,
            "reasons": reasons,
            "committed_seconds_ago": round(self._journal.committed_ago(), 3),
        }
        generation = {} if self.serving is None else {"generation": self.serving.document()}
        return (503 if reasons else 200), {**told, **generation}

    async def _freshen(self) -> None:
        """Commit where the last commit is old: who asks whether a server is ready shall not hear of yesterday.

        Where nobody asks, an idle server writes nothing.
        """
        if self._queue is not None:
            with suppress(JournalError):  # one of the other reasons
                self._late = await self._queue.age() > self._queue.most
        journal, self._stale = self._journal, False
        if self.draining or journal.healthy() is not None or journal.committed_ago() <= FRESH_SECONDS:
            return
        await asyncio.wait([journal.commit()], timeout=FRESH_SECONDS)
        self._stale = journal.committed_ago() > FRESH_SECONDS
