"""Operations of a server that runs in another process, over the socket in its data folder."""

from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from runtime.admin.documents import (
    Message,
    MessageList,
    Person,
    PersonList,
    Refusal,
    Run,
    RunDocument,
    RunList,
    RunWithSteps,
    Url,
    UrlList,
)
from runtime.admin.operations import NoSuchRunError, UnclearRunError
from runtime.journal.protocol import RunState

SECONDS: Final = 10.0  # for one answer

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
            await self._client.get("/readyz")
        except httpx.TransportError:
            return False
        return True

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def runs(self, limit: int, flow: str | None = None, state: RunState | None = None) -> list[Run]:
        """List runs."""
        query: dict[str, str | int] = {"limit": limit}
        if flow is not None:
            query["flow"] = flow
        if state is not None:
            query["state"] = state.value
        return (await self._get("/runs", RunList, **query)).runs

    async def run(self, run_id: str) -> RunWithSteps:
        """Give one run."""
        response = await self._send(f"/runs/{quote(run_id, safe='')}")
        match response.status_code:
            case 404:
                raise NoSuchRunError(run_id)
            case 409:
                raise UnclearRunError(run_id, _read(response, Refusal).ids)
            case _:
                return _checked(response, RunDocument).run

    async def persons(self, limit: int) -> list[Person]:
        """List persons."""
        return (await self._get("/persons", PersonList, limit=limit)).persons

    async def outbox(self, limit: int) -> list[Message]:
        """List messages."""
        return (await self._get("/outbox", MessageList, limit=limit)).outbox

    async def urls(self) -> list[Url]:
        """List addresses."""
        return (await self._get("/urls", UrlList)).urls

    async def _get(self, path: str, kind: type[T], **query: str | int) -> T:
        return _checked(await self._send(path, **query), kind)

    async def _send(self, path: str, **query: str | int) -> httpx.Response:
        try:
            return await self._client.get(path, params=query or None)
        except httpx.TransportError as error:
            raise RefusedError(f"the server went away: {type(error).__name__}") from error


def _checked(response: httpx.Response, kind: type[T]) -> T:
    if response.status_code != 200:
        raise RefusedError(_read(response, Refusal).detail)
    return _read(response, kind)


def _read(response: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.MsgspecError as error:
        raise RefusedError(f"the server answered {response.status_code}, which this version cannot read") from error
