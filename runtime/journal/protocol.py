"""What the engine asks of a journal. Times are milliseconds since the Unix epoch."""

from asyncio import Future
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import apsw

from runtime.journal.rows import OpenRun, Poisoned, RunDetail, RunRow, RunState, StepRow, Suspect
from runtime.journal.writes import Write

T = TypeVar("T")


class JournalError(Exception):
    """A batch could not be committed; nothing of it is kept. `full` says that the disk had no room."""

    def __init__(self, message: str, *, full: bool = False) -> None:
        super().__init__(message)
        self.full = full


class Journal(Protocol):
    """The durable memory of one server."""

    @property
    def kept_clock(self) -> bytes:
        """The document that was kept last with `KeepClock`, when the journal was opened; empty for none."""
        ...

    @property
    def suspects(self) -> Sequence[Suspect]:
        """The open runs that were in memory when a process before this one died, most deaths first."""
        ...

    @property
    def poisoned(self) -> Sequence[Poisoned]:
        """The runs that are dead letters since the journal was opened, because they killed the process."""
        ...

    def commit(self, *writes: Write) -> Future[None]:
        """Put writes into the next batch; the future (shared by the batch) ends when it is on disk.

        Called on the event loop. The future cannot be cancelled: who waits learns how the commit ended. It raises
        JournalError when the batch was not kept.
        """
        ...

    async def read(self, query: Callable[[apsw.Connection], T]) -> T:
        """Run a short query (under a second) on the reading connection, off the event loop."""
        ...

    async def open_run(self, run: int) -> OpenRun | None:
        """One run with its records, or None where it is neither accepted nor running."""
        ...

    async def open_runs(self, after: int, limit: int) -> list[OpenRun]:
        """Runs accepted or running with a sequence number above `after`, in that order."""
        ...

    async def open_runs_of(self, flow: str, after: int, limit: int, size: int) -> list[OpenRun]:
        """Those of one flow, with their records, without the suspects that wait for their trial.

        The one with which they come to `size` bytes is the last.
        """
        ...

    async def open_flows(self) -> list[str]:
        """The flows of runs accepted or running."""
        ...

    async def next_of(self, flow: str, serial: bytes) -> OpenRun | None:
        """The open run of a flow whose turn it is of those with this serial key, unless it waits."""
        ...

    async def due_runs(self, now: int, limit: int) -> list[OpenRun]:
        """Waiting runs whose instant has come, earliest first, without what they were given."""
        ...

    async def next_wake(self) -> int | None:
        """The earliest instant at which a waiting run goes on."""
        ...

    async def steps(self, run: int) -> list[StepRow]:
        """The records of a run, in the order in which they were committed."""
        ...

    async def plan(self, plan: str) -> bytes | None:
        """The bundle kept for a plan."""
        ...

    async def generation(self) -> bytes | None:
        """The document of the last generation that was kept."""
        ...

    async def runs(
        self, *, limit: int, flow: str | None = None, state: RunState | None = None, since: int | None = None
    ) -> list[RunRow]:
        """Runs, newest first; with `since`, those received at or after that instant."""
        ...

    async def run(self, run_id: str) -> RunDetail | None:
        """One run, or None where there is none of that id."""
        ...

    async def backup(self, path: Path) -> None:
        """Write a copy of all that is committed to a file that is not there yet. Raises OSError and JournalError."""
        ...

    async def empty_log(self) -> bool:
        """Copy the log into the database and cut it off; False where somebody read all the time. Raises JournalError.

        What was overwritten in the database stands in the log until then.
        """
        ...

    def room(self) -> bool:
        """Whether the disk has room to accept: at least min(64 MB, 10 % of the disk) is free."""
        ...

    def healthy(self) -> str | None:
        """None, or why the journal should not be given more (a commit failed or takes long, its log is too long)."""
        ...

    def committed_ago(self) -> float:
        """Seconds since the last commit that was kept, or since the start. A commit of no writes is one too."""
        ...
