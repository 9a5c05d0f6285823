"""One engine over a journal that is thrown away, and a clock that stands still."""

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import apsw

from runtime.connections import local
from runtime.context import Verb
from runtime.engine.answers import Accepted
from runtime.engine.engine import Engine, Limits
from runtime.engine.life import Surroundings
from runtime.journal import SqliteJournal, open_journal
from runtime.journal.rows import RunDetail
from runtime.plans import Programs
from runtime.program import NO_REQUEST, Program, Request

START: Final = 1_767_614_400_000  # ms: Monday 2026-01-05, 12:00 UTC, when nothing special happens anywhere
REST_SECONDS: Final = 60.0  # of real time, in which whatever runs has to end or to wait

_POLL_SECONDS: Final = 0.001
# A run that is kept back by an earlier one with its serial key is at rest as long as that one is.
_MOVES: Final = """
    SELECT EXISTS (
        SELECT 1 FROM runs WHERE state = 'waiting' AND wake_at <= ?1
        UNION ALL
        SELECT 1 FROM runs AS r WHERE state IN ('accepted', 'running') AND NOT (serial IS NOT NULL AND EXISTS (
            SELECT 1 FROM runs AS e
            WHERE e.flow = r.flow AND e.serial = r.serial AND e.seq < r.seq
              AND e.state IN ('accepted', 'running', 'waiting')
        ))
    )
"""


class Restless(Exception):  # noqa: N818  # what a run is
    """Something still runs after all the real time that there is for it."""

    def __init__(self) -> None:
        super().__init__(f"something still runs after {REST_SECONDS:g} s")


class Clock:
    """A clock that stands still until it is set. Gives ms since the Unix epoch."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        """The time."""
        return self.now


class Stage:
    """Where deliveries run: everything is at rest before each call and after it."""

    def __init__(self, journal: SqliteJournal, engine: Engine, clock: Callable[[], int]) -> None:
        self.clock = clock
        self._journal = journal
        self._engine = engine

    async def deliver(self, program: Program, body: bytes, request: Request = NO_REQUEST) -> Accepted:
        """Accept a delivery and let it run. Raises MisfitError, NotJsonError, Restless."""
        accepted = await self._engine.accept(program, program.decode(body, request).payload, body, request=request)
        await self._rest()
        return accepted

    async def run(self, run_id: str) -> RunDetail:
        """All that is recorded of a run."""
        found = await self._journal.run(run_id)
        if found is None:
            raise LookupError(run_id)
        return found

    async def events(self) -> list[tuple[str, str, bytes]]:
        """Name, key and value of all events, in their order."""
        return await self._journal.read(_events)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(REST_SECONDS):
                while await self.moves():  # noqa: ASYNC110  # the journal alone knows
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise Restless from error

    async def moves(self) -> bool:
        """Whether something runs, or is due."""
        return bool(await self._journal.read(lambda connection: connection.execute(_MOVES, (self.clock(),)).get))


class HeldStage(Stage):
    """A stage on which time stands still until it is moved."""

    def __init__(self, journal: SqliteJournal, engine: Engine, clock: Clock) -> None:
        super().__init__(journal, engine, clock)
        self._held = clock

    async def advance(self, milliseconds: int) -> None:
        """Let time go on, and all that is due on the way, one instant after the other. Raises Restless."""
        end = self._held.now + milliseconds
        while (due := await self._journal.next_wake()) is not None and due <= end:
            self._held.now = max(due, self._held.now)
            self._engine.look()
            await self._rest()
        self._held.now = end


def _events(connection: apsw.Connection) -> list[tuple[str, str, bytes]]:
    return list(connection.execute("SELECT name, key, value FROM events ORDER BY n"))


@asynccontextmanager
async def stage(
    programs: Mapping[str, Program],
    verbs: Mapping[str, Verb],
    config: Mapping[str, str],
    secrets: Mapping[str, str],
    now: int = START,
) -> AsyncIterator[HeldStage]:
    """Make a stage on which it is `now`; its journal is gone afterwards. What is random is the same each time."""
    chance, clock = random.Random(0), Clock(now)  # noqa: S311  # pauses and ids of runs that are thrown away
    limits = Limits(keep_events=max([Limits().keep_events, *(program.waits for program in programs.values())]))
    with tempfile.TemporaryDirectory(prefix="seta-") as folder:
        journal = await open_journal(Path(folder), clock=clock, tables=(local.TABLES,), durable=False)
        try:
            around = Surroundings(journal, verbs, config, clock, chance.random, secrets)
            engine = Engine(around, Programs(programs).find, chance.randbytes, limits)
            await engine.keep(programs)
            engine.start()
            try:
                yield HeldStage(journal, engine, clock)
            finally:
                await engine.stop(0)
        finally:
            await journal.close()
