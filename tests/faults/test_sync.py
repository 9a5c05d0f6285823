"""A disk whose syncs fail, or last: what is acknowledged is on it all the same, and the server gets well by itself."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from runtime.journal.writer import SLOW_SECONDS
from tests.faults.conftest import Tell
from tests.faults.load import Ledger, loaded, lost, query, readiness, ready, settled
from tests.faults.machine import syncs, tool
from tests.runtime.cli.process import RETOMADA, SECONDS, ServerProcess, environment, script

DELAY = 0.2  # seconds
HANGING = 8.0


def prepare(folder: Path) -> Path:
    """A flow to serve; the folder of data."""
    (folder / "flows").mkdir()
    (folder / "flows" / "retomada.seta").write_text(RETOMADA)
    return folder / ".seta"


async def refuse(server: ServerProcess, ledger: Ledger) -> float:
    """Let syncs fail for a while; the seconds in which the server got well afterwards."""
    with syncs(server.pid, "error=EIO"):
        await ledger.more(503)
        assert await readiness(server) == (False, ["journal"])
    seconds = await ready(server)
    await ledger.more(200)
    return seconds


async def refused_syncs(folder: Path, rounds: int) -> str:
    """Let syncs fail again and again, kill the server the last time; the figure as a sentence."""
    data, ledger, seconds = prepare(folder), Ledger(), list[float]()
    with ServerProcess(folder) as server:
        async with loaded(ledger, server.flows["retomada"].url):
            await ledger.more(200)
            for _ in range(rounds):
                seconds.append(await refuse(server, ledger))
            with syncs(server.pid, "error=EIO"):
                await ledger.more(503)
                server.signal(signal.SIGKILL)
    with ServerProcess(folder):
        found = await settled(data)
    assert not lost(ledger.accepted, found)
    assert set(ledger.answers) <= {0, 200, 503}
    assert query(data, "PRAGMA integrity_check") == [("ok",)]
    return (
        f"0 of {len(ledger.accepted)} accepted lost in {rounds + 1} times that syncs failed, one ended by kill -9; "
        f"{ledger.answers[503]} refused with 503; well again after {max(seconds):.1f} s at most"
    )


async def slow_syncs(folder: Path, rounds: int) -> str:
    """Let each sync last; the figure as a sentence."""
    data, ledger = prepare(folder), Ledger()
    with ServerProcess(folder) as server:
        async with loaded(ledger, server.flows["retomada"].url):
            for _ in range(rounds):
                await ledger.more(200)
                with syncs(server.pid, f"delay_exit={int(DELAY * 1e6)}"):
                    await ledger.more(200, 8)  # that began before
                    ledger.taken()
                    await ledger.more(200, 24)
                    during = ledger.taken()
                    assert await readiness(server) == (True, [])
                assert min(during) >= DELAY, "an answer came before its delivery was on disk"
                assert max(during) < 10 * DELAY, "deliveries do not share their commits"
        found = await settled(data)
    assert not lost(ledger.accepted, found)
    assert set(ledger.answers) == {200}
    return f"0 of {len(ledger.accepted)} accepted lost, none refused, while each sync took {DELAY:g} s"


async def hanging_syncs(folder: Path, rounds: int) -> str:
    """Let a sync last so long that the server takes nothing more; the figure as a sentence."""
    data, ledger, late, seconds = prepare(folder), Ledger(), Ledger(), list[float]()
    with ServerProcess(folder) as server:
        url = server.flows["retomada"].url
        async with loaded(ledger, url):
            for _ in range(rounds):
                await ledger.more(200)
                with syncs(server.pid, f"delay_exit={int(HANGING * 1e6)}"):
                    await asyncio.sleep(SLOW_SECONDS + 0.5)
                    async with loaded(late, url):
                        await late.more(503)
                    assert await readiness(server) == (False, ["journal"])
                seconds.append(await ready(server))
        found = await settled(data)
    assert not lost(ledger.accepted, found)
    assert set(late.answers) == {503}
    assert set(ledger.answers) <= {200, 503}
    return (
        f"0 of {len(ledger.accepted)} accepted lost, {late.answers[503]} refused with 503 at once while a sync took"
        f" {HANGING:g} s; well again after {max(seconds):.1f} s at most"
    )


Rounds = Callable[[Path, int], Awaitable[str]]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("rounds", [refused_syncs, slow_syncs])
async def test_syncs_that_fail_or_last_lose_nothing(tmp_path: Path, tell: Tell, rounds: Rounds) -> None:
    tell(await rounds(tmp_path, 1))


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("rounds", [refused_syncs, slow_syncs, hanging_syncs])
async def test_syncs_that_fail_or_last_lose_nothing_in_10_rounds(tmp_path: Path, tell: Tell, rounds: Rounds) -> None:
    tell(await rounds(tmp_path, 10))


def test_server_that_cannot_sync_from_the_start_says_so_and_ends(tmp_path: Path) -> None:
    prepare(tmp_path)
    strace = [tool("strace"), "-f", "-qq", "-o", os.devnull, "-e", "trace=fsync,fdatasync"]
    done = subprocess.run(
        [*strace, "-e", "inject=fsync,fdatasync:error=EIO", *script(tmp_path), "serve", "--port", "0"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "seta: .seta/seta.db: IOError: disk I/O error\n"
