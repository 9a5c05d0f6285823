"""What commands and consoles ask of a server, wherever it is."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import apsw
import msgspec

from runtime.admin.documents import (
    Message,
    Person,
    Rejected,
    RejectedWithBody,
    Run,
    RunWithSteps,
    Url,
    detail_from,
    message_from,
    person_from,
    rejected_detail_from,
    rejected_from,
    run_from,
)
from runtime.admin.personal import ErasedDocument, Found, erased_from, found_from
from runtime.connections import local
from runtime.engine.again import Wanted
from runtime.engine.hands import Hands, WrongState
from runtime.engine.rejudging import Again, WantedRejected
from runtime.engine.starting import Page
from runtime.journal import queries, rejected
from runtime.journal.protocol import Journal
from runtime.journal.rows import RunDetail, RunRow, RunState
from runtime.privacy.erasure import Privacy
from runtime.privacy.traces import Keys

UNCLEAR_IDS_SHOWN: Final = 5
RUN: Final = "run"
REJECTED: Final = "rejected delivery"

_SEVERAL: Final = {RUN: "several runs", REJECTED: "several rejected deliveries"}
_TABLES: Final = {RUN: "runs", REJECTED: "rejected"}


class UnknownIdError(Exception):
    """Nothing of this kind has this id, or one that begins like this."""

    def __init__(self, beginning: str, kind: str = RUN) -> None:
        super().__init__(f"there is no {kind} whose id is, or begins with, {beginning}")


class NoSuchFlowError(Exception):
    """No flow that is served has this name."""

    def __init__(self, flow: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no flow {flow}, but there are: {', '.join(known) or 'none'}")


class UnclearIdError(Exception):
    """Several of a kind have ids that begin like this; `ids` are some of them."""

    def __init__(self, beginning: str, ids: Sequence[str], kind: str = RUN) -> None:
        super().__init__(f"{_SEVERAL[kind]} have ids that begin with {beginning}: {', '.join(ids)}")
        self.ids = list(ids)


class RunFilter(msgspec.Struct, frozen=True):
    """Which runs: of a flow, in a state, received at or after an instant (ms since the Unix epoch)."""

    flow: str | None = None
    state: RunState | None = None
    since: int | None = None


ALL: Final = RunFilter()


class RejectedFilter(msgspec.Struct, frozen=True):
    """Which rejected deliveries: of a flow, received at or after an instant (ms since the Unix epoch)."""

    flow: str | None = None
    since: int | None = None


ALL_REJECTED: Final = RejectedFilter()


class Outside(Protocol):
    """What senders see."""

    def urls(self) -> list[Url]:
        """List where each flow is called, in order of name."""
        ...

    def openapi(self, flow: str | None) -> Mapping[str, Any]:
        """Describe the webhooks of all flows, or of one. Raises NoSuchFlowError."""
        ...


class Operations(Protocol):
    """All lists are newest first and have at most `limit` rows.

    A run or rejected delivery is named by its id or by the beginning of it; what names none raises UnknownIdError, what
    names several UnclearIdError. What changes a run raises WrongState where it cannot be done to it, and gives it as it
    is then.
    """

    async def runs(self, limit: int, wanted: RunFilter = ALL) -> list[Run]:
        """List runs."""
        ...

    async def run(self, run_id: str) -> RunWithSteps:
        """Give a run."""
        ...

    async def cancel(self, run_id: str) -> RunWithSteps:
        """End a run that is open or parked, before its next effect."""
        ...

    async def retry(self, run_id: str) -> RunWithSteps:
        """Let a dead or parked run go on, on its plan."""
        ...

    async def resolve(self, run_id: str, result: bytes | None) -> RunWithSteps:
        """Take the unknown step of a parked run as done, with a result (JSON), or let it be tried again (None)."""
        ...

    async def release(self) -> int:
        """Let all runs go on that came with a backup; how many they are."""
        ...

    async def backup(self, path: Path) -> None:
        """Write a copy of all that is kept to a file that is not there yet. Raises WrongState where that cannot be."""
        ...

    async def replay(self, wanted: Wanted, after: int, upto: int | None, limit: int) -> Page:
        """Replay a page of past runs. Raises WrongState where no plans are known."""
        ...

    async def replay_rejected(self, wanted: WantedRejected, after: int, upto: int | None, limit: int) -> Page:
        """Try a page of rejected deliveries again. Raises WrongState where no plans are known."""
        ...

    async def rejected(self, limit: int, wanted: RejectedFilter = ALL_REJECTED) -> list[Rejected]:
        """List deliveries that did not fit their flow."""
        ...

    async def rejected_delivery(self, rejected_id: str) -> RejectedWithBody:
        """Give a delivery that did not fit its flow."""
        ...

    async def privacy_find(self, keys: Keys) -> Found:
        """Find all that is kept of one person."""
        ...

    async def privacy_erase(self, keys: Keys, *, cancel: bool) -> ErasedDocument:
        """Erase all that is kept of one person. Raises WrongState where runs have not ended."""
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

    async def openapi(self, flow: str | None = None) -> Mapping[str, Any]:
        """Describe the webhooks of all flows, or of one, as OpenAPI does."""
        ...


class LocalOperations:
    """Operations over a journal in this process. `on_the_wall` says when what is due by the steady clock is due."""

    def __init__(  # noqa: PLR0913  # the rooms that it speaks for
        self,
        journal: Journal,
        outside: Outside,
        hands: Hands,
        privacy: Privacy,
        *,
        on_the_wall: Callable[[int], int],
        again: Again | None = None,
    ) -> None:
        self._journal = journal
        self._outside = outside
        self._hands = hands
        self._privacy = privacy
        self._on_the_wall = on_the_wall
        self._again = again

    async def runs(self, limit: int, wanted: RunFilter = ALL) -> list[Run]:
        """List runs. One that is being run says so, although the journal does not before it comes to a record."""
        if wanted.state is not None and wanted.state not in (RunState.ACCEPTED, RunState.RUNNING):
            return [run_from(row) for row in await self._rows(limit, wanted, wanted.state)]
        active = self._hands.in_memory()
        rows = await self._rows(limit + len(active), wanted, wanted.state)
        if wanted.state is RunState.RUNNING:
            found = await self._journal.read(partial(queries.runs_by_number, numbers=sorted(active)))
            rows += [row for row in found if row.state is RunState.ACCEPTED and _is_wanted(row, wanted)]
        shown = (_as_it_is(row, active) for row in sorted(rows, key=lambda row: -row.seq))
        return [run_from(row) for row in shown if wanted.state in (None, row.state)][:limit]

    async def _rows(self, limit: int, wanted: RunFilter, state: RunState | None) -> list[RunRow]:
        return await self._journal.runs(limit=limit, flow=wanted.flow, state=state, since=wanted.since)

    async def run(self, run_id: str) -> RunWithSteps:
        """Give one run."""
        return self._shown(await self._detail(run_id))

    async def cancel(self, run_id: str) -> RunWithSteps:
        """Cancel one run."""
        detail = await self._detail(run_id)
        await self._hands.cancel(detail)
        return await self.run(detail.run.id)

    async def retry(self, run_id: str) -> RunWithSteps:
        """Retry one run."""
        detail = await self._detail(run_id)
        await self._hands.retry(detail)
        return await self.run(detail.run.id)

    async def resolve(self, run_id: str, result: bytes | None) -> RunWithSteps:
        """Resolve one run."""
        detail = await self._detail(run_id)
        await self._hands.resolve(detail, result)
        return await self.run(detail.run.id)

    def _shown(self, detail: RunDetail) -> RunWithSteps:
        row = _as_it_is(detail.run, self._hands.in_memory())
        due = None if detail.wake_at is None else self._on_the_wall(detail.wake_at)
        return detail_from(msgspec.structs.replace(detail, run=row, wake_at=due))

    async def _detail(self, run_id: str) -> RunDetail:
        detail = await self._journal.run(run_id)
        if detail is None:
            detail = await self._journal.run(await self._whole_id(run_id, RUN))
        if detail is None:
            raise UnknownIdError(run_id)
        return detail

    async def release(self) -> int:
        """Release runs."""
        return await self._hands.release()

    async def backup(self, path: Path) -> None:
        """Write a copy."""
        try:
            await self._journal.backup(path)
        except OSError as error:
            raise WrongState(f"the copy cannot be written: {error}") from error

    async def replay(self, wanted: Wanted, after: int, upto: int | None, limit: int) -> Page:
        """Replay a page."""
        return await self._known_again().replays.page(wanted, after, upto, limit)

    async def replay_rejected(self, wanted: WantedRejected, after: int, upto: int | None, limit: int) -> Page:
        """Try a page of rejected deliveries again."""
        return await self._known_again().rejudging.page(wanted, after, upto, limit)

    def _known_again(self) -> Again:
        if self._again is None:
            raise WrongState("deliveries are replayed on the plans of a folder of flows, and none is named")
        return self._again

    async def rejected(self, limit: int, wanted: RejectedFilter = ALL_REJECTED) -> list[Rejected]:
        """List rejected deliveries."""
        query = partial(rejected.rejected, limit=limit, flow=wanted.flow, since=wanted.since)
        return [rejected_from(row) for row in await self._journal.read(query)]

    async def rejected_delivery(self, rejected_id: str) -> RejectedWithBody:
        """Give one rejected delivery."""
        found = await self._journal.read(partial(rejected.delivery, rejected_id=rejected_id))
        if found is None:
            whole = await self._whole_id(rejected_id, REJECTED)
            found = await self._journal.read(partial(rejected.delivery, rejected_id=whole))
        if found is None:
            raise UnknownIdError(rejected_id, REJECTED)
        return rejected_detail_from(found)

    async def privacy_find(self, keys: Keys) -> Found:
        """Find."""
        return found_from(await self._privacy.find(keys))

    async def privacy_erase(self, keys: Keys, *, cancel: bool) -> ErasedDocument:
        """Erase."""
        return erased_from(await self._privacy.erase(keys, cancel=cancel))

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
        return self._outside.urls()

    async def openapi(self, flow: str | None = None) -> Mapping[str, Any]:
        """Describe webhooks."""
        return self._outside.openapi(flow)

    async def _whole_id(self, beginning: str, kind: str) -> str:
        ids = await self._journal.read(lambda connection: _ids_like(connection, beginning, _TABLES[kind]))
        if not ids:
            raise UnknownIdError(beginning, kind)
        if len(ids) > 1:
            raise UnclearIdError(beginning, ids, kind)
        return ids[0]


def _as_it_is(row: RunRow, active: frozenset[int]) -> RunRow:
    """A run that the memory knows to be running."""
    if row.state is not RunState.ACCEPTED or row.seq not in active:
        return row
    return msgspec.structs.replace(row, state=RunState.RUNNING)


def _is_wanted(row: RunRow, wanted: RunFilter) -> bool:
    return wanted.flow in (None, row.flow) and (wanted.since is None or row.received_at >= wanted.since)


def _ids_like(connection: apsw.Connection, beginning: str, table: str) -> list[str]:
    """Find ids by their beginning, which is a range of the index."""
    query = f"SELECT id FROM {table} WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id DESC LIMIT ?2"  # noqa: S608  # our own words
    return [run_id for (run_id,) in connection.execute(query, (beginning.lower(), UNCLEAR_IDS_SHOWN))]
