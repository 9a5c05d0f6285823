"""The admin address as an ASGI application: JSON only; what changes something only over the socket."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from runtime.admin.asking import (
    LATEST,
    BadRequestError,
    Document,
    Query,
    Receive,
    Text,
    body_of,
    limit,
    number,
    query_of,
    refusal,
)
from runtime.admin.changes import Changes
from runtime.admin.documents import (
    MessageList,
    PersonList,
    Refusal,
    RejectedDocument,
    RejectedList,
    Reloaded,
    RunDocument,
    RunList,
    UrlList,
)
from runtime.admin.operations import (
    NoSuchFlowError,
    Operations,
    RejectedFilter,
    RunFilter,
    UnclearIdError,
    UnknownIdError,
)
from runtime.engine.hands import WrongState
from runtime.journal.protocol import JournalError
from runtime.journal.rows import RunState

logger = logging.getLogger("seta.admin")

Scope = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class Admin:
    """Serves operations. `readiness` gives status and document of `/readyz`.

    `host` is the name that the address is configured with; None: it is a socket file, which no browser reaches.
    """

    def __init__(
        self,
        operations: Operations,
        readiness: Callable[[], Awaitable[Document]],
        host: str | None = None,
        reload: Callable[[], Awaitable[Reloaded | Refusal]] | None = None,
        metrics: Callable[[], Awaitable[Text]] | None = None,
    ) -> None:
        self._operations = operations
        self._readiness = readiness
        self._host = host
        self._routes: dict[str, Callable[[Query], Awaitable[Document]]] = {
            "/runs": self._runs,
            "/rejected": self._rejected,
            "/persons": self._persons,
            "/outbox": self._outbox,
            "/urls": self._urls,
            "/openapi.json": self._openapi,
            "/readyz": self._readyz,
        }
        if metrics is not None:
            self._routes["/metrics"] = partial(_metrics, metrics)
        self._changes = Changes(operations, reload)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        status, document = await self._answer(scope, receive)
        kind, body = _written(document)
        headers = [(b"server", b"seta"), (b"content-type", kind), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> Document:
        reads = scope["method"] in ("GET", "HEAD")
        if not reads and (
            self._host is not None or scope["method"] != "POST"
        ):  # any page in a browser can make one post
            return refusal(HTTPStatus.METHOD_NOT_ALLOWED, "this address takes GET")
        if self._host is not None and not _is_host(scope["headers"], self._host):
            return refusal(HTTPStatus.MISDIRECTED_REQUEST, "call this address by its IP address or its own name")
        try:
            path, query = unquote(scope["raw_path"].decode("latin-1")), query_of(scope["query_string"])
            return await (self._route(path, query) if reads else self._change(path, query, receive))
        except Exception as error:  # noqa: BLE001  # each is told, and logged where it is none of those that are known
            return _told(error)

    async def _change(self, path: str, query: Query, receive: Receive) -> Document:
        return await self._changes.make(path, query, await body_of(receive))

    async def _route(self, path: str, query: Query) -> Document:
        if path.startswith("/runs/"):
            return 200, RunDocument(await self._operations.run(path.removeprefix("/runs/")))
        if path.startswith("/rejected/"):
            rejected_id = path.removeprefix("/rejected/")
            return 200, RejectedDocument(await self._operations.rejected_delivery(rejected_id))
        route = self._routes.get(path)
        if route is None:
            addresses = ", ".join(sorted((*self._routes, "/rejected/ID", "/runs/ID")))
            return refusal(HTTPStatus.NOT_FOUND, f"there is nothing here, but there are {addresses}")
        return await route(query)

    async def _runs(self, query: Query) -> Document:
        state = query.get("state")
        if state is not None and state not in set(RunState):
            raise BadRequestError(f"state is one of {', '.join(RunState)}")
        known = None if state is None else RunState(state)
        wanted = RunFilter(query.get("flow"), known, number(query, "since", LATEST))
        return 200, RunList(await self._operations.runs(limit(query), wanted))

    async def _rejected(self, query: Query) -> Document:
        wanted = RejectedFilter(query.get("flow"), number(query, "since", LATEST))
        return 200, RejectedList(await self._operations.rejected(limit(query), wanted))

    async def _persons(self, query: Query) -> Document:
        return 200, PersonList(await self._operations.persons(limit(query)))

    async def _outbox(self, query: Query) -> Document:
        return 200, MessageList(await self._operations.outbox(limit(query)))

    async def _urls(self, query: Query) -> Document:  # noqa: ARG002  # like all others
        return 200, UrlList(await self._operations.urls())

    async def _openapi(self, query: Query) -> Document:
        return 200, await self._operations.openapi(query.get("flow"))

    async def _readyz(self, query: Query) -> Document:  # noqa: ARG002  # like all others
        return await self._readiness()


async def _metrics(metrics: Callable[[], Awaitable[Text]], query: Query) -> Document:  # noqa: ARG001  # like all others
    return 200, await metrics()


def _written(document: object) -> tuple[bytes, bytes]:
    """The media type of what is given, and its bytes."""
    match document:
        case Text(media, body):
            return media.encode(), body
        case Refusal():
            return b"application/problem+json", _encode(document)
        case _:
            return b"application/json", _encode(document)


def _told(error: Exception) -> Document:
    match error:
        case BadRequestError():
            return refusal(HTTPStatus.BAD_REQUEST, str(error))
        case NoSuchFlowError() | UnknownIdError():
            return refusal(HTTPStatus.NOT_FOUND, str(error))
        case UnclearIdError():
            return refusal(HTTPStatus.CONFLICT, str(error), ids=error.ids)
        case WrongState():
            return refusal(HTTPStatus.CONFLICT, str(error))
        case JournalError():
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, f"the journal cannot be used: {error}")
        case _:
            logger.error("a request of the admin address failed", exc_info=error)
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "the server's log says more")


def _is_host(headers: list[tuple[bytes, bytes]], own: str) -> bool:
    """Whether the request names an address, a machine of this network, or our own name.

    A page in a browser on this machine can be made to call us by a name of its author's (DNS rebinding); such a name
    has dots, and is not ours.
    """
    given = dict(headers).get(b"host", b"").decode("latin-1").lower()
    name = given.rpartition("]")[0].removeprefix("[") if given.startswith("[") else given.partition(":")[0]
    if "." not in name and ":" not in name:
        return True
    if name == own.lower():
        return True
    try:
        return bool(ip_address(name))
    except ValueError:
        return False
