"""A small HTTP server that takes whatever it is sent: the other system of the second example, and of tests.

As a program it prints every request and answers 201 with a number. In tests it remembers the last requests, and can
be told to misbehave.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

LONGEST_HEAD = 65_536  # bytes
LONGEST_BODY = 1_000_000
READ_SECONDS = 10.0
CONNECTIONS = 256
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Received:
    """One request. Header names are in lower case; of a repeated header the last counts."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """Decode the body."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Fault:
    """How one request is answered instead. A dropped one gets no answer: its connection is closed."""

    status: int = 201
    delay: float = 0.0  # seconds before the answer
    drop: bool = False
    body: bytes | None = None  # None: {"id": N}
    headers: Mapping[str, str] = field(default_factory=dict)


NORMAL = Fault()


class Receiver:
    """A server on loopback; port 0 takes a free one. Used as `async with Receiver() as receiver`."""

    def __init__(self, port: int = 0, tell: Callable[[Received], None] | None = None) -> None:
        self.port = port
        self.requests: deque[Received] = deque(maxlen=REMEMBERED)
        self.count = 0
        self._tell = tell
        self._faults: deque[Fault] = deque()
        self._always = NORMAL
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def script(self, *faults: Fault) -> None:
        """Answer the next requests like this, one each."""
        self._faults.extend(faults)

    def always(self, fault: Fault) -> None:
        """Answer like this whatever has no fault of its own."""
        self._always = fault

    async def start(self) -> None:
        """Listen. Raises OSError where the port is taken."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=LONGEST_HEAD)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._writers):
                writer.transport.abort()
            await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            async with self._places:
                while (request := await self._read(reader)) is not None:
                    if not await self._answer(request, writer):
                        break
        except (OSError, ValueError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass  # not HTTP, or gone: there is nobody to tell
        finally:
            self._writers.discard(writer)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        """Read the next request of a connection, or None where it ended."""
        async with asyncio.timeout(READ_SECONDS):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return None
            line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
            method, path, _ = line.split(" ", 2)
            pairs = (header.partition(":") for header in lines)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            return Received(method, path, headers, await _body(reader, headers))

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        self.count += 1
        self.requests.append(request)
        if self._tell is not None:
            self._tell(request)
        number = self.count
        fault = self._faults.popleft() if self._faults else self._always
        await asyncio.sleep(fault.delay)
        if fault.drop:
            return False
        body = b'{"id": %d}' % number if fault.body is None else fault.body
        headers = {"content-type": "application/json", **fault.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {fault.status} -\r\n{lines}content-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        return request.headers.get("connection", "").lower() != "close"


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(_bounded(int(headers.get("content-length", "0"))))
    parts: list[bytes] = []
    total = 0
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        total = _bounded(total + size)
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
    return b"".join(parts)


def _bounded(size: int) -> int:
    if not 0 <= size <= LONGEST_BODY:
        raise ValueError("the body is too large")
    return size


def _print(request: Received) -> None:
    body = request.body.decode("utf-8", "replace")
    shown = "".join(character if character.isprintable() else "?" for character in body)
    sys.stdout.write(f"receiver: {request.method} {request.path} {shown}\n")
    sys.stdout.flush()


async def _run(port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with Receiver(port, _print):
        await stopped.wait()


def main() -> int:
    """Run until a signal comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8401, help="on loopback (default: 8401)")
    port = parser.parse_args().port
    try:
        asyncio.run(_run(port))
    except OSError as error:
        sys.stderr.write(f"receiver: cannot listen on port {port}: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
