"""A server's inside without door and network: text of a flow, a real journal, verbs that a test scripts."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from compiler.catalog import Catalog, EffectClass, Verb
from compiler.check import Environment
from compiler.pipeline import compile_folder
from dsl import Source
from runtime.context import Call, RemoteVerb
from runtime.engine.engine import Engine, Limits
from runtime.engine.life import Surroundings
from runtime.folder import FolderSettings
from runtime.functions import FUNCTIONS
from runtime.journal import open_journal
from runtime.journal.rows import RunDetail, RunState
from runtime.linking import link
from runtime.plans import Programs
from runtime.program import Program
from runtime.shapes import read_json
from tests.runtime.engine.by_hand import Servers, now

CATALOG = Catalog.of(
    [
        Verb("put", "", EffectClass.IDEMPOTENT, "", literal="static", with_="record", result="json"),
        Verb("post", "", EffectClass.KEYED, "", literal="static", with_="record", result="json"),
        Verb("send", "", EffectClass.ONCE, "", literal="static", with_="record"),
        *(signature for signature, _ in FUNCTIONS),
    ]
)

Perform = Callable[[Call], Awaitable[Any]]


def programs(text: str) -> dict[str, Program]:
    """The flows of a text, compiled and linked."""
    folder = compile_folder([Source("flows/test.seta", text)], Environment(CATALOG))
    assert not folder.broken, folder.diagnostics
    return {flow.name: link(flow, CATALOG, FolderSettings()) for flow in folder.flows}


class Server:
    """One life of a server over a folder of data."""

    def __init__(self, folder: Path, text: str, perform: Perform, limits: Limits, journal: Any) -> None:
        self.programs = programs(text)
        self.journal = journal
        verb = RemoteVerb(perform, read_json)
        around = Surroundings(
            journal,
            dict.fromkeys(CATALOG.verbs, verb),
            {},
            now,
            random.Random(7).random,
        )
        self.engine = Engine(around, Programs(self.programs).find, os.urandom, limits)
        self.folder = folder

    async def post(self, flow: str, body: bytes) -> str:
        program = self.programs[flow]
        return (await self.engine.accept(program, program.payload.decode(body).payload, body)).run_id

    async def end(self, run_id: str, *states: RunState) -> RunDetail:
        """The run, once it is in one of some states (or in any that is an end)."""
        wanted = states or (RunState.DONE, RunState.DEAD, RunState.STOPPED, RunState.PARKED)
        async with asyncio.timeout(10):
            while True:
                detail = await self.journal.run(run_id)
                if detail is not None and detail.run.state in wanted:
                    found: RunDetail = detail
                    return found
                await asyncio.sleep(0.005)


Start = Callable[..., Awaitable[Server]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts servers over one folder of data; what the test leaves running is stopped."""
    servers: list[Server] = []

    async def start(text: str, perform: Perform, limits: Limits | None = None, wrap: Any = None) -> Server:
        await stop(servers)
        journal = await open_journal(tmp_path / "data", clock=now)
        server = Server(
            tmp_path, text, perform, limits or Limits(reread_seconds=0.02), wrap(journal) if wrap else journal
        )
        servers.append(server)
        await server.engine.keep(server.programs)
        server.engine.start()
        return server

    yield start
    await stop(servers)


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    """Starts servers of programs that a test has written, one after the other over one folder."""
    servers = Servers(tmp_path / "data")
    yield servers
    await servers.stop()


async def stop(servers: list[Server], grace: float = 0) -> None:
    """End servers as a kill would: at once."""
    while servers:
        server = servers.pop()
        await server.engine.stop(grace)
        await server.journal.close()


def scripted(outcomes: Iterable[Any]) -> tuple[Perform, list[Call]]:
    """A verb that gives or raises one outcome a call, the last one for ever; and its calls."""
    left, calls = list(outcomes), list[Call]()

    async def perform(call: Call) -> Any:
        calls.append(call)
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return perform, calls
