"""What the admin address changes: each a POST, over the socket only."""

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from runtime.admin.asking import BadRequestError, Document, Query, limit, number, refusal
from runtime.admin.documents import Backup, Refusal, Released, Reloaded, ReplayList, RunDocument, is_json
from runtime.admin.operations import Operations
from runtime.engine.again import ENDS, Wanted
from runtime.engine.rejudging import WantedRejected
from runtime.engine.starting import Page
from runtime.privacy.traces import Keys

MOST_REPLAYS: Final = 100  # of one page, which is one commit

_MOST_RUNS: Final = 9_999_999_999_999_999

_read_wanted = msgspec.json.Decoder(Wanted).decode
_read_rejected = msgspec.json.Decoder(WantedRejected).decode
_read_keys = msgspec.json.Decoder(Keys).decode

T = TypeVar("T")

Reload = Callable[[], Awaitable[Reloaded | Refusal]]
Change = Callable[[str, Query, bytes], Awaitable[Document]]  # of the run of an id


class Changes:
    """Finds what a path asks for, and does it."""

    def __init__(self, operations: Operations, reload: Reload | None = None) -> None:
        self._operations = operations
        self._of_all: dict[str, Callable[[Query, bytes], Awaitable[Document]]] = {
            "/replay": self._replay,
            "/rejected/replay": self._replay_rejected,
            "/privacy/find": self._privacy_find,
            "/privacy/erase": self._privacy_erase,
            "/release": self._release,
            "/backup": self._backup,
            **({} if reload is None else {"/reload": partial(_reloaded, reload)}),
        }
        self._of_runs: dict[str, Change] = {"cancel": self._cancel, "retry": self._retry, "resolve": self._resolve}

    async def make(self, path: str, query: Query, body: bytes) -> Document:
        """Do what is asked for. Raises BadRequestError, and what operations raise."""
        if (of_all := self._of_all.get(path)) is not None:
            return await of_all(query, body)
        run_id, _, name = path.removeprefix("/runs/").rpartition("/")
        change = self._of_runs.get(name) if path.startswith("/runs/") else None
        if change is None:
            known = ", ".join((*self._of_all, *(f"/runs/ID/{name}" for name in self._of_runs)))
            return refusal(HTTPStatus.NOT_FOUND, f"there is nothing to change here, but there are {known}")
        return await change(run_id, query, body)

    async def _cancel(self, run_id: str, query: Query, body: bytes) -> Document:  # noqa: ARG002  # like all others
        return 200, RunDocument(await self._operations.cancel(run_id))

    async def _retry(self, run_id: str, query: Query, body: bytes) -> Document:  # noqa: ARG002  # like all others
        return 200, RunDocument(await self._operations.retry(run_id))

    async def _resolve(self, run_id: str, query: Query, body: bytes) -> Document:
        outcome = query.get("outcome")
        if outcome not in ("sent", "not-sent"):
            raise BadRequestError("outcome is sent or not-sent")
        result = None if outcome == "not-sent" else body or b"null"
        if result is not None and not is_json(result):
            raise BadRequestError("the result is not JSON")
        return 200, RunDocument(await self._operations.resolve(run_id, result))

    async def _replay(self, query: Query, body: bytes) -> Document:
        wanted = _wanted(_read_wanted, body)
        if wanted.state not in ENDS:
            raise BadRequestError(f"state is one of {', '.join(ENDS)}")
        return _listed(await self._operations.replay(wanted, *_page(query)))

    async def _replay_rejected(self, query: Query, body: bytes) -> Document:
        wanted = _wanted(_read_rejected, body)
        return _listed(await self._operations.replay_rejected(wanted, *_page(query)))

    async def _privacy_find(self, query: Query, body: bytes) -> Document:  # noqa: ARG002  # like all others
        return 200, await self._operations.privacy_find(_keys(body))

    async def _privacy_erase(self, query: Query, body: bytes) -> Document:
        return 200, await self._operations.privacy_erase(_keys(body), cancel=query.get("cancel") == "yes")

    async def _release(self, query: Query, body: bytes) -> Document:  # noqa: ARG002  # like all others
        return 200, Released(await self._operations.release())

    async def _backup(self, query: Query, body: bytes) -> Document:  # noqa: ARG002  # like all others
        try:
            path = Path(body.decode())
        except UnicodeDecodeError as error:
            raise BadRequestError("the path is not UTF-8") from error
        if not path.is_absolute():
            raise BadRequestError("the path is not absolute")
        await self._operations.backup(path)
        return 200, Backup(str(path))


def _wanted(read: Callable[[bytes], T], body: bytes) -> T:
    try:
        return read(body)
    except msgspec.MsgspecError as error:
        raise BadRequestError(f"what is to be replayed cannot be read: {error}") from error


def _keys(body: bytes) -> Keys:
    try:
        keys = _read_keys(body)
    except msgspec.MsgspecError as error:
        raise BadRequestError(f"who is meant cannot be read: {error}") from error
    if keys == Keys():
        raise BadRequestError("neither phone nor email is given")
    return keys


def _page(query: Query) -> tuple[int, int | None, int]:
    after, upto = number(query, "after", _MOST_RUNS) or 0, number(query, "upto", _MOST_RUNS)
    return after, upto, min(limit(query), MOST_REPLAYS)


def _listed(page: Page) -> Document:
    return 200, ReplayList(page.replays, page.next, page.upto, page.served)


async def _reloaded(reload: Reload, query: Query, body: bytes) -> Document:  # noqa: ARG001  # like all others
    told = await reload()
    return (told.status if isinstance(told, Refusal) else 200), told
