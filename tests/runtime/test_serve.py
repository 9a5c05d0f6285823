"""A whole server: what granian lets through and what it holds back, limits, start and end."""

import asyncio
import json
import os
import signal
import socket
import stat
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.journal import FolderInUse, take
from runtime.loader import Loaded, load
from runtime.serve import ServeError, Started, Stop, serve
from runtime.settings import Address, Settings
from runtime.steps import catalog
from tests.runtime.cli.process import LEAD, RETOMADA, ServerProcess

FLOW = RETOMADA.replace("on webhook", "on webhook limit 100kb")
LIMIT = 100_000


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A real process, with the limits that it has by itself."""
    folder = tmp_path_factory.mktemp("serve")
    (folder / "flows").mkdir()
    (folder / "flows" / "retomada.seta").write_text(FLOW)
    with ServerProcess(folder) as server:
        yield server


def exchange(server: ServerProcess, *pieces: bytes, half_close: bool = False) -> bytes:
    """Send pieces as they are, a moment apart, and read until the server closes or has nothing more to say."""
    with closing(server.connect()) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        connection.settimeout(1.0)
        received = b""
        try:
            while part := connection.recv(65_536):
                received += part
        except TimeoutError:
            return received + b"<open>"
        except ConnectionResetError:
            return received
        return received


def runs(server: ServerProcess) -> int:
    """How many deliveries were ever kept."""
    transport = httpx.HTTPTransport(uds=str(server.folder / ".seta" / "admin.sock"))
    with httpx.Client(transport=transport) as client:
        return len(client.get("http://seta/runs").json()["runs"])


# what HTTP lets people say --------------------------------------------------------------------------------------------

CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(LEAD), LEAD)
LENGTH = b"Content-Length: %d\r\n" % len(LEAD)
CHUNKS = b"Transfer-Encoding: chunked\r\n"
BIG = b'{"telefone":"' + b"1" * LIMIT + b'"}'


def post(headers: bytes, body: bytes = LEAD, version: bytes = b"1.1") -> bytes:
    return b"POST PATH HTTP/%s\r\nHost: a\r\n%s\r\n%s" % (version, headers, body)


KEPT = [
    ("length", post(LENGTH)),
    ("chunks", post(CHUNKS, CHUNKED)),
    ("chunk extensions and trailers", post(CHUNKS, CHUNKED.replace(b"\r\n", b";a=b\r\n", 1)[:-2] + b"X: y\r\n\r\n")),
    ("the same length twice", post(LENGTH + LENGTH)),
    ("HTTP/1.0", post(LENGTH, version=b"1.0")),
    ("line feeds only", post(LENGTH).replace(b"\r\n", b"\n")),
    ("absolute form", post(LENGTH).replace(b"PATH", b"http://elsewhere.example.comPATH")),
    ("no host", post(LENGTH).replace(b"Host: a\r\n", b"")),
    ("a query", post(LENGTH).replace(b"PATH", b"PATH?a=b")),
]


@pytest.mark.parametrize("raw", [raw for _, raw in KEPT], ids=[name for name, _ in KEPT])
def test_delivery_is_kept(process: ServerProcess, raw: bytes) -> None:
    before = runs(process)
    received = exchange(process, raw.replace(b"PATH", process.flows["retomada"].path.encode()))
    status, _, rest = received.partition(b"\r\n")
    assert status.split(b" ", 1)[1] == b"200 OK"
    assert b'{"run":"' in rest
    assert runs(process) == before + 1


REFUSED = [
    ("lengths that differ", post(LENGTH + b"Content-Length: 3\r\n"), b"400 Bad Request"),
    ("list of lengths", post(b"Content-Length: 3, 3\r\n"), b"400 Bad Request"),
    ("length with a sign", post(b"Content-Length: +3\r\n"), b"400 Bad Request"),
    ("length that is none", post(b"Content-Length: 0x10\r\n"), b"400 Bad Request"),
    ("unknown transfer encoding", post(b"Transfer-Encoding: xchunked\r\n", CHUNKED), b"400 Bad Request"),
    ("chunks in HTTP/1.0", post(CHUNKS, CHUNKED, b"1.0"), b"400 Bad Request"),
    ("folded header", post(LENGTH + b"X: a\r\n b\r\n"), b"400 Bad Request"),
    ("NUL in a header", post(LENGTH + b"X: a\0b\r\n"), b"400 Bad Request"),
    ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400 Bad Request"),
    ("HTTP/2 at once", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400 Bad Request"),
    ("more than a hundred headers", post(LENGTH + b"X: y\r\n" * 101), b"431 Request Header Fields Too Large"),
    ("headers of 70 kB", post(LENGTH + b"X: %s\r\n" % (b"y" * 70_000)), b"431 Request Header Fields Too Large"),
    ("URL of 70 kB", post(LENGTH).replace(b"PATH", b"/" + b"x" * 70_000), b"431 Request Header Fields Too Large"),
    ("chunk of no size", post(CHUNKS, b"zz\r\n" + LEAD), b"400 Bad Request"),
    ("chunk that does not end", post(CHUNKS, CHUNKED.replace(b"}\r\n", b"}xx", 1)), b"400 Bad Request"),
    ("announced as too large", post(b"Content-Length: %d\r\n" % (LIMIT + 1), b""), b"413 Payload Too Large"),
    ("too large in the end", post(CHUNKS, b"%x\r\n%s\r\n" % (len(BIG), BIG)), b"413 Payload Too Large"),
    ("GET", post(b"").replace(b"POST", b"GET"), b"405 Method Not Allowed"),
    ("WebSocket", post(b"Upgrade: websocket\r\nConnection: Upgrade\r\n", b"").replace(b"POST", b"GET"), b"405"),
    ("CONNECT", b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", b"404 Not Found"),
    ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", b"404 Not Found"),
    ("encoded slash", post(LENGTH).replace(b"PATH", b"%2Fv1"), b"400 Bad Request"),
]


@pytest.mark.parametrize(("raw", "status"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_delivery_is_refused_and_nothing_is_kept(process: ServerProcess, raw: bytes, status: bytes) -> None:
    before = runs(process)
    received = exchange(process, raw.replace(b"PATH", process.flows["retomada"].path.encode()))
    assert received.split(b" ", 1)[1].startswith(status)
    assert runs(process) == before


@pytest.mark.parametrize("headers", [LENGTH, CHUNKS])
def test_body_that_breaks_off_is_not_kept(process: ServerProcess, headers: bytes) -> None:
    before = runs(process)
    raw = post(headers, b"%x\r\n%s" % (len(LEAD), LEAD[:-5]) if headers == CHUNKS else LEAD[:-5])
    received = exchange(process, raw.replace(b"PATH", process.flows["retomada"].path.encode()), half_close=True)
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b'"title":"The body broke off"' in received
    assert runs(process) == before
