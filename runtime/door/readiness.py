"""Whether the server can take deliveries, and why not."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from runtime.door.answers import DISK_FULL, Refused, draining, unwell
from runtime.door.hooks import Hooks


class Vitals(Protocol):
    """What the journal says of itself; both are asked at every delivery, so both are cheap."""

    def room(self) -> bool:
        """Whether there is room to accept."""
        ...

    def healthy(self) -> str | None:
        """None, or why it should not be given more."""
        ...


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

    def __init__(self, journal: Vitals, hooks: Hooks) -> None:
        self.draining = False
        self.serving: Serving | None = None
        self._journal = journal
        self._hooks = hooks

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
        if not self._hooks.table:
            found["no-flows"] = "no flow is loaded"
        return found

    def brief(self) -> tuple[int, dict[str, Any]]:
        """Status and document for everybody: the words, without what the journal says of its disk."""
        return self._document(list(self.reasons()))

    def detail(self) -> tuple[int, dict[str, Any]]:
        """Status and document for who runs the server."""
        reasons = [{"name": name, "detail": detail} for name, detail in self.reasons().items()]
        status, told = self._document(reasons)
        return status, told if self.serving is None else {**told, "generation": self.serving.document()}

    def _document(self, reasons: list[Any]) -> tuple[int, dict[str, Any]]:
        told = {"schema": "seta.ready/1", "ready": not reasons, "reasons": reasons}
        return (503 if reasons else 200), told
