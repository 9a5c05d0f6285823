"""One flow of loops and branches, played in virtual time over lives that end at any instant."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apsw

from runtime.context import Call, RemoteVerb
from runtime.engine.engine import Engine, Limits
from runtime.engine.life import Surroundings
from runtime.failures import Kind, StepFailure
from runtime.journal import SqliteJournal, open_journal
from runtime.plans import Programs
from runtime.shapes import read_json
from tests.faults.simulation.disk import Disk, parts
from tests.faults.simulation.trees import Node, Walk, draw, fate
from tests.faults.simulation.virtual import run
from tests.runtime.engine.by_hand import program

BEGAN = 1_795_000_000_000  # ms since the Unix epoch
SECONDS = 7200.0  # in which every run has to end
ENDS = ("done", "dead", "parked", "stopped")


@dataclass(slots=True)
class Made:
    """A call: what the journal had of its step when it came, and what it was told."""

    name: str
    key: str
    life: int
    recorded: str
    told: str = "cut"


@dataclass(frozen=True, slots=True)
class Item:
    """What an item of a loop did."""

    what: str
    life: int
    loop: str
    index: int


@dataclass
class Grown:
    """What came of it."""

    seed: int
    flow: tuple[Node, ...]
    calls: list[Made] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    rows: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # step -> kind, value
    state: str = ""
    error: bytes = b""
    refused: list[float] = field(default_factory=list)  # when the disk refused a commit
    trace: list[str] = field(default_factory=list)


class Garden:
    """Where it is played."""

    def __init__(self, seed: int, folder: Path) -> None:
        self._chance = random.Random(f"{seed} flow")
        self.grown = Grown(seed, draw(self._chance))
        self.disk = Disk(random.Random(f"{seed} disk"), self._note, self.grown.refused)
        self.disk.calm = True
        walk = Walk(seed, self._tell)

        async def flow(_: Any, ctx: Any) -> bool:
            await walk.nodes(self.grown.flow, "", ctx)
            return False

        self._program = program(flow)
        self._folder = folder
        self._answered: Counter[str] = Counter()  # calls of a step that were not cut
        self._life = 0
        self._dead = False

    def _note(self, what: str) -> None:
        self.grown.trace.append(f"{asyncio.get_running_loop().time():.6f} {what}")

    def _tell(self, what: str, loop: str, index: int) -> None:
        self._note(f"{loop}[{index}] {what}")
        self.grown.items.append(Item(what, self._life, loop, index))

    def _clock(self) -> int:
        return BEGAN + int(asyncio.get_running_loop().time() * 1000)

    async def play(self) -> Grown:
        """Deliver once; die at some instants; then let the run come to its end."""
        deaths = self._chance.choice([0, 1, 2, 3])
        for number in range(deaths + 1):
            async with self._alive() as (journal, engine):
                if not number:
                    await engine.accept(self._program, self._program.payload.decode(b"{}").payload, b"{}")
                    self.disk.calm = self._chance.random() < 0.5
                if number < deaths:
                    await asyncio.sleep(self._chance.choice([0.1, 1, 10, 30]) * self._chance.random())
                else:
                    await self._end(journal)
            await asyncio.sleep(self._chance.choice([0.0, 1.0]))
        return self.grown

    @asynccontextmanager
    async def _alive(self) -> AsyncIterator[tuple[SqliteJournal, Engine]]:
        """One life, which ends as that of a process that dies."""
        self._life, self._dead = self._life + 1, False
        calm, self.disk.calm = self.disk.calm, True
        journal = await open_journal(self._folder, clock=self._clock, wait=0, durable=False)
        self.disk.owner = journal.incarnation
        verb = RemoteVerb(self._perform, read_json)
        around = Surroundings(journal, {"do": verb}, {}, self._clock, self._chance.random)
        engine = Engine(around, Programs({"f": self._program}).find, self._chance.randbytes, Limits())
        await engine.keep({"f": self._program})
        engine.start()
        self.disk.calm = calm
        yield journal, engine
        self._note(f"life {self._life} ends")
        self._dead = True
        closing = asyncio.create_task(journal.close())
        await engine.stop(0)
        await closing

    async def _end(self, journal: SqliteJournal) -> None:
        self.disk.calm = True
        async with asyncio.timeout(SECONDS):
            while (run := (await journal.runs(limit=1))[0]).state not in ENDS:
                await asyncio.sleep(1)
        detail = await journal.run(run.id)
        assert detail is not None
        self.grown.state, self.grown.error = detail.run.state.value, bytes(detail.run.error or b"")
        self.grown.rows = {row.step: (row.kind.value, row.value) for row in detail.steps}
        self.grown.trace += [f"{step} {kind}" for step, (kind, _) in self.grown.rows.items()]

    # --- the other system

    async def _perform(self, call: Call) -> object:
        if self._dead:
            await asyncio.Event().wait()
        name = call.spec.id + call.args[0]
        made = Made(name, call.key, self._life, self._recorded(name))
        self.grown.calls.append(made)
        self._note(f"call of {name}")
        its = fate(self.grown.seed, name)
        number = self._answered[name]
        await asyncio.sleep(its.seconds[number])
        self._answered[name] += 1
        made.told = its.told(number)
        self._note(f"{name} is told {made.told}")
        match made.told:
            case "refused":
                raise StepFailure("connect", name, Kind.NOT_DONE)
            case "lost":
                raise StepFailure("no_answer", name, Kind.TRANSIENT)
            case "wrong":
                raise StepFailure("http_404", name)
            case _:
                return name

    def _recorded(self, name: str) -> str:
        connection = apsw.Connection(str(self._folder / "seta.db"), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return str(connection.execute("SELECT kind FROM steps WHERE step = ?", (name,)).get or "")
        finally:
            connection.close()


@contextmanager
def _held(disk: Disk) -> Iterator[None]:
    writer, reader = parts(disk)
    with patch.object(*writer), patch.object(*reader):
        yield


def grow(seed: int, folder: Path) -> Grown:
    """Play the piece of a seed."""

    async def play() -> Grown:
        garden = Garden(seed, folder)
        with _held(garden.disk):
            return await garden.play()

    return run(play())
