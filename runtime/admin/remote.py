"""Operations of a server that runs in another process, over the socket in its data folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from runtime.admin.documents import (
    Backup,
    Message,
    MessageList,
    Person,
    PersonList,
    Refusal,
    Rejected,
    RejectedDocument,
    RejectedList,
    RejectedWithBody,
    Released,
    Reloaded,
    ReplayList,
    Run,
    RunDocument,
    RunList,
    RunWithSteps,
    Url,
    UrlList,
)
from runtime.admin.operations import (
    ALL,
    ALL_REJECTED,
    REJECTED,
    RejectedFilter,
    RunFilter,
    UnclearIdError,
    UnknownIdError,
)
from runtime.admin.personal import ErasedDocument, Found
from runtime.engine.again import Wanted
from runtime.engine.hands import WrongState
from runtime.engine.rejudging import WantedRejected
from runtime.engine.starting import Page
from runtime.privacy.traces import Keys

SECONDS: Final = 10.0  # for one answer
RELOAD_SECONDS: Final = 300.0  # for the largest folder, behind another reload

T = TypeVar("T")


class RefusedError(Exception):
    """The server did not do what was asked; the message is its own."""


class RemoteOperations:
    """Operations over a socket; one connection is kept until `close`."""

    def __init__(self, socket: Path) -> None:
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        self._client = httpx.AsyncClient(
            transport=transport, base_url="http://seta", trust_env=False, timeout=httpx.Timeout(SECONDS)
        )

    async def answers(self) -> bool:
        """Whether a server is there: none is where the socket is left over, or where it is only starting."""
        try:
            await self._client.get("/")
        except httpx.TransportError:
            return False
        return True

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def runs(self, limit: int, wanted: RunFilter = ALL) -> list[Run]:
        """List runs."""
        return (await self._get("/runs", RunList, limit=limit, **_given(wanted))).runs

    async def run(self, run_id: str) -> RunWithSteps:
        """Give one run."""
        return self._run(run_id, await self._send(_path(run_id)))

    async def cancel(self, run_id: str) -> RunWithSteps:
        """Cancel one run."""
        return self._run(run_id, await self._post(_path(run_id, "cancel")))

    async def retry(self, run_id: str) -> RunWithSteps:
        """Retry one run."""
        return self._run(run_id, await self._post(_path(run_id, "retry")))

    async def resolve(self, run_id: str, result: bytes | None) -> RunWithSteps:
        """Resolve one run."""
        outcome = "not-sent" if result is None else "sent"
        return self._run(run_id, await self._post(_path(run_id, "resolve"), result or b"", outcome=outcome))

    async def release(self) -> int:
        """Release runs."""
        return _checked(await self._post("/release"), Released).released

    async def backup(self, path: Path) -> None:
        """Write a copy, however long that takes."""
        self._client.timeout = httpx.Timeout(SECONDS, read=None)
        response = await self._post("/backup", str(path).encode())
        if response.status_code == 409:
            raise WrongState(_read(response, Refusal).detail)
        _checked(response, Backup)

    async def replay(self, wanted: Wanted, after: int, upto: int | None, limit: int) -> Page:
        """Replay a page."""
        return await self._page("/replay", wanted, after, upto, limit)

    async def replay_rejected(self, wanted: WantedRejected, after: int, upto: int | None, limit: int) -> Page:
        """Try a page of rejected deliveries again."""
        return await self._page("/rejected/replay", wanted, after, upto, limit)

    async def privacy_find(self, keys: Keys) -> Found:
        """Find, however long that takes."""
        self._client.timeout = httpx.Timeout(SECONDS, read=None)
        return _checked(await self._post("/privacy/find", msgspec.json.encode(keys)), Found)

    async def privacy_erase(self, keys: Keys, *, cancel: bool) -> ErasedDocument:
        """Erase, however long that takes."""
        self._client.timeout = httpx.Timeout(SECONDS, read=None)
        response = await self._post("/privacy/erase", msgspec.json.encode(keys), cancel="yes" if cancel else "no")
        if response.status_code == 409:
            raise WrongState(_read(response, Refusal).detail)
        return _checked(response, ErasedDocument)

    async def _page(self, path: str, wanted: msgspec.Struct, after: int, upto: int | None, limit: int) -> Page:
        query = {"limit": limit} | ({"after": after} if after else {}) | ({} if upto is None else {"upto": upto})
        found = _checked(await self._post(path, msgspec.json.encode(wanted), **query), ReplayList)
        return Page(found.replays, found.next, found.upto, found.served)

    def _run(self, run_id: str, response: httpx.Response) -> RunWithSteps:
        match response.status_code:
            case 404:
                raise UnknownIdError(run_id)
            case 409:
                refusal = _read(response, Refusal)
                raise UnclearIdError(run_id, refusal.ids) if refusal.ids else WrongState(refusal.detail)
            case _:
                return _checked(response, RunDocument).run

    async def rejected(self, limit: int, wanted: RejectedFilter = ALL_REJECTED) -> list[Rejected]:
        """List rejected deliveries."""
        return (await self._get("/rejected", RejectedList, limit=limit, **_given(wanted))).rejected

    async def rejected_delivery(self, rejected_id: str) -> RejectedWithBody:
        """Give one rejected delivery."""
        response = await self._send(f"/rejected/{quote(rejected_id, safe='')}")
        match response.status_code:
            case 404:
                raise UnknownIdError(rejected_id, REJECTED)
            case 409:
                raise UnclearIdError(rejected_id, _read(response, Refusal).ids, REJECTED)
            case _:
                return _checked(response, RejectedDocument).rejected

    async def persons(self, limit: int) -> list[Person]:
        """List persons."""
        return (await self._get("/persons", PersonList, limit=limit)).persons

    async def outbox(self, limit: int) -> list[Message]:
        """List messages."""
        return (await self._get("/outbox", MessageList, limit=limit)).outbox

    async def urls(self) -> list[Url]:
        """List addresses."""
        return (await self._get("/urls", UrlList)).urls

    async def openapi(self, flow: str | None = None) -> Mapping[str, Any]:
        """Describe webhooks."""
        query = {} if flow is None else {"flow": flow}
        return await self._get("/openapi.json", dict[str, Any], **query)

    async def reload(self) -> Reloaded:
        """Let the server read its folder again. Raises RefusedError, with why the generation before goes on."""
        try:
            response = await self._client.post("/reload", timeout=RELOAD_SECONDS)
        except httpx.TransportError as error:
            raise RefusedError(f"the server went away: {type(error).__name__}") from error
        return _checked(response, Reloaded)

    async def _get(self, path: str, kind: type[T], **query: str | int) -> T:
        return _checked(await self._send(path, **query), kind)

    async def _send(self, path: str, **query: str | int) -> httpx.Response:
        return await self._request("GET", path, b"", query)

    async def _post(self, path: str, body: bytes = b"", **query: str | int) -> httpx.Response:
        return await self._request("POST", path, body, query)

    async def _request(self, method: str, path: str, body: bytes, query: dict[str, str | int]) -> httpx.Response:
        try:
            return await self._client.request(method, path, params=query or None, content=body)
        except httpx.TransportError as error:
            raise RefusedError(f"the server went away: {type(error).__name__}") from error


def _given(wanted: msgspec.Struct) -> dict[str, str | int]:
    """The fields of a query: those that are given."""
    return {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not None}


def _path(run_id: str, *change: str) -> str:
    return "/".join(("/runs", quote(run_id, safe=""), *change))


def _checked(response: httpx.Response, kind: type[T]) -> T:
    if response.status_code != 200:
        raise RefusedError(_read(response, Refusal).detail)
    return _read(response, kind)


def _read(response: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.MsgspecError as error:
        raise RefusedError(f"the server answered {response.status_code}, which this version cannot read") from error
