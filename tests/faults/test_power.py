"""Power cuts: what a disk holds while the whole server stands still is what it finds after one.

The disk is an image that is mounted as a loop device. Its file system writes by itself every 300 s only, so that
nothing is in the image but what the server has synced.
"""

import asyncio
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.journal.database import NAME
from tests.faults.conftest import Tell
from tests.faults.load import Ledger, loaded, lost, query, settled, states
from tests.faults.machine import as_root, mounted, run
from tests.runtime.cli.process import RETOMADA, SECONDS, ServerProcess

MEGABYTE = 1 << 20
SIZE = 256 * MEGABYTE
LAZY = ("-t", "ext4", "-o", "loop,commit=300,noatime")

# What the server would be without its promise.
NO_SYNC = """\
from runtime.journal import database
database._WRITING = database._WRITING.replace("synchronous = FULL", "synchronous = OFF")
"""


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A disk of its own for the data of a server."""
    as_root("mount a disk")
    image = folder / "disk.img"
    with image.open("wb") as file:
        file.truncate(SIZE)
    run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
    with mounted(folder / "disk", *LAZY, image) as place:
        yield place


async def freeze(server: ServerProcess) -> None:
    """Stop every thread of a server where it is; what it has answered by then has come."""
    server.signal(signal.SIGSTOP)
    end = time.monotonic() + SECONDS
    while not stands_still(server.pid):
        assert time.monotonic() < end, "the server does not stand still"
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)


def stands_still(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks} == {"T"}


async def cut(folder: Path, server: ServerProcess, ledger: Ledger) -> set[str]:
    """Copy the disk as a power cut would leave it; the runs that were acknowledged before."""
    await freeze(server)
    try:
        run("cp", "--sparse=always", folder / "disk.img", folder / "cut.img")
        return set(ledger.accepted)
    finally:
        server.signal(signal.SIGCONT)


@contextmanager
def found(folder: Path) -> Iterator[Path]:
    """The data as it is found when power comes back."""
    place = folder / "found"
    with mounted(place, "-t", "ext4", "-o", "loop", folder / "cut.img"):
        yield place / "data"
    place.rmdir()


def serve(folder: Path, data: Path, prelude: str = "") -> ServerProcess:
    flows = folder / "flows"
    flows.mkdir(exist_ok=True)
    (flows / "retomada.seta").write_text(RETOMADA)
    return ServerProcess(folder, "--data", str(data), prelude=prelude)


async def power_cuts(folder: Path, cuts: int) -> str:
    """Cut the power under load, so many times, and look at what is left; the figure as a sentence."""
    chance, ledger, kept = random.Random(cuts), Ledger(), 0
    before: set[str] = set()
    with disk(folder) as place:
        with serve(folder, place / "data") as server:
            async with loaded(ledger, server.flows["retomada"].url):
                for _ in range(cuts):
                    await ledger.more(200)
                    await asyncio.sleep(chance.uniform(0, 0.1))
                    before = await cut(folder, server, ledger)
                    with found(folder) as data:
                        assert query(data, "PRAGMA integrity_check") == [("ok",)]
                        assert before <= states(data).keys(), "an acknowledged delivery is not on the disk"
                    kept += len(before)
        with found(folder) as data, serve(folder, data):
            assert not lost(before, await settled(data))
    return f"0 of {kept} accepted lost in {cuts} power cuts"


@pytest.mark.timeout(120)
async def test_nothing_accepted_is_lost_in_3_power_cuts(tmp_path: Path, tell: Tell) -> None:
    tell(await power_cuts(tmp_path, 3))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_nothing_accepted_is_lost_in_100_power_cuts(tmp_path: Path, tell: Tell) -> None:
    tell(await power_cuts(tmp_path, 100))


async def test_without_syncs_a_power_cut_loses_deliveries(tmp_path: Path, tell: Tell) -> None:
    """So the tests before this one can fail."""
    ledger = Ledger()
    with disk(tmp_path) as place, serve(tmp_path, place / "data", NO_SYNC) as server:
        run("sync", "-f", place / "data" / NAME)
        async with loaded(ledger, server.flows["retomada"].url):
            await ledger.more(200)
            before = await cut(tmp_path, server, ledger)
        with found(tmp_path) as data:
            missing = before - states(data).keys()
    assert missing
    tell(f"{len(missing)} of {len(before)} accepted lost in a power cut without syncs")
