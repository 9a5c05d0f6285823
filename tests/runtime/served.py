"""A whole server in this process, over the texts of flows, and what a test asks of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from runtime.frozen import loaded_python
from runtime.loader import load
from runtime.serve import NO_TRACES, Started, Stop, serve
from runtime.settings import Address, Settings
from runtime.steps import catalog
from runtime.traces import Traces

SECONDS = 30.0


class Served:
    """A server that listens on loopback."""

    def __init__(self, started: Started, stop: Stop) -> None:
        self.settings = started.settings
        self.stop = stop
        self.paths = {url.flow: "/" + url.url.split("/", 3)[3] for url in started.urls}
        self._public = httpx.AsyncClient(base_url=f"http://{started.settings.listen}", timeout=SECONDS)
        transport = httpx.AsyncHTTPTransport(uds=str(started.settings.socket))
        self._socket = httpx.AsyncClient(transport=transport, base_url="http://seta", timeout=SECONDS)

    async def post(self, flow: str, content: str, **headers: str) -> httpx.Response:
        """Send a flow a body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._public.post(self.paths[flow], content=content.encode(), headers=named)

    async def public(self, path: str) -> httpx.Response:
        """Get something of the public address."""
        return await self._public.get(path)

    async def admin(self, path: str) -> httpx.Response:
        """Get something of the socket."""
        return await self._socket.get(path)

    async def change(self, path: str, content: str = "") -> httpx.Response:
        """Post to the socket."""
        return await self._socket.post(path, content=content.encode())

    async def ended(self, run: str, *, within: float = SECONDS) -> dict[str, Any]:
        """A run, once it is not open any more."""
        async with asyncio.timeout(within):
            while True:
                found: dict[str, Any] = (await self.admin(f"/runs/{run}")).json()["run"]
                if found["state"] not in ("accepted", "running"):
                    return found
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._public.aclose()
        await self._socket.aclose()


@asynccontextmanager
async def serving(
    folder: Path, flows: Mapping[str, str], traces: Traces = NO_TRACES, **changes: Any
) -> AsyncIterator[Served]:
    """Serve files of a folder of flows, by name, until the end of the block."""
    place = folder / "flows"
    place.mkdir(exist_ok=True)
    for name, text in flows.items():
        (place / name).write_text(text)
    by_itself = {"flows": place, "data": folder / "data", "listen": Address("127.0.0.1", 0), "grace": 1.0}
    settings = Settings(**{**by_itself, **changes})
    loaded = load(place, catalog(), loaded_python(place, catalog()))
    assert not loaded.folder.broken, loaded.diagnostics
    started: asyncio.Future[Started] = asyncio.get_running_loop().create_future()
    stop = Stop()
    task = asyncio.create_task(serve(settings, loaded, started.set_result, stop, traces))
    ends: list[asyncio.Future[Any]] = [task, started]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    served = Served(await started, stop)
    try:
        yield served
    finally:
        await served.close()
        stop.asked.set()
        assert await task == 0
