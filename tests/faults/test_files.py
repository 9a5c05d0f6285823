"""A server that may open no more files: whoever is connected is served, what reaches out waits, and all heals."""

import asyncio
import json
import resource
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import Tell
from tests.faults.load import lost, query, settled, states, until
from tests.receiver import Received, Receiver
from tests.runtime.cli.process import ServerProcess

FLOW = """
flow orders
on webhook {n: int}
  -> post "{config.erp}/pedidos" with {n} retry 99 every 50ms..200ms
"""
SPARE = 24  # files that the server may open beside those that it has
CONNECTIONS = 100
DELIVERIES = 20


@dataclass
class Orders:
    """Deliveries that were acknowledged, and what became of them in the other system."""

    accepted: set[str] = field(default_factory=set)
    arrived: Counter[int] = field(default_factory=Counter)

    async def deliver(self, client: httpx.AsyncClient, url: str) -> None:
        """Send one more."""
        answer = await client.post(url, json={"n": len(self.accepted)})
        assert answer.status_code == 200, answer.text
        self.accepted.add(answer.json()["run"])

    def receive(self, request: Received) -> None:
        """Take note of an order."""
        self.arrived[json.loads(request.body)["n"]] += 1


def files(pid: int) -> set[int]:
    """The numbers of the files that a process has open."""
    return {int(file.name) for file in Path(f"/proc/{pid}/fd").iterdir()}


async def use_up(server: ServerProcess, orders: Orders) -> float:
    """Let a server have no file left, deliver meanwhile, and give the seconds that it took to get well."""
    url, arrived = server.flows["orders"].url, orders.arrived.total()
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    async with httpx.AsyncClient(timeout=10) as client:
        await client.get(url)
        with ExitStack() as connections:
            limit = max(files(server.pid)) + 1 + SPARE
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, hard))
            for _ in range(CONNECTIONS):
                connections.enter_context(closing(server.connect()))
            await until(lambda: len(files(server.pid)) >= limit, "the server has files left")
            for _ in range(DELIVERIES):
                await orders.deliver(client, url)
            assert orders.arrived.total() == arrived, "a request went out although no file was left"
    start = time.monotonic()
    async with httpx.AsyncClient(timeout=30) as client:
        await orders.deliver(client, url)
    return time.monotonic() - start


async def no_files_left(folder: Path, rounds: int) -> str:
    """Take a server's files away, again and again; the figure as a sentence."""
    orders, seconds = Orders(), list[float]()
    async with Receiver(tell=orders.receive) as receiver:
        (folder / "flows").mkdir()
        (folder / "flows" / "orders.seta").write_text(FLOW)
        (folder / "flows" / "seta.toml").write_text(f'[config]\nerp = "{receiver.url}"\n')
        with ServerProcess(folder, "--allow-outbound", f"127.0.0.1:{receiver.port}") as server:
            for number in range(rounds):
                await asyncio.sleep(4.5 if number else 0)  # until the connection to the other system is let go
                seconds.append(await use_up(server, orders))
                await settled(folder / ".seta")
    assert not lost(orders.accepted, states(folder / ".seta"))
    assert orders.arrived == Counter(range(len(orders.accepted)))
    tried = query(folder / ".seta", "SELECT max(attempt) FROM steps")[0][0]
    return (
        f"0 of {len(orders.accepted)} accepted lost in {rounds} times that no file was left, up to {tried} attempts;"
        f" a new sender is served {max(seconds):.1f} s afterwards at most"
    )


@pytest.mark.timeout(120)
async def test_server_without_a_file_left_serves_who_is_connected_and_heals(tmp_path: Path, tell: Tell) -> None:
    tell(await no_files_left(tmp_path, 1))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_server_without_a_file_left_heals_10_times(tmp_path: Path, tell: Tell) -> None:
    tell(await no_files_left(tmp_path, 10))
