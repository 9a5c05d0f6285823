"""Connections that never come to their point, as a program of its own: it would slow down who measures.

A third of them send nothing, a third let headers drip, a third a body. Who is cut comes again. It prints a line once
all are there, and how often they were cut when it is told to stop.
"""

import argparse
import asyncio
import resource
import signal
import sys
from contextlib import suppress
from itertools import cycle, islice

DRIP_SECONDS = 1.0
BATCH = 50  # that connect at a time


def openings(path: str) -> list[bytes]:
    """What each kind sends at first."""
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\n".encode()
    return [b"", head, head + b"Content-Length: 100000\r\n\r\n{"]


class Siege:
    """So many connections to a port."""

    def __init__(self, port: int, path: str, number: int) -> None:
        self.cuts = 0
        self._there: set[int] = set()
        self._port = port
        self._number = number
        self._all = asyncio.Event()
        self._connecting = asyncio.Semaphore(BATCH)
        self._openings = list(islice(cycle(openings(path)), number))

    async def hold(self) -> None:
        """Hold all connections until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number, opening in enumerate(self._openings):
                group.create_task(self._hold(number, opening))

    async def all_there(self) -> None:
        """Wait until each connection was open."""
        await self._all.wait()

    async def _hold(self, number: int, opening: bytes) -> None:
        while True:
            with suppress(OSError):
                await self._connect(number, opening)
            self.cuts += 1
            await asyncio.sleep(0.05)

    async def _connect(self, number: int, opening: bytes) -> None:
        async with self._connecting:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._there.add(number)
        if len(self._there) == self._number:
            self._all.set()
        writer.write(opening)
        drips = asyncio.create_task(_drip(writer)) if opening else None
        try:
            await reader.read()
        finally:
            if drips is not None:
                drips.cancel()
            writer.transport.abort()


async def _drip(writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        await asyncio.sleep(DRIP_SECONDS)
        writer.write(b"x")


async def _run(port: int, path: str, number: int) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    siege = Siege(port, path, number)
    holding = asyncio.create_task(siege.hold())
    await siege.all_there()
    sys.stdout.write("all there\n")
    sys.stdout.flush()
    await stopped.wait()
    holding.cancel()
    await asyncio.wait([holding])
    sys.stdout.write(f"{siege.cuts}\n")


def main() -> None:
    """Besiege until SIGTERM comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("number", type=int)
    args = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(_run(args.port, args.path, args.number))


if __name__ == "__main__":
    main()
