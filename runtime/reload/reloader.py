"""One generation after the other: all of a new one is put in force, or the old one goes on and it is said why."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from runtime.connections.ready import Ready, ready
from runtime.context import RemoteVerb, Verb
from runtime.door.clients import Clients
from runtime.door.gate import Gates
from runtime.door.hooks import Hooks, make_table
from runtime.door.readiness import Readiness, Serving
from runtime.engine.engine import Engine, UnknownPlan
from runtime.engine.life import Surroundings
from runtime.extend.modules import OwnPythonError
from runtime.folder import FolderError
from runtime.frozen import loaded_python
from runtime.journal import SqliteJournal
from runtime.journal.protocol import JournalError
from runtime.journal.writes import KeepGeneration
from runtime.loader import Loaded
from runtime.needs import secrets
from runtime.plans import Programs
from runtime.reload.compiling import Refused, compile_apart
from runtime.reload.generations import Generation, following, last_generation, restore, to_document
from runtime.steps import catalog

logger = logging.getLogger("seta.reload")

MakeVerbs = Callable[[Mapping[str, Ready]], Mapping[str, Verb]]


@dataclass(frozen=True, slots=True)
class Rooms:
    """What a generation is put into."""

    journal: SqliteJournal
    engine: Engine
    programs: Programs
    hooks: Hooks
    readiness: Readiness
    base: str  # of the addresses that senders call
    clients: Clients
    around: Surroundings  # of which verbs, configuration and secrets are the generation's
    make_verbs: MakeVerbs  # those of Seta, over the connections of a generation


@dataclass(slots=True)
class Loads:
    """How often a folder was read to be served, and how often it could not be."""

    all: int = 0
    refused: int = 0


class Reloader:
    """Puts folders in force. `environment` is where secrets are; `renew` starts the processes of `code` afresh."""

    def __init__(self, rooms: Rooms, folder: Path, environment: Mapping[str, str], renew: Callable[[], None]) -> None:
        self._rooms = rooms
        self._folder = folder
        self._environment = environment
        self._renew = renew
        self.loads = Loads()
        self._generation: Generation | None = None
        self._own_verbs: dict[str, RemoteVerb] = {}  # also those that are gone: runs under way end on their plan
        self._asked = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    @property
    def data_chooses_hosts(self) -> bool:
        """Whether what is asked may be said by deliveries."""
        return self._generation is not None and self._generation.settings.http.open_hosts

    @property
    def places(self) -> Mapping[str, str]:
        """Where the secrets are of what is served, as its seta.toml says."""
        return {} if self._generation is None else self._generation.settings.secrets

    # --- at the start

    async def begin(self, loaded: Loaded | Refused) -> None:
        """Put the folder of a start in force, or the last generation where the folder cannot be served.

        Raises FolderError, with why the folder cannot be served, where there is no generation that can.
        """
        self._generation = await self._last()
        self.loads.all += 1
        if isinstance(loaded, Loaded):
            try:
                await self._put_in_force(loaded)
            except FolderError as error:
                loaded = Refused(str(error))
            else:
                return
        await self._fall_back(loaded)

    async def _last(self) -> Generation | None:
        try:
            return await last_generation(self._rooms.journal)
        except msgspec.ValidationError as error:
            logger.warning("the last generation was committed by another version of Seta: %s", error)
            return None

    async def _fall_back(self, refused: Refused) -> None:
        last = self._generation
        if last is None:
            raise FolderError(refused.why)
        try:
            own = await asyncio.to_thread(loaded_python, self._folder, catalog())
            await self._put_in_force(await restore(self._rooms.journal, last, own))
        except (UnknownPlan, FolderError, OwnPythonError) as error:
            raise FolderError(f"{refused.why}; and generation {last.number} cannot be served: {error}") from error
        self._keep_on(refused)

    # --- later

    async def run(self) -> None:
        """Reload whenever it is asked for, for the life of the server."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self.reload()

    def ask(self) -> None:
        """Let the folder be read again soon."""
        self._asked.set()

    async def reload(self) -> Generation | Refused:
        """Read the folder again: the generation that is served then, or why the old one goes on."""
        async with self._one_at_a_time:
            self.loads.all += 1
            try:
                loaded = await compile_apart(self._folder)
                if isinstance(loaded, Loaded):
                    generation = await self._put_in_force(loaded)
                    logger.info("generation %d is served (flows: %d)", generation.number, len(generation.plans))
                    return generation
            except FolderError as error:
                loaded = Refused(str(error))
            except JournalError as error:
                loaded = Refused(f"it could not be committed: {error}")
            self._keep_on(loaded)
            return loaded

    async def _put_in_force(self, loaded: Loaded) -> Generation:
        """Commit a generation, then put all of it in force before anything else happens. Raises FolderError."""
        rooms = self._rooms
        found = secrets(loaded, self._folder, self._environment)
        try:
            gates = Gates(found, rooms.base, rooms.around.clock, rooms.clients)
            table = make_table(rooms.journal.url_key, loaded.programs.values(), gates, loaded.settings.rates)
        except ValueError as error:
            raise FolderError(str(error)) from error
        generation = following(self._generation, loaded, table, rooms.around.clock())
        await rooms.engine.keep(loaded.programs, KeepGeneration(to_document(generation)))
        rooms.programs.add(loaded.programs, loaded.own)
        self._own_verbs |= loaded.own_verbs(found)
        verbs = {**rooms.make_verbs(ready(loaded.settings.connections, found)), **self._own_verbs}
        rooms.engine.adopt(replace(rooms.around, verbs=verbs, config=loaded.config, secrets=found))
        rooms.hooks.put_in_force(table, generation.retired)
        rooms.readiness.serving = Serving(generation.number, generation.at)
        self._renew()
        self._generation = generation
        return generation

    def _keep_on(self, refused: Refused) -> None:
        self.loads.refused += 1
        rooms = self._rooms
        serving = rooms.readiness.serving
        number = 0 if serving is None else serving.number
        detail = f"\n{refused.detail}" if refused.detail else ""
        logger.error("the folder cannot be served, generation %d goes on: %s%s", number, refused.why, detail)
        if serving is not None:
            rooms.readiness.serving = replace(serving, refused=refused.why, detail=refused.detail)
