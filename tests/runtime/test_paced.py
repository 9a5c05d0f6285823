"""A server whose messages go over WhatsApp: no more of them in a second than the number may send."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from runtime.settings import Opening
from tests.fakes.service import Asked, Reply
from tests.fakes.whatsapp import NUMBER, TOKEN, WhatsApp
from tests.runtime.served import serving

OPENED = (Opening(ip_network("127.0.0.0/8"), None),)
FLOW = """\
flow aviso
on webhook {telefones: [phone]}
  -> for t in telefones max 50 parallel 50 {
    -> send hsm "retomada" to t
  }
"""


class Timed(WhatsApp):
    """Keeps when each message came."""

    header_seconds = 5.0  # no connection ends as the next message goes over it, which nobody could tell from a lost one

    def __init__(self) -> None:
        super().__init__()
        self.came: list[float] = []

    def answer(self, asked: Asked) -> Reply:
        """Take one message."""
        self.came.append(time.monotonic())
        return super().answer(asked)


@pytest.fixture
async def service() -> AsyncIterator[Timed]:
    async with Timed() as running:
        yield running


async def test_messages_beyond_the_rate_of_the_number_wait_in_the_journal_and_all_go(
    tmp_path: Path, service: Timed
) -> None:
    settings = (
        f'[connections.zap]\nkind = "whatsapp_cloud"\nnumber_id = "{NUMBER}"\ntoken = "env:ZAP"\n'
        f'url = "{service.url}/v23.0"\nper_second = 10\n'
    )
    files = {"a.seta": FLOW, "seta.toml": settings}
    phones = [f"1198765{n:04}" for n in range(16)]
    async with serving(tmp_path, files, allow_outbound=OPENED, environment={"ZAP": TOKEN}) as server:
        began = time.monotonic()
        run = (await server.post("aviso", json.dumps({"telefones": phones}))).json()["run"]
        async with asyncio.timeout(20):
            while (found := await server.ended(run))["state"] == "waiting":
                assert found["error"]["code"] == "held"
                await asyncio.sleep(0.01)

    assert found["state"] == "done"
    assert sorted(body["to"] for body in service.sent) == [f"+55{phone}" for phone in phones]
    assert service.came[-1] - began >= 0.6
    assert {row["attempt"] for row in found["steps"] if row["step"].startswith("for/send_hsm")} == {1}
