"""Reloads of a real server under load: no request fails, and none waits for the compiler."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from runtime.admin.remote import RemoteOperations
from tests.faults.conftest import Tell
from tests.faults.load import p99
from tests.runtime.cli.process import ServerProcess

SENDERS = 4
OTHERS = 40  # flows beside the one that is called, which the compiler has to do too
FLOW = 'flow called\non webhook {n: int}\n  -> log "%s {n}"\n'
OTHER = "flow f{0}\non webhook {{telefone: text}}\n  -> format_phone(telefone)\n  -> upsert person\n"


@dataclass
class Load:
    """What senders met: the seconds that each answer took, and whatever was no acceptance."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    over: bool = False

    async def send(self, url: str) -> None:
        """Post until it is over."""
        async with httpx.AsyncClient(timeout=10) as client:
            while not self.over:
                start = time.perf_counter()
                try:
                    answer = await client.post(url, json={"n": 1})
                except httpx.TransportError as error:
                    self.failures.append(type(error).__name__)
                    continue
                self.seconds.append(time.perf_counter() - start)
                if answer.status_code != 200:
                    self.failures.append(answer.text)

    def taken(self) -> list[float]:
        """The seconds so far; counting begins anew."""
        found, self.seconds = self.seconds, []
        return found


async def reload_under_load(folder: Path, rounds: int) -> str:
    """Reload so many times while senders post; the figure as a sentence."""
    flows = folder / "flows"
    flows.mkdir()
    (flows / "called.seta").write_text(FLOW % 0)
    for number in range(OTHERS):
        (flows / f"f{number}.seta").write_text(OTHER.format(number))
    load = Load()
    with ServerProcess(folder) as server:
        admin = RemoteOperations(folder / ".seta" / "admin.sock")
        url = server.flows["called"].url
        senders = [asyncio.create_task(load.send(url)) for _ in range(SENDERS)]
        await asyncio.sleep(1)
        quiet = load.taken()
        for number in range(1, rounds + 1):
            (flows / "called.seta").write_text(FLOW % number)
            assert (await admin.reload()).generation == number + 1
        during = load.taken()
        load.over = True
        await asyncio.gather(*senders)
        await admin.close()
    assert load.failures == []
    assert len(during) > 50 * rounds, "there was no load worth the name"
    assert max(during) < 2, "a request waited for a reload"
    return (
        f"{rounds} reloads of {OTHERS + 1} flows under load: 0 of {len(during)} requests failed; "
        f"p99 {p99(during):.0f} ms, without a reload {p99(quiet):.0f} ms; the slowest {max(during) * 1000:.0f} ms"
    )


@pytest.mark.timeout(120)
async def test_no_request_fails_or_stalls_during_3_reloads(tmp_path: Path, tell: Tell) -> None:
    tell(await reload_under_load(tmp_path, 3))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_no_request_fails_or_stalls_during_30_reloads(tmp_path: Path, tell: Tell) -> None:
    tell(await reload_under_load(tmp_path, 30))
