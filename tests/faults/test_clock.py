"""A wall clock that jumps under a real server: it goes on accepting, and what it runs ends."""

import asyncio
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import Tell
from tests.faults.load import lead, readiness, states, until
from tests.faults.machine import Clock
from tests.runtime.cli.process import RETOMADA, ServerProcess

JUMPS = ("+1d", "+0", "-1h", "+0")  # the clock against the real one: each is a jump from the one before
DELIVERIES = 10


async def deliver(server: ServerProcess, flow: str) -> list[str]:
    """Deliver some at once; their runs."""
    async with httpx.AsyncClient(timeout=10) as client:
        posts = [client.post(server.flows[flow].url, json=lead(number)) for number in range(DELIVERIES)]
        return [answer.raise_for_status().json()["run"] for answer in await asyncio.gather(*posts)]


def all_done(folder: Path, runs: list[str]) -> bool:
    found = states(folder / ".seta")
    return all(found[run] == "done" for run in runs)


async def jumps(folder: Path, rounds: int) -> str:
    """Let the clock jump between deliveries; the figure as a sentence."""
    (folder / "flows").mkdir()
    (folder / "flows" / "retomada.seta").write_text(RETOMADA)
    clock, runs, seconds = Clock(folder), list[str](), list[float]()
    with ServerProcess(folder, **clock.environment()) as server:
        for jump in JUMPS * rounds:
            clock.set(jump)
            begun = await deliver(server, "retomada")
            seconds.append(await until(partial(all_done, folder, begun), "runs do not end after a jump", 10))
            assert await readiness(server) == (True, [])
            runs += begun
    assert all_done(folder, runs)
    return (
        f"{len(runs)} of {len(runs)} done over {len(JUMPS) * rounds} jumps of the clock, {max(seconds):.1f} s at most"
    )


async def test_clock_that_jumps_disturbs_no_delivery(tmp_path: Path, tell: Tell) -> None:
    tell(await jumps(tmp_path, 1))


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_clock_that_jumps_100_times_disturbs_no_delivery(tmp_path: Path, tell: Tell) -> None:
    tell(await jumps(tmp_path, 25))
