"""One run of a flow for real, in the foreground: requests are sent, and the data folder keeps what comes of it."""

import os
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from runtime.code import CodePool
from runtime.connections import local
from runtime.connections.guard import Guard
from runtime.connections.http import HttpClient, aiohttp_transport
from runtime.connections.ready import ready
from runtime.door import answers
from runtime.door.reply import reply
from runtime.engine.engine import Engine
from runtime.engine.life import Surroundings
from runtime.journal import open_journal
from runtime.loader import Loaded
from runtime.plans import Programs
from runtime.program import Program
from runtime.settings import Settings
from runtime.steps import verbs
from runtime.trial.calls import Recorder, Script
from runtime.trial.rehearsal import Rehearsal
from runtime.trial.stage import Stage

_FOLDER_SECONDS = 0.5  # to wait for another process to let go of the data folder


class Busy(Exception):  # noqa: N818  # what the data folder is
    """Runs of the data folder are under way: to start here would be to go on with them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"runs are under way in {folder}: let `seta serve` end them, or choose another --data")


async def run_live(loaded: Loaded, flow: str, body: bytes, settings: Settings, now: Callable[[], int]) -> Rehearsal:
    """Run a flow once, as a server on the data folder would; one that waits is left for a server to go on with.

    `now` gives ms since the Unix epoch. Raises Busy, Restless, MisfitError, NotJsonError, and what `open_journal` does.
    """
    async with AsyncExitStack() as stack:
        journal = await open_journal(settings.data, clock=now, tables=(local.TABLES,), wait=_FOLDER_SECONDS)
        stack.push_async_callback(journal.close)
        http = HttpClient(aiohttp_transport(Guard(settings.allow_outbound)))
        stack.push_async_callback(http.close)
        pool = CodePool(size=1, environment=settings.code_environment, modules=settings.flows.absolute())
        stack.push_async_callback(pool.close)
        recorder = Recorder(Script([], {}), live=True)
        connections = ready(loaded.settings.connections, settings.secrets)
        known = recorder.verbs({**verbs(http, pool, connections), **loaded.own_verbs(settings.secrets)})
        around = Surroundings(journal, known, loaded.config, now, random.random, settings.secrets)
        engine = Engine(around, Programs(loaded.programs, loaded.own).find, os.urandom)
        stage = Stage(journal, engine, now)
        if await stage.moves():
            raise Busy(settings.data)
        await engine.keep(loaded.programs)
        engine.start()
        stack.push_async_callback(engine.stop, 0)
        return await _follow(loaded.programs[flow], body, stage, recorder)


async def _follow(program: Program, body: bytes, stage: Stage, recorder: Recorder) -> Rehearsal:
    accepted = await stage.deliver(program, body)
    waits = accepted.answer is not None and not accepted.answer.done()
    answer = answers.later(accepted.run_id) if waits else await reply(program, accepted)
    return Rehearsal(await stage.run(accepted.run_id), answer, tuple(recorder.sent.values()), ())
