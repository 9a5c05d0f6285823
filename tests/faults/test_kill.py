"""kill -9 of a real server under load, again and again over one folder: nothing that it accepted may be lost."""

import asyncio
import json
import random
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import Tell
from tests.faults.load import SENDERS, lead, lost, query, settled, until
from tests.receiver import Received, Receiver
from tests.runtime.cli.process import RETOMADA, Flow, ServerProcess

ERP = """
flow erp
on webhook {n: int}
  -> post "{config.erp}/pedidos" with {n} retry 9 every 10ms..200ms as pedido: {id: int}
"""


@dataclass
class Orders:
    """What the senders know: the runs that were acknowledged. What the other system knows: under which keys."""

    accepted: set[str] = field(default_factory=set)
    numbers: dict[int, str] = field(default_factory=dict)
    next_number: int = 0
    keys: dict[int, Counter[str]] = field(default_factory=dict)

    async def send(self, client: httpx.AsyncClient, flows: dict[str, Flow]) -> None:
        """Post to both flows in turn until the server is gone; an answer that never came is nobody's promise."""
        with suppress(httpx.TransportError):
            while True:
                self.next_number += 1
                number = self.next_number
                answer = await client.post(flows["retomada"].url, json=lead(number))
                self.accepted.add(answer.raise_for_status().json()["run"])
                answer = await client.post(flows["erp"].url, json={"n": number})
                self.numbers[number] = run = answer.raise_for_status().json()["run"]
                self.accepted.add(run)

    def receive(self, request: Received) -> None:
        """Take note of an order in the other system."""
        number = json.loads(request.body)["n"]
        self.keys.setdefault(number, Counter())[request.headers["idempotency-key"]] += 1


async def one_life(folder: Path, outbound: str, orders: Orders, seconds: float) -> None:
    """Start a server, load it, and kill it at a random moment."""
    enough = len(orders.accepted) + 20
    with ServerProcess(folder, "--allow-outbound", outbound) as server:
        async with httpx.AsyncClient(timeout=10) as client, asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(orders.send(client, server.flows))
            await until(lambda: len(orders.accepted) >= enough, "there is no load worth the name")
            await asyncio.sleep(seconds)
            server.signal(signal.SIGKILL)


async def kill_rounds(folder: Path, rounds: int) -> str:
    """Kill a server in so many rounds, let a last one finish, and compare; the figure as a sentence."""
    chance = random.Random(rounds)  # the same moments in every run of the test
    orders, data = Orders(), folder / ".seta"
    async with Receiver(tell=orders.receive) as receiver:
        (folder / "flows").mkdir()
        (folder / "flows" / "retomada.seta").write_text(RETOMADA)
        (folder / "flows" / "erp.seta").write_text(ERP)
        (folder / "flows" / "seta.toml").write_text(f'[config]\nerp = "{receiver.url}"\n')
        outbound = f"127.0.0.1:{receiver.port}"
        for _ in range(rounds):
            await one_life(folder, outbound, orders, chance.uniform(0, 0.8))
        with ServerProcess(folder, "--allow-outbound", outbound):
            found = await settled(data)
    keys = orders.keys
    assert not lost(orders.accepted, found)
    assert all(len(different) == 1 for different in keys.values()), "a repeat came with another key"
    assert set(orders.numbers) <= set(keys), "an accepted delivery never reached the other system"
    messages = query(data, "SELECT count(*) FROM outbox")
    assert messages == query(data, "SELECT count(*) FROM runs WHERE flow = 'retomada' AND state = 'done'")
    repeated = sum(sum(different.values()) - 1 for different in keys.values())
    return (
        f"0 of {len(orders.accepted)} accepted lost in {rounds} kill -9; "
        f"{repeated} requests repeated, all with the same key"
    )


@pytest.mark.timeout(120)
async def test_nothing_accepted_is_lost_in_3_rounds_of_kill_9(tmp_path: Path, tell: Tell) -> None:
    tell(await kill_rounds(tmp_path, 3))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_nothing_accepted_is_lost_in_50_rounds_of_kill_9(tmp_path: Path, tell: Tell) -> None:
    tell(await kill_rounds(tmp_path, 50))
