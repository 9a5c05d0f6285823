"""CPU of a request: our HTTP client and a `post` step over it, beside bare aiohttp, on one server in the same run.

The server is a process of its own, so that only the client's CPU counts. Both send the same body under the same
headers, check the status and read the JSON.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from runtime.connections.guard import Guard
from runtime.connections.http import HttpClient, aiohttp_transport
from runtime.context import Call, Hole, RemoteVerb, Run, Setting, StepSpec
from runtime.settings import parse_opening
from runtime.steps import post
from tests.bench.__main__ import free_port, listening, until

ANSWER = b'{"id": 7, "ok": true}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER)
LEAD = {"nome": "Ana", "email": "ana@example.com", "valor": 1234, "faixa": "a"}
RUN = Run("01936b2e-0000-7000-8000-000000000000", "run-key", "erp", 1_700_000_000_000, "plan")
SPEC = StepSpec("post", "post", "keyed", literal=(Setting("erp"), "/pedidos/", Hole()))

Request = Callable[[int], Awaitable[object]]


class Answering(asyncio.Protocol):
    """Answers each request once its body is in. Requests are not pipelined."""

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer, when a request is whole."""
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if found and len(body) >= int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            self._data = b""
            self._transport.write(HEAD + ANSWER)  # type: ignore[attr-defined]  # a stream's transport


async def serve(port: int) -> None:
    """Answer until killed."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", port)
    await server.serve_forever()


@contextmanager
def server() -> Iterator[int]:
    """A server in a process of its own; its port."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "tests.bench.client", "--serve", str(port)]) as running:
        try:
            until(lambda: listening(port), "the server to listen")
            yield port
        finally:
            running.kill()


@asynccontextmanager
async def client(port: int) -> AsyncIterator[Request]:
    """Our client alone, under the guard."""
    http = HttpClient(aiohttp_transport(Guard([parse_opening(f"127.0.0.1:{port}")])))
    encode, decode = msgspec.json.Encoder(decimal_format="number").encode, msgspec.json.decode

    async def request(number: int) -> object:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "seta/0.1",
            "Idempotency-Key": f"key-{number}",
        }
        url = f"http://127.0.0.1:{port}/pedidos/{number % 100}"
        return decode((await http.ask("POST", url, headers, encode(LEAD))).content)

    yield request
    await http.close()


@asynccontextmanager
async def step(port: int) -> AsyncIterator[Request]:
    """A `post` step as flows have it, under the guard."""
    http = HttpClient(aiohttp_transport(Guard([parse_opening(f"127.0.0.1:{port}")])))
    verb: RemoteVerb = post.verb(http)
    config = {"erp": f"http://127.0.0.1:{port}"}

    def request(number: int) -> Awaitable[object]:
        return verb.perform(Call(RUN, SPEC, (LEAD, number % 100), f"key-{number}", 0, config, print))

    yield request
    await http.close()


@asynccontextmanager
async def bare(port: int) -> AsyncIterator[Request]:
    """The same by hand."""
    encode, decode = msgspec.json.Encoder(decimal_format="number").encode, msgspec.json.decode
    connector = aiohttp.TCPConnector(limit=0, limit_per_host=64)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def request(number: int) -> object:
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "seta/0.1",
                "Idempotency-Key": f"key-{number}",
                "Accept-Encoding": "identity",
            }
            url = f"http://127.0.0.1:{port}/pedidos/{number % 100}"
            async with session.post(url, data=encode(LEAD), headers=headers, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise SystemExit(f"the server answered {answer.status}")
                return decode(await answer.read())

        yield request


async def microseconds(request: Request, count: int, at_once: int) -> float:
    """CPU of this process for a request, `at_once` at a time."""
    numbers = iter(range(count))

    async def one_after_the_other() -> None:
        for number in numbers:
            await request(number)

    before = time.process_time()
    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return (time.process_time() - before) / count * 1e6


async def rounds(port: int, chosen: argparse.Namespace) -> list[list[float]]:
    """All in turn."""
    found = []
    async with bare(port) as theirs, client(port) as ours, step(port) as whole:
        for number in range(chosen.rounds + 1):
            costs = [await microseconds(request, chosen.requests, chosen.at_once) for request in (theirs, ours, whole)]
            if number:  # the first one warms up
                found.append(costs)
    return found


def main() -> None:
    """Print medians and the ratio; with --serve be the server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--serve", type=int)
    chosen = parser.parse_args()
    if chosen.serve is not None:
        uvloop.run(serve(chosen.serve))
        return
    with server() as port:
        found = uvloop.run(rounds(port, chosen))
    many = f"{chosen.requests} requests, {chosen.at_once} at a time"
    table = Table(title=f"CPU of a POST, {many}, median of {chosen.rounds}")
    for column in ("", "µs", "ratio"):
        table.add_column(column, justify="right" if column else "left")
    for index, name in enumerate(("bare aiohttp", "our client", "a post step over it")):
        cost = statistics.median(costs[index] for costs in found)
        ratio = statistics.median(costs[index] / costs[0] for costs in found)
        table.add_row(name, f"{cost:.0f}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
