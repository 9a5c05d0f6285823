"""Finding the data: in the server that owns the folder, or, where none runs, in the folder itself."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from runtime.admin.operations import LocalOperations, Operations, Outside
from runtime.admin.remote import RemoteOperations
from runtime.connections import local
from runtime.engine.hands import Hands
from runtime.engine.ids import uuid7
from runtime.engine.rejudging import Again
from runtime.engine.starting import Start
from runtime.engine.steady import Steady, this_boot
from runtime.journal import FolderInUse, SqliteJournal, open_journal
from runtime.privacy.erasure import Privacy
from runtime.program import Program
from runtime.settings import Settings

SeenBy = Callable[[bytes], Outside]  # from the key of the folder's addresses
Load = Callable[[], Mapping[str, Program]]

_TRY_SECONDS: Final = 0.3  # for the folder, before the server is asked again


@asynccontextmanager
async def connect(
    settings: Settings, seen_by: SeenBy, wait: float = 10.0, load: Load | None = None
) -> AsyncIterator[Operations]:
    """Give the operations of a data folder, and let go of it at the end.

    Where no server runs, `load` gives the programs that would be served, by flow.
    A process that owns the folder but does not answer is starting or ending: it is waited for, `wait` seconds long.
    Raises FolderInUse after that, and whatever else `open_journal` raises.
    """
    found = await _find(settings, asyncio.get_running_loop().time() + wait)
    try:
        if isinstance(found, RemoteOperations):
            yield found
        else:
            again = None if load is None else Again.of(_start(found, load()))
            hands = Hands(found, _now)
            privacy = Privacy(found, _now, hands, found.url_key)
            steady = Steady(found.kept_clock, _now, this_boot())
            yield LocalOperations(
                found, seen_by(found.url_key), hands, privacy, on_the_wall=steady.on_the_wall, again=again
            )
    finally:
        await found.close()


def _start(journal: SqliteJournal, programs: Mapping[str, Program]) -> Start:
    """Keep runs for the next server."""
    return Start(journal, _now, lambda now: uuid7(now, os.urandom(10)), lambda _: None, programs, served=False)


async def _find(settings: Settings, deadline: float) -> RemoteOperations | SqliteJournal:
    while True:
        if (server := await find_server(settings)) is not None:
            return server
        try:
            return await open_journal(settings.data, clock=_now, tables=(local.TABLES,), wait=_TRY_SECONDS)
        except FolderInUse:
            if asyncio.get_running_loop().time() > deadline:
                raise


async def find_server(settings: Settings) -> RemoteOperations | None:
    """The server that owns the data folder, or None where none answers. Who asks closes it."""
    if not settings.socket.exists():
        return None
    server = RemoteOperations(settings.socket)
    if await server.answers():
        return server
    await server.close()
    return None


def _now() -> int:
    return time.time_ns() // 1_000_000
