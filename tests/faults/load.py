"""Senders that remember what was promised to them, and what the journal says of it afterwards."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import apsw
import httpx

from runtime.journal.database import NAME
from tests.runtime.cli.process import ServerProcess

SENDERS = 8
HONEST_SENDERS = 4
PAUSE = 0.02  # seconds between two deliveries of one of them
PATIENCE = 60.0  # seconds, of whoever waits for what must come
OPEN = {"accepted", "running", "waiting"}
NOBODY = 0  # the status of an answer that never came

Body = Callable[[int], Mapping[str, Any]]


def lead(number: int) -> dict[str, Any]:
    """A person of their own for each number."""
    return {"nome": f"Pessoa {number}", "telefone": f"119{80000000 + number}"}


@dataclass
class Ledger:
    """What senders know: the runs that were acknowledged, what else they were told, and how long each answer took."""

    accepted: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)  # by status
    seconds: list[float] = field(default_factory=list)
    number: int = 0
    over: bool = False

    async def send(self, client: httpx.AsyncClient, url: str, body: Body) -> None:
        """Post until it is over. An answer that never came is nobody's promise."""
        while not self.over:
            self.number += 1
            await self._post(client, url, body(self.number))

    async def _post(self, client: httpx.AsyncClient, url: str, body: Mapping[str, Any]) -> None:
        start = time.perf_counter()
        try:
            answer = await client.post(url, json=body)
        except httpx.TransportError:
            self.answers[NOBODY] += 1
            await asyncio.sleep(0.01)
            return
        self.seconds.append(time.perf_counter() - start)
        self.answers[answer.status_code] += 1
        if answer.status_code == 200:
            self.accepted.add(answer.json()["run"])
        else:
            assert answer.headers["retry-after"].isdigit(), answer.text
            await asyncio.sleep(0.01)

    def taken(self) -> list[float]:
        """The seconds so far; counting begins anew."""
        found, self.seconds = self.seconds, []
        return found

    async def more(self, status: int, answers: int = 20) -> None:
        """Wait for so many more answers of a status."""
        enough = self.answers[status] + answers
        await until(lambda: self.answers[status] >= enough, f"no {answers} answers more with {status}")


@dataclass
class Honest:
    """Senders as there are: half of them keep their connection, half open one for each delivery."""

    url: str
    accepted: set[str] = field(default_factory=set)
    number: int = 0

    async def send(self, seconds: float) -> list[float]:
        """Deliver for so long; the seconds that each answer took."""
        end, taken = time.monotonic() + seconds, list[float]()
        async with httpx.AsyncClient(timeout=10) as client, asyncio.TaskGroup() as group:
            for sender in range(HONEST_SENDERS):
                headers = {"connection": "close"} if sender % 2 else {}
                group.create_task(self._send(client, headers, end, taken))
        return taken

    async def _send(self, client: httpx.AsyncClient, headers: dict[str, str], end: float, taken: list[float]) -> None:
        while time.monotonic() < end:
            self.number += 1
            start = time.perf_counter()
            answer = await client.post(self.url, json=lead(self.number), headers=headers)
            taken.append(time.perf_counter() - start)
            assert answer.status_code == 200, answer.text
            self.accepted.add(answer.json()["run"])
            await asyncio.sleep(PAUSE)


@asynccontextmanager
async def loaded(ledger: Ledger, url: str, body: Body = lead, senders: int = SENDERS) -> AsyncIterator[None]:
    """Post all along."""
    ledger.over = False
    async with httpx.AsyncClient(timeout=10) as client, asyncio.TaskGroup() as group:
        for _ in range(senders):
            group.create_task(ledger.send(client, url, body))
        try:
            yield
        finally:
            ledger.over = True


async def until(true: Callable[[], Any], otherwise: str, seconds: float = PATIENCE) -> float:
    """Wait for what must come true, and give the seconds that it took."""
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < seconds, f"{otherwise} in {seconds:g} s"
        await asyncio.sleep(0.01)
    return time.monotonic() - start


async def readiness(server: ServerProcess, data: Path | None = None) -> tuple[bool, list[str]]:
    """Whether a server is ready, and why not, as its socket says."""
    socket = (data or server.folder / ".seta") / "admin.sock"
    async with httpx.AsyncClient(timeout=10, transport=httpx.AsyncHTTPTransport(uds=str(socket))) as client:
        answer = await client.get("http://seta/readyz")
    told = answer.json()
    assert answer.status_code == (200 if told["ready"] else 503)
    return told["ready"], [reason["name"] for reason in told["reasons"]]


async def ready(server: ServerProcess, data: Path | None = None) -> float:
    """Wait until a server is ready, and give the seconds that it took."""
    start = time.monotonic()
    while not (await readiness(server, data))[0]:
        assert time.monotonic() - start < PATIENCE, "the server does not get well"
        await asyncio.sleep(0.02)
    return time.monotonic() - start


def query(data: Path, text: str) -> list[tuple[Any, ...]]:
    """Rows of a journal, read beside its server."""
    database = apsw.Connection(str(data / NAME), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        database.set_busy_timeout(5000)
        return list(database.execute(text).fetchall())
    finally:
        database.close()


def states(data: Path) -> dict[str, str]:
    """The state of every run in a journal."""
    return dict(query(data, "SELECT id, state FROM runs"))


async def settled(data: Path) -> dict[str, str]:
    """The states once no run is open any more."""
    await until(lambda: not set(states(data).values()) & OPEN, "some runs do not end")
    return states(data)


def lost(accepted: set[str], found: Mapping[str, str]) -> str:
    """How many of the accepted runs are not done, for a message; empty where all are."""
    missing = [run for run in accepted if found.get(run) != "done"]
    return f"{len(missing)} of {len(accepted)} accepted deliveries are not done" if missing else ""


def p99(seconds: list[float]) -> float:
    """In milliseconds."""
    return quantiles(seconds, n=100)[98] * 1000
