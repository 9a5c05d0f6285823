"""What commands and consoles ask of a server, wherever it is."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import apsw

from runtime.admin.documents import (
    Message,
    Person,
    Run,
    RunWithSteps,
    Url,
    detail_from,
    message_from,
    person_from,
    run_from,
)
from runtime.connections import local
from runtime.journal.protocol import Journal, RunState

UNCLEAR_IDS_SHOWN: Final = 5


class NoSuchRunError(Exception):
    """No run has this id, or one that begins like this."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"there is no run whose id is, or begins with, {run_id}")
        self.run_id = run_id


class UnclearRunError(Exception):
    """Several runs have ids that begin like this; `ids` are some of them."""

    def __init__(self, run_id: str, ids: Sequence[str]) -> None:
        super().__init__(f"several runs have ids that begin with {run_id}: {', '.join(ids)}")
        self.run_id = run_id
        self.ids = list(ids)


class Operations(Protocol):
    """All lists are newest first and have at most `limit` rows."""

    async def runs(self, limit: int, flow: str | None = None, state: RunState | None = None) -> list[Run]:
        """List runs, of one flow or in one state where these are given."""
        ...

    async def run(self, run_id: str) -> RunWithSteps:
        """Give the run of an id or of the beginning of one. Raises NoSuchRunError or UnclearRunError."""
        ...

    async def persons(self, limit: int) -> list[Person]:
        """List the persons that are kept beside the journal."""
        ...

    async def outbox(self, limit: int) -> list[Message]:
        """List the messages that are kept beside the journal instead of being sent."""
        ...

    async def urls(self) -> list[Url]:
        """List where each flow is called, in order of name."""
        ...


class LocalOperations:
    """Operations over a journal in this process."""

    def __init__(self, journal: Journal, urls: Callable[[], list[Url]]) -> None:
        self._journal = journal
        self._urls = urls

    async def runs(self, limit: int, flow: str | None = None, state: RunState | None = None) -> list[Run]:
        """List runs."""
        return [run_from(row) for row in await self._journal.runs(limit=limit, flow=flow, state=state)]

    async def run(self, run_id: str) -> RunWithSteps:
        """Give one run."""
        detail = await self._journal.run(run_id)
        if detail is None:
            detail = await self._journal.run(await self._whole_id(run_id))
        if detail is None:
            raise NoSuchRunError(run_id)
        return detail_from(detail)

    async def persons(self, limit: int) -> list[Person]:
        """List persons."""
        rows = await self._journal.read(lambda connection: local.list_persons(connection, limit))
        return [person_from(row) for row in rows]

    async def outbox(self, limit: int) -> list[Message]:
        """List messages."""
        rows = await self._journal.read(lambda connection: local.list_outbox(connection, limit))
        return [message_from(row) for row in rows]

    async def urls(self) -> list[Url]:
        """List addresses."""
        return self._urls()

    async def _whole_id(self, beginning: str) -> str:
        ids = await self._journal.read(lambda connection: _ids_like(connection, beginning))
        if not ids:
            raise NoSuchRunError(beginning)
        if len(ids) > 1:
            raise UnclearRunError(beginning, ids)
        return ids[0]


def _ids_like(connection: apsw.Connection, beginning: str) -> list[str]:
    """Find ids by their beginning, which is a range of the index."""
    query = "SELECT id FROM runs WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id DESC LIMIT ?2"
    return [run_id for (run_id,) in connection.execute(query, (beginning.lower(), UNCLEAR_IDS_SHOWN))]
