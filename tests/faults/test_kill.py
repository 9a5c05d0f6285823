"""kill -9 of a real server under load, again and again over one folder: nothing that it accepted may be lost."""

import asyncio
import json
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import httpx
import pytest

from tests.faults.conftest import Tell
from tests.receiver import Receiver
from tests.runtime.cli.process import RETOMADA, Flow, ServerProcess

ERP = """
flow erp
on webhook {n: int}
  -> post "{config.erp}/pedidos" with {n} retry 9 every 10ms..200ms as pedido: {id: int}
"""
SENDERS = 8
ENDED_SECONDS = 60


@dataclass
class Ledger:
    """What the senders know: the runs that were acknowledged."""

    accepted: set[str] = field(default_factory=set)
    numbers: dict[int, str] = field(default_factory=dict)
    next_number: int = 0


async def send(ledger: Ledger, flows: dict[str, Flow], stop: asyncio.Event) -> None:
    """Post to both flows in turn until told to stop; an answer that never came is nobody's promise."""
    async with httpx.AsyncClient(timeout=5) as client:
        while not stop.is_set():
            ledger.next_number += 1
            number = ledger.next_number
            lead = {"nome": f"Pessoa {number}", "telefone": f"119{80000000 + number}"}
            try:
                answer = await client.post(flows["retomada"].url, json=lead)
                ledger.accepted.add(answer.raise_for_status().json()["run"])
                answer = await client.post(flows["erp"].url, json={"n": number})
                run = answer.raise_for_status().json()["run"]
            except httpx.TransportError:
                await asyncio.sleep(0.01)
                continue
            ledger.accepted.add(run)
            ledger.numbers[number] = run


def states(folder: Path) -> dict[str, str]:
    """The state of every run in the journal."""
    return {str(run): str(state) for run, state in query(folder, "SELECT id, state FROM runs")}


def count(folder: Path, counting: str) -> int:
    """One number from the journal."""
    return int(str(query(folder, counting)[0][0]))


def query(folder: Path, text: str) -> list[tuple[object, ...]]:
    """Rows of the journal, read beside the server."""
    database = apsw.Connection(str(folder / ".seta" / "seta.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return list(database.execute(text).fetchall())
    finally:
        database.close()


async def settled(folder: Path) -> dict[str, str]:
    """The states once no run is open any more."""
    deadline = time.monotonic() + ENDED_SECONDS
    while True:
        found = states(folder)
        if not set(found.values()) & {"accepted", "running", "waiting"} or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.1)


async def one_life(folder: Path, outbound: str, ledger: Ledger, seconds: float) -> None:
    """Start a server, load it, and kill it at a random moment."""
    with ServerProcess(folder, "--allow-outbound", outbound) as server:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(send(ledger, server.flows, stop))
            await asyncio.sleep(seconds)
            server.signal(signal.SIGKILL)
            stop.set()


async def kill_rounds(folder: Path, rounds: int) -> str:
    """Kill a server in so many rounds, let a last one finish, and compare; the figure as a sentence."""
    chance = random.Random(rounds)  # the same moments in every run of the test
    ledger = Ledger()
    async with Receiver() as receiver:
        (folder / "flows").mkdir()
        (folder / "flows" / "retomada.seta").write_text(RETOMADA)
        (folder / "flows" / "erp.seta").write_text(ERP)
        (folder / "flows" / "seta.toml").write_text(f'[config]\nerp = "{receiver.url}"\n')
        outbound = f"127.0.0.1:{receiver.port}"
        for _ in range(rounds):
            await one_life(folder, outbound, ledger, chance.uniform(0.2, 1.5))
        with ServerProcess(folder, "--allow-outbound", outbound):
            found = await settled(folder)
        keys: dict[int, Counter[str]] = {}
        for request in receiver.requests:
            body = json.loads(request.body)
            keys.setdefault(body["n"], Counter())[request.headers["idempotency-key"]] += 1
    lost = ledger.accepted - {run for run, state in found.items() if state == "done"}
    assert not lost, f"{len(lost)} of {len(ledger.accepted)} accepted deliveries are not done"
    assert len(ledger.accepted) > 20 * rounds, "there was no load worth the name"
    assert all(len(different) == 1 for different in keys.values()), "a repeat came with another key"
    assert set(ledger.numbers) <= set(keys), "an accepted delivery never reached the other system"
    messages = count(folder, "SELECT count(*) FROM outbox")
    assert messages == count(folder, "SELECT count(*) FROM runs WHERE flow = 'retomada' AND state = 'done'")
    repeated = sum(sum(different.values()) - 1 for different in keys.values())
    return (
        f"0 of {len(ledger.accepted)} accepted lost in {rounds} kill -9; "
        f"{repeated} requests repeated, all with the same key"
    )


@pytest.mark.timeout(120)
async def test_nothing_accepted_is_lost_in_3_rounds_of_kill_9(tmp_path: Path, tell: Tell) -> None:
    tell(await kill_rounds(tmp_path, 3))


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_nothing_accepted_is_lost_in_20_rounds_of_kill_9(tmp_path: Path, tell: Tell) -> None:
    tell(await kill_rounds(tmp_path, 20))
