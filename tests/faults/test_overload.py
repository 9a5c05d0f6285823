"""More than a server can do: it says so before it accepts, or keeps it on its disk; its memory stays what it was."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from runtime.settings import MEGABYTE, Settings
from tests.faults.conftest import Tell
from tests.faults.load import Honest, Ledger, lead, loaded, lost, p99, query, settled, states, until
from tests.receiver import Fault, Receiver
from tests.runtime.cli.process import RETOMADA, ROOT, ServerProcess, environment

SLOW = """
flow slow
on webhook {telefone: text}
  -> put "{config.erp}/pessoas" with {telefone}
"""
NEVER = Fault(delay=30.0)
LARGE = 900_000  # bytes, of a body that almost comes
SOON = 10.0  # s, in which a run that waits for nobody is done on a busy machine; NEVER is longer
TIGHTEST = 1000  # ms, the least that any sender waits for an answer
GROWTH = 48  # MB that memory may grow by while the backlog does


def memory(server: ServerProcess) -> int:
    """What a server has of the machine's memory, in MB."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024 // MEGABYTE


def prepare(folder: Path, receiver: Receiver) -> str:
    """Flows that are slow and quick; what the server is to open for them."""
    flows = folder / "flows"
    flows.mkdir()
    (flows / "slow.seta").write_text(SLOW)
    (flows / "retomada.seta").write_text(RETOMADA)
    (flows / "seta.toml").write_text(f'[config]\nerp = "{receiver.url}"\n')
    return f"127.0.0.1:{receiver.port}"


@contextmanager
def crowded(server: ServerProcess) -> Iterator[None]:
    """A server that holds as many bytes of bodies, which do not end, as it may."""
    path = server.flows["retomada"].path
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGE + 1}\r\n\r\n".encode()
    with ExitStack() as connections:
        for _ in range(Settings().bodies // LARGE + 1):
            connection = connections.enter_context(closing(server.connect()))
            connection.sendall(head + b" " * LARGE)
        yield


async def crowd(folder: Path, rounds: int) -> str:
    """Fill the memory for bodies, again and again; the figure as a sentence."""
    ledger, most = Ledger(), 0
    async with Receiver() as receiver:
        opened = prepare(folder, receiver)
    with ServerProcess(folder, "--allow-outbound", opened) as server:
        url = server.flows["retomada"].url
        async with loaded(ledger, url, roomy):
            before = memory(server)
            for _ in range(rounds):
                await ledger.more(200)
                with crowded(server):
                    await ledger.more(503)
                    most = max(most, memory(server))
                await ledger.more(200)
        found = await settled(folder / ".seta")
    assert not lost(ledger.accepted, found)
    assert set(ledger.answers) == {200, 503}
    assert len(found) == ledger.answers[200], "something was kept that was refused"
    assert most - before < 3 * Settings().bodies // MEGABYTE, "bodies take more than their memory"
    return (
        f"memory for bodies full {rounds} times: {ledger.answers[503]} deliveries refused with 503, 0 of "
        f"{len(ledger.accepted)} accepted lost; {before} MB before, {most} MB at most"
    )


def roomy(number: int) -> dict[str, str]:
    """A delivery that is not small."""
    return {**lead(number), "filler": "x" * LARGE}


async def deliver(server: ServerProcess, number: int) -> int:
    """Deliver so many to the slow flow from another process, as fast as they are taken; how many were accepted."""
    command = ["-m", "tests.bench.load", "--port", str(server.port), "--path", server.flows["slow"].path]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, "--requests", str(number), cwd=ROOT, env=environment(), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    return int(json.loads(told)["good"])


def all_done(data: Path, accepted: set[str]) -> bool:
    """Whether all of these runs are done, whatever the others are."""
    return not lost(accepted, {run: state for run, state in states(data).items() if run in accepted})


async def backlog(folder: Path, number: int) -> str:
    """Let so many deliveries wait for a system that does not answer; the figure as a sentence."""
    async with Receiver() as receiver:
        receiver.always(NEVER)
        with ServerProcess(folder, "--allow-outbound", prepare(folder, receiver)) as server:
            honest = Honest(server.flows["retomada"].url)
            accepted = await deliver(server, number // 10)
            quiet, before = p99(await honest.send(2)), memory(server)
            accepted += await deliver(server, number - number // 10)
            during, after = p99(await honest.send(4)), memory(server)
            done = partial(all_done, folder / ".seta", honest.accepted)
            await until(done, "a backlog of one flow holds runs of another up", SOON)
            kept = query(folder / ".seta", "SELECT count(*) FROM runs WHERE flow = 'slow'")[0][0]
            waiting = query(folder / ".seta", "SELECT count(*) FROM runs WHERE state IN ('accepted', 'waiting')")[0][0]
    assert accepted == kept == number
    assert waiting > number // 2, "the other system was not slow"
    assert after - before < GROWTH, "memory grows with the backlog"
    assert during < TIGHTEST, "a backlog of one flow delays the answers of another"
    return (
        f"{waiting} deliveries wait: memory {before} MB before the last nine tenths of them, {after} MB after; "
        f"{len(honest.accepted)} of {honest.number} runs of another flow done meanwhile, "
        f"p99 of its answers {during:.0f} ms, {quiet:.0f} ms before"
    )


@pytest.mark.timeout(120)
async def test_bodies_beyond_their_memory_are_refused_until_there_is_room(tmp_path: Path, tell: Tell) -> None:
    tell(await crowd(tmp_path, 1))


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_bodies_beyond_their_memory_are_refused_10_times(tmp_path: Path, tell: Tell) -> None:
    tell(await crowd(tmp_path, 10))


@pytest.mark.timeout(120)
async def test_3000_waiting_deliveries_cost_no_memory_and_delay_nobody(tmp_path: Path, tell: Tell) -> None:
    tell(await backlog(tmp_path, 3000))


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_50000_waiting_deliveries_cost_no_memory_and_delay_nobody(tmp_path: Path, tell: Tell) -> None:
    tell(await backlog(tmp_path, 50_000))
