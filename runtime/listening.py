"""Listening: one ASGI application at one address or socket file, served by granian on this loop."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from runtime.settings import Address, Settings

Application = Callable[..., Awaitable[None]]

_HEAD_BYTES: Final = 65_536  # of a request's headers, and of a body that is read at a time
_SOCKET_PATH_BYTES: Final = 103  # what every system can take
_START_TRIES: Final = 1000
_START_PAUSE: Final = 0.005  # seconds


class ServeError(Exception):
    """The server cannot start; the message says why, and what to do."""


class Listener:
    """An ASGI application at one address or socket file, served by granian in this process and on this loop."""

    def __init__(self, app: Application, settings: Settings, at: Address | Path) -> None:
        self._app = app
        self._settings = settings
        self._at = at
        self._server: Server | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        """Listen. Raises ServeError where that cannot be."""
        if isinstance(self._at, Path):
            _prepare_socket(self._at)
        self._server = make_server(self._app, self._settings, self._at)
        self.ended = asyncio.create_task(self._server.serve())
        for _ in range(_START_TRIES):
            if await _accepts(self._at):
                return
            if self.ended.done():
                raise ServeError(f"cannot listen on {self._at}: {self.ended.exception()}")
            await asyncio.sleep(_START_PAUSE)
        raise ServeError(f"nobody listens on {self._at}, although nothing speaks against it")

    async def stop(self, seconds: float) -> bool:
        """Take no new connection, and wait for the requests under way; whether all of them have ended in time."""
        if self._server is None:
            return True
        self._server.stop()  # type: ignore[no-untyped-call]  # granian's
        done, _ = await asyncio.wait([self.ended], timeout=seconds)
        return bool(done)


def make_server(app: Application, settings: Settings, at: Address | Path) -> Server:
    """Configure granian: HTTP/1 alone, without WebSockets and access log, within the settings' limits.

    Its own choice between versions of HTTP never ends a connection that sends nothing; its access log writes decoded
    paths, which are secrets here.
    """
    place: dict[str, Any] = {"uds": at} if isinstance(at, Path) else {"address": at.host, "port": at.port}
    server = Server(
        app,
        **place,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=settings.backlog,
        backpressure=settings.connections,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(settings.header_seconds * 1000), max_buffer_size=_HEAD_BYTES
        ),
        log_level=LogLevels.warning,
        log_access=False,
        log_dictconfig=_logging(),
    )
    server.uds_permissions = 0o600
    return server


def _logging() -> dict[str, Any]:
    """Leave logging as it is: making a server would otherwise replace every handler there is."""
    return {"incremental": True, "formatters": {}, "handlers": {}, "loggers": {}}


async def free_address(address: Address, option: str) -> Address:
    """Resolve a name, choose a port for 0, and make sure that nobody listens: granian would share the port."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        family, _, _, _, where = min(found, key=lambda one: one[0] != socket.AF_INET)
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            host, port, *_ = probe.getsockname()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ServeError(f"cannot listen on {address}: {reason}; choose another one with {option}") from error
    return Address(host, port)


def _prepare_socket(path: Path) -> None:
    """Remove what a server left that died: ours is the folder, so nobody uses it."""
    if len(os.fsencode(path.resolve())) > _SOCKET_PATH_BYTES:
        raise ServeError(f"the path {path} is too long for a socket; choose a shorter one with --data")
    path.unlink(missing_ok=True)


async def _accepts(at: Address | Path) -> bool:
    try:
        connecting = (
            asyncio.open_unix_connection(str(at)) if isinstance(at, Path) else asyncio.open_connection(at.host, at.port)
        )
        _, writer = await connecting
    except OSError:
        return False
    writer.close()
    return True
