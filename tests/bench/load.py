"""A closed loop of senders: each posts, waits for the answer, and posts again."""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import cast

import uvloop


@dataclass(slots=True)
class Tally:
    """What the senders saw; latencies in seconds."""

    left: int
    good: int = 0
    bad: int = 0
    latencies: list[float] = field(default_factory=list)


def request(path: str, number: int) -> bytes:
    """A delivery of a lead; every one is another person."""
    lead = {"nome": f"Pessoa {number}", "email": f"p{number}@example.com", "telefone": f"1198{number % 10**7:07d}"}
    body = json.dumps(lead).encode()
    lines = (
        f"POST {path} HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/json",
        f"content-length: {len(body)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


class Sender(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, path: str, tally: Tally, done: "asyncio.Future[None]") -> None:
        self._path = path
        self._tally = tally
        self._done = done
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass of it
        self._next()

    def _next(self) -> None:
        if self._tally.left <= 0:
            self._transport.close()
            return
        self._tally.left -= 1
        self._sent = time.perf_counter()
        self._transport.write(request(self._path, self._tally.left))

    def data_received(self, data: bytes) -> None:
        """Take an answer once it is whole."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._buffer = b""
        self._tally.latencies.append(time.perf_counter() - self._sent)
        if head.startswith(b"HTTP/1.1 200"):
            self._tally.good += 1
        else:
            self._tally.bad += 1
        self._next()

    def connection_lost(self, _: Exception | None) -> None:
        """Tell the one who waits."""
        if not self._done.done():
            self._done.set_result(None)


async def run(port: int, path: str, connections: int, requests: int) -> dict[str, float]:
    """Send so many requests over so many connections."""
    loop = asyncio.get_running_loop()
    tally = Tally(requests)
    ends = [loop.create_future() for _ in range(connections)]
    start = time.perf_counter()
    for end in ends:
        await loop.create_connection(lambda end=end: Sender(path, tally, end), "127.0.0.1", port)  # type: ignore[misc]  # mypy sees no type for the default
    await asyncio.gather(*ends)
    seconds = time.perf_counter() - start
    ordered = sorted(tally.latencies)
    return {
        "seconds": seconds,
        "good": tally.good,
        "bad": tally.bad,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
    }


def main() -> None:
    """Print the figures of one run as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--requests", type=int, default=20_000)
    chosen = parser.parse_args()
    figures = uvloop.run(run(chosen.port, chosen.path, chosen.connections, chosen.requests))
    json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main()
