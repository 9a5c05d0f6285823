"""The admin address as an ASGI application: reads only, JSON only."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import msgspec

from runtime.admin.documents import (
    LIST_LIMIT,
    MessageList,
    PersonList,
    Refusal,
    RunDocument,
    RunList,
    UrlList,
)
from runtime.admin.operations import NoSuchRunError, Operations, UnclearRunError
from runtime.journal.protocol import JournalError, RunState

logger = logging.getLogger("seta.admin")

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Query = Mapping[str, str]
Document = tuple[int, Any]  # status, and what is encoded as JSON

MOST_ROWS: Final = 10_000  # of one list

_MOST_FIELDS: Final = 20

_encode = msgspec.json.Encoder(decimal_format="number").encode


class _BadRequestError(Exception):
    """The call was wrong; the message says how."""


class Admin:
    """Serves operations. `readiness` gives status and document of `/readyz`.

    `host` is the name that the address is configured with; None: it is a socket file, which no browser reaches.
    """

    def __init__(self, operations: Operations, readiness: Callable[[], Document], host: str | None = None) -> None:
        self._operations = operations
        self._readiness = readiness
        self._host = host
        self._routes: dict[str, Callable[[Query], Awaitable[Document]]] = {
            "/runs": self._runs,
            "/persons": self._persons,
            "/outbox": self._outbox,
            "/urls": self._urls,
            "/readyz": self._readyz,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI
        """Answer one request."""
        status, document = await self._answer(scope)
        kind = b"application/problem+json" if isinstance(document, Refusal) else b"application/json"
        headers = [(b"server", b"seta"), (b"content-type", kind), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": _encode(document)})

    async def _answer(self, scope: Scope) -> Document:
        if scope["method"] not in ("GET", "HEAD"):
            return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "this address takes GET")
        if self._host is not None and not _is_host(scope["headers"], self._host):
            return _refusal(HTTPStatus.MISDIRECTED_REQUEST, "call this address by its IP address or its own name")
        try:
            return await self._route(unquote(scope["raw_path"].decode("latin-1")), _query(scope["query_string"]))
        except _BadRequestError as error:
            return _refusal(HTTPStatus.BAD_REQUEST, str(error))
        except NoSuchRunError as error:
            return _refusal(HTTPStatus.NOT_FOUND, str(error))
        except UnclearRunError as error:
            return _refusal(HTTPStatus.CONFLICT, str(error), ids=error.ids)
        except JournalError as error:
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, f"the journal cannot be read: {error}")
        except Exception:
            logger.exception("a request of the admin address failed")
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "the server's log says more")

    async def _route(self, path: str, query: Query) -> Document:
        if path.startswith("/runs/"):
            return 200, RunDocument(await self._operations.run(path.removeprefix("/runs/")))
        route = self._routes.get(path)
        if route is None:
            addresses = ", ".join(sorted((*self._routes, "/runs/ID")))
            return _refusal(HTTPStatus.NOT_FOUND, f"there is nothing here, but there are {addresses}")
        return await route(query)

    async def _runs(self, query: Query) -> Document:
        state = query.get("state")
        if state is not None and state not in set(RunState):
            raise _BadRequestError(f"state is one of {', '.join(RunState)}")
        known = None if state is None else RunState(state)
        return 200, RunList(await self._operations.runs(_limit(query), query.get("flow"), known))

    async def _persons(self, query: Query) -> Document:
        return 200, PersonList(await self._operations.persons(_limit(query)))

    async def _outbox(self, query: Query) -> Document:
        return 200, MessageList(await self._operations.outbox(_limit(query)))

    async def _urls(self, query: Query) -> Document:  # noqa: ARG002  # like all others
        return 200, UrlList(await self._operations.urls())

    async def _readyz(self, query: Query) -> Document:  # noqa: ARG002  # like all others
        return self._readiness()


def _refusal(status: HTTPStatus, detail: str, ids: list[str] | None = None) -> Document:
    return status.value, Refusal(
        type="about:blank", title=status.phrase, status=status.value, detail=detail, ids=ids or []
    )


def _query(raw: bytes) -> Query:
    try:
        parsed = parse_qs(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise _BadRequestError(f"there are more than {_MOST_FIELDS} fields in the query") from error
    return {name: values[-1] for name, values in parsed.items()}


def _limit(query: Query) -> int:
    text = query.get("limit", str(LIST_LIMIT))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_ROWS and len(text) < 9):
        raise _BadRequestError(f"limit is a number from 1 to {MOST_ROWS}")
    return int(text)


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
