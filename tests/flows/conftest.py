"""The example flows on a real engine, journal and local connections, with a receiver for the other systems."""

import asyncio
import json
import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from runtime.code import CodePool
from runtime.connections import local
from runtime.connections.guard import Guard
from runtime.connections.http import HttpClient, aiohttp_transport
from runtime.engine.engine import Engine
from runtime.engine.life import Surroundings
from runtime.journal import SqliteJournal, open_journal
from runtime.journal.rows import RunDetail, RunState
from runtime.loader import Loaded, load
from runtime.plans import Programs
from runtime.settings import parse_opening
from runtime.steps import catalog, verbs
from tests.receiver import Received, Receiver
from tests.runtime.cli.process import ROOT

ENDS = (RunState.DONE, RunState.DEAD, RunState.STOPPED, RunState.PARKED)


class Shift:
    """The wall clock, which a test may move on."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        """Milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000 + self.ahead


class House:
    """The example flows at work."""

    def __init__(
        self, loaded: Loaded, journal: SqliteJournal, engine: Engine, receiver: Receiver, clock: Shift
    ) -> None:
        self.loaded = loaded
        self.journal = journal
        self.engine = engine
        self.receiver = receiver
        self.clock = clock

    async def post(self, flow: str, **payload: Any) -> str:
        """Deliver to a flow; the run's id."""
        program = self.loaded.programs[flow]
        body = json.dumps(payload).encode()
        accepted = await self.engine.accept(program, program.payload.decode(body).payload, body)
        return accepted.run_id

    async def reached(self, run_id: str, *states: RunState) -> RunDetail:
        """The run once it is in one of some states, or at its end."""
        async with asyncio.timeout(15):
            while True:
                detail = await self.journal.run(run_id)
                if detail is not None and detail.run.state in (states or ENDS):
                    return detail
                await asyncio.sleep(0.005)

    async def run(self, flow: str, **payload: Any) -> RunDetail:
        """Deliver to a flow and wait for the end of its run."""
        return await self.reached(await self.post(flow, **payload))

    async def wake(self) -> None:
        """Let the engine look at the clock, which was moved."""
        self.engine._shared.alarm.set()  # noqa: SLF001  # what the passing of time would do

    async def persons(self) -> list[local.PersonRow]:
        """The persons, newest first."""
        return await self.journal.read(lambda connection: local.list_persons(connection, 100))

    async def messages(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Recipient, template and parameters of the messages, oldest first."""
        found = await self.journal.read(lambda connection: local.list_outbox(connection, 100))
        return [(row.to, row.template, dict(row.params)) for row in reversed(found)]

    def requests(self) -> list[tuple[str, str, Any]]:
        """Method, path and body of what the other systems got, in order of path and body."""
        return sorted((_told(r) for r in self.receiver.requests), key=lambda told: (told[1], str(told[2])))


def _told(request: Received) -> tuple[str, str, Any]:
    return request.method, request.path, request.json() if request.body else None


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house of its own for each test."""
    clock = Shift()
    loaded = load(ROOT / "flows", catalog())
    assert not loaded.folder.broken
    journal = await open_journal(tmp_path, clock=clock, tables=(local.TABLES,))
    pool = CodePool(size=1, environment=os.environ)
    async with Receiver() as receiver:
        http = HttpClient(aiohttp_transport(Guard([parse_opening(f"127.0.0.1:{receiver.port}")])))
        config = {"erp": receiver.url, "crm": receiver.url}
        around = Surroundings(journal, verbs(http, pool), config, clock, random.Random(1).random)
        engine = Engine(around, Programs(loaded.programs).find, os.urandom)
        await engine.keep(loaded.programs)
        engine.start()
        yield House(loaded, journal, engine, receiver, clock)
        await engine.stop(1)
        await http.close()
        await pool.close()
        await journal.close()
