"""A disk that fills up under load: deliveries are refused, what runs may end, and all is well once there is room."""

from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Tell
from tests.faults.load import Ledger, loaded, lost, query, readiness, ready, settled, states, until
from tests.faults.machine import fill, mounted
from tests.runtime.cli.process import ServerProcess

MEGABYTE = 1 << 20
SIZE = 128 * MEGABYTE  # a tenth of it, the reserve, has room for a log of the usual length
RESERVE = SIZE // 10
FLOW = """
flow waits
on webhook {telefone: text, nome: text}
  -> wait 1s
  -> format_phone(telefone)
  -> upsert person
  -> send hsm "retomada"
"""


def large(number: int) -> dict[str, Any]:
    return {"telefone": f"119{80000000 + number}", "nome": "x" * 4000}


async def fill_up(server: ServerProcess, disk: Path, ledger: Ledger) -> float:
    """Fill the disk to its brim, then give back some of the reserve, then all; seconds until the server was well."""
    ballast = disk / "ballast"
    fill(ballast, leaving=0)
    await ledger.more(507)
    await until(lambda: "FullError" in server.errors, "no commit meets the end of the disk")
    ballast.unlink()
    fill(ballast, leaving=RESERVE - MEGABYTE)
    found = await settled(disk / "data")
    assert not lost(ledger.accepted, found)
    assert await readiness(server, disk / "data") == (False, ["disk-full"])
    await ledger.more(507)
    ballast.unlink()
    seconds = await ready(server, disk / "data")
    await ledger.more(200)
    return seconds


async def full_disks(folder: Path, rounds: int) -> str:
    """Fill a disk under load, again and again; the figure as a sentence."""
    (folder / "flows").mkdir()
    (folder / "flows" / "waits.seta").write_text(FLOW)
    ledger, seconds = Ledger(), list[float]()
    with mounted(folder / "disk", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs") as disk:
        data = disk / "data"
        with ServerProcess(folder, "--data", str(data)) as server:
            async with loaded(ledger, server.flows["waits"].url, large):
                for _ in range(rounds):
                    await ledger.more(200)
                    seconds.append(await fill_up(server, disk, ledger))
            found = await settled(data)
        assert not lost(ledger.accepted, found)
        assert set(ledger.answers) == {200, 507}
        assert len(states(data)) == ledger.answers[200], "something was kept that was refused"
        assert query(data, "PRAGMA integrity_check") == [("ok",)]
    return (
        f"0 of {len(ledger.accepted)} accepted lost on a disk that was full {rounds} times;"
        f" {ledger.answers[507]} refused with 507; well again after {max(seconds):.1f} s at most"
    )


@pytest.mark.timeout(120)
async def test_full_disk_refuses_and_heals(tmp_path: Path, tell: Tell) -> None:
    tell(await full_disks(tmp_path, 1))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_full_disk_refuses_and_heals_10_times(tmp_path: Path, tell: Tell) -> None:
    tell(await full_disks(tmp_path, 10))
