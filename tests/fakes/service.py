"""What fakes of remote services share: a real port, and faults in place of the next answers."""

import asyncio
import json
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, Self

from runtime.connections.guard import Guard
from runtime.listening import Listener
from runtime.settings import Address, Opening, Settings

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

LONGEST_BODY = 1_000_000
OPENED = (Opening(ip_network("127.0.0.0/8"), None),)
LOOPBACK = Guard(OPENED)  # lets a client reach a fake


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Decode the body."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: JSON, or bytes as they are. `late` is seconds; `cut` breaks the connection off in the body."""

    status: int = 200
    body: Any = field(default_factory=dict)
    late: float = 0.0
    cut: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """The body as it is sent."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Service:
    """An ASGI application on a port of its own. Used as `async with Service() as service`."""

    header_seconds = 0.2  # after which an idle connection ends, and so an answer that is cut

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: deque[Reply] = deque()
        self.always: dict[str, str] = {}  # headers of every answer
        self.url = ""
        self._listener: Listener | None = None

    def answer(self, asked: Asked) -> Reply:
        """What the real service would say."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = Address("127.0.0.1", probe.getsockname()[1])
        self._listener = Listener(self, Settings(header_seconds=self.header_seconds), address)
        await self._listener.start()
        self.url = f"http://{address}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listener is not None:
            await self._listener.stop(2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, the faults first."""
        asked = await _read(scope, receive)
        self.asked.append(asked)
        reply = self.faults.popleft() if self.faults else self.answer(asked)
        await asyncio.sleep(reply.late)
        body = reply.bytes()
        length = str(len(body) + (10 if reply.cut else 0)).encode()
        said = {"content-type": "application/json", **self.always, **reply.headers}
        headers = [(b"content-length", length), *((name.encode(), value.encode()) for name, value in said.items())]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _read(scope: Scope, receive: Receive) -> Asked:
    body, more = b"", True
    while more and len(body) < LONGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
    return Asked(scope["method"], scope["path"], scope["query_string"].decode(), headers, body)
