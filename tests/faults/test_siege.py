"""Hostile connections by the hundred: honest senders do not notice them, and the hostile ones are cut."""

import asyncio
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import pytest

from tests.faults.conftest import Tell
from tests.faults.load import Honest, lost, p99, settled
from tests.faults.machine import tool
from tests.runtime.cli.process import RETOMADA, SECONDS, ServerProcess

HOSTILE = 1500
SIEGE = Path(__file__).with_name("siege.py")
TIGHTEST = 1000  # ms, the least that any sender waits for an answer


@contextmanager
def besieged(server: ServerProcess) -> "Iterator[Popen[str]]":
    """A server with hostile connections."""
    command = [sys.executable, str(SIEGE), str(server.port), server.flows["retomada"].path, str(HOSTILE)]
    with Popen(command, stdout=PIPE, text=True) as siege:
        try:
            assert siege.stdout is not None
            assert siege.stdout.readline() == "all there\n"
            yield siege
        finally:
            siege.terminate()


@contextmanager
def serving(folder: Path) -> Iterator[ServerProcess]:
    """A server that is started as most shells start one: with 1024 files to open."""
    (folder / "flows").mkdir()
    (folder / "flows" / "retomada.seta").write_text(RETOMADA)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * HOSTILE:
        pytest.skip(f"a process may open {hard} files here, which is too few for {HOSTILE} connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        with ServerProcess(folder) as server:
            yield server
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def attacked(attack: str, url: str) -> "Iterator[Popen[bytes]]":
    """What slowhttptest does in one of its ways."""
    options = ["-c", str(HOSTILE), "-r", "500", "-i", "1", "-l", "30", "-u", url]
    with Popen([tool("slowhttptest"), attack, *options], stdout=DEVNULL, stderr=DEVNULL) as attacker:
        try:
            yield attacker
        finally:
            attacker.terminate()


async def siege(folder: Path, seconds: float) -> str:
    """Deliver without and with a siege; the figure as a sentence."""
    with serving(folder) as server:
        honest = Honest(server.flows["retomada"].url)
        await honest.send(0.5)
        quiet = p99(await honest.send(seconds / 2))
        with besieged(server) as hostile:
            during = p99(await honest.send(seconds))
            hostile.terminate()
            cuts = int(hostile.communicate(timeout=SECONDS)[0])
        found = await settled(folder / ".seta")
    assert not lost(honest.accepted, found)
    assert during < TIGHTEST, "honest senders notice the siege"
    return (
        f"{HOSTILE} hostile connections, cut {cuts} times: {len(honest.accepted)} of {honest.number} honest deliveries"
        f" accepted, p99 {during:.0f} ms, without them {quiet:.0f} ms"
    )


@pytest.mark.timeout(120)
async def test_1500_hostile_connections_do_not_touch_honest_senders(tmp_path: Path, tell: Tell) -> None:
    tell(await siege(tmp_path, 3))


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_1500_hostile_connections_do_not_touch_honest_senders_for_long(tmp_path: Path, tell: Tell) -> None:
    tell(await siege(tmp_path, 30))


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("attack", ["-H", "-B", "-X"], ids=["slow headers", "slow bodies", "slow reading"])
async def test_slowhttptest_does_not_touch_honest_senders(tmp_path: Path, tell: Tell, attack: str) -> None:
    with serving(tmp_path) as server:
        url = server.flows["retomada"].url
        with attacked(attack, url) as attacker:
            await asyncio.sleep(2)  # until most of its connections are there; it ends once all of them were cut
            assert attacker.poll() is None
            taken = await Honest(url).send(8)
    assert p99(taken) < TIGHTEST, "honest senders notice the attack"
    tell(f"slowhttptest {attack} with {HOSTILE} connections: p99 of {len(taken)} honest deliveries {p99(taken):.0f} ms")
