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


WAITS = "flow waits\non webhook {n: int}\n  -> wait 4s\n  -> log n\n"


@pytest.mark.long
@pytest.mark.parametrize("jump", ["+1d", "-1h"])
async def test_a_wait_lasts_as_long_as_it_says_over_a_jump(tmp_path: Path, tell: Tell, jump: str) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "waits.seta").write_text(WAITS)
    clock = Clock(tmp_path)
    with ServerProcess(tmp_path, **clock.environment()) as server:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.post(server.flows["waits"].url, json={"n": 1})
        run = answer.raise_for_status().json()["run"]
        await asyncio.sleep(1)
        clock.set(jump)
        seconds = 1 + await until(partial(all_done, tmp_path, [run]), "the wait does not end", 20)
    assert 3.9 < seconds < 10
    tell(f"a wait of 4 s took {seconds:.1f} s over a jump of {jump}")
