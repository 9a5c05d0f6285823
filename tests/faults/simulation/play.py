"""One simulation: lives of a server over one folder, senders that try again, systems and a disk that fail by chance.

All chance comes from one seed, all time is virtual: the same seed plays the same piece again.
"""

import asyncio
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from unittest.mock import patch

import msgspec

from runtime.connections import hosts
from runtime.context import RemoteVerb
from runtime.engine.engine import Engine, Limits
from runtime.engine.life import Surroundings
from runtime.journal import SqliteJournal, open_journal
from runtime.journal.protocol import JournalError
from runtime.plans import Programs
from runtime.program import Program
from runtime.shapes import read_json
from tests.faults.simulation.disk import Disk, parts
from tests.faults.simulation.virtual import run
from tests.faults.simulation.world import Asked, Attempt, World

BEGAN = 1_795_000_000_000  # ms since the Unix epoch, at the beginning of each simulation
QUIET_SECONDS = 7200.0  # in which a server that nothing disturbs has to end all runs
SENDERS = 24
LIMITS = Limits(running=8)
ROOM = 2  # requests to a host at a time


@dataclass(frozen=True, slots=True)
class Ran:
    """A run at the end. `code` says why it ended otherwise than well; times are in seconds.

    One that is parked has not ended: before the beginning of it all.
    """

    id: str
    flow: str
    state: str
    code: str
    body: bytes
    received: float
    ended: float


@dataclass(frozen=True, slots=True)
class Crash:
    """A process that died of an attempt; its life, and the run whose it was."""

    at: float
    life: int
    run: str


@dataclass
class Piece:
    """What came of a simulation. Times are seconds."""

    trace: list[str] = field(default_factory=list)
    accepted: dict[int, str] = field(default_factory=dict)  # delivery -> the run that was acknowledged
    attempts: list[Attempt] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    crashes: list[Crash] = field(default_factory=list)  # of owners
    deposed: dict[int, float] = field(default_factory=dict)  # life that went on -> when its folder was taken
    refused: list[float] = field(default_factory=list)  # when the disk refused a commit of the owner
    deaths: list[float] = field(default_factory=list)  # of owners, crashes too
    runs: list[Ran] = field(default_factory=list)  # in the order of acceptance
    seconds: float = 0.0

    def of_owners(self) -> Iterator[Attempt]:
        """What servers called while the folder was theirs."""
        return (one for one in self.attempts if one.at < self.deposed.get(one.life, inf))


class Server:
    """One life."""

    def __init__(self, number: int, journal: SqliteJournal, engine: Engine) -> None:
        self.number = number
        self.journal = journal
        self.engine = engine


class Stage:
    """Where a simulation takes place."""

    def __init__(self, seed: int, folder: Path, programs: Mapping[str, Program], verbs: list[str]) -> None:
        self.piece = Piece()
        self._seed = seed
        self._folder = folder
        self._programs = programs
        self._verbs = verbs
        self._chance = self._dice("stage")
        self.disk = Disk(self._dice("disk"), self._note, self.piece.refused)
        self._world = World(self._dice("world"), self._note, self._crash)
        self._entropy = self._dice("ids")
        self._server: Server | None = None
        self._zombie: int | None = None  # the life whose folder may be taken
        self._crashed = asyncio.Event()
        self._lives = 0
        self._graves: list[asyncio.Task[None]] = []

    def _dice(self, what: str) -> random.Random:
        return random.Random(f"{self._seed} {what}")

    def _note(self, what: str) -> None:
        self.piece.trace.append(f"{asyncio.get_running_loop().time():.6f} {what}")

    def _clock(self) -> int:
        return BEGAN + int(asyncio.get_running_loop().time() * 1000)

    async def play(self) -> Piece:
        """Play all lives, then look at what they left."""
        senders = [asyncio.create_task(self._send(number)) for number in range(SENDERS)]
        for _ in range(self._chance.randint(1, 4)):
            await self._begin()
            await self._last(self._chance.choice([0.1, 2, 10, 60, 300]) * self._chance.random())
            await self._end()
            await asyncio.sleep(self._chance.choice([0.0, 1.0, 120.0]))
        self.disk.calm = self._world.calm = True
        await self._begin()
        sent = asyncio.gather(*senders, *self._graves)
        while not sent.done():
            await self._last(1)
        await self._settle()
        await self._look()
        await self._end(for_good=True)
        self.piece.attempts, self.piece.asked = self._world.attempts, self._world.asked
        self.piece.seconds = asyncio.get_running_loop().time()
        return self.piece

    # --- lives

    def _crash(self, attempt: Attempt) -> None:
        self._note(f"life {attempt.life} dies of {attempt.run}")
        self._world.dead.add(attempt.life)
        if self._server is not None and self._server.number == attempt.life:
            now = asyncio.get_running_loop().time()
            self.piece.crashes.append(Crash(now, attempt.life, attempt.run))
            self._crashed.set()

    async def _last(self, seconds: float) -> None:
        """Let time pass; a server that crashes meanwhile is started again, as whoever looks after it does."""
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0:
            try:
                await asyncio.wait_for(self._crashed.wait(), left)
            except TimeoutError:
                return
            server, self._server = self._server, None
            assert server is not None
            await self._kill(server)
            await asyncio.sleep(self._chance.choice([0.0, 1.0]))
            await self._begin()

    async def _begin(self) -> None:
        self._crashed.clear()
        self._lives += 1
        self._note(f"life {self._lives} begins")
        journal = await open_journal(self._folder, clock=self._clock, wait=0, durable=False)
        self.disk.owner = journal.incarnation
        if self._zombie is not None:
            self.piece.deposed[self._zombie] = asyncio.get_running_loop().time()
            self._zombie = None
        verb = RemoteVerb(partial(self._world.perform, self._lives), read_json)
        around = Surroundings(journal, dict.fromkeys(self._verbs, verb), {}, self._clock, self._chance.random)
        engine = Engine(around, Programs(dict(self._programs)).find, self._entropy.randbytes, LIMITS)
        self._server = None
        while self._server is None:
            try:
                await engine.keep(self._programs)
                self._server = Server(self._lives, journal, engine)
            except JournalError:
                await asyncio.sleep(0.5)
        engine.start()

    async def _end(self, *, for_good: bool = False) -> None:
        """Kill the server; or let it go on for a while, although its folder is taken from it."""
        server, self._server = self._server, None
        assert server is not None
        if for_good or self._chance.random() < 0.7:
            await self._kill(server)
            return
        self._note(f"life {server.number} becomes a zombie")
        self._zombie = server.number
        server.journal._held.release()  # noqa: SLF001  # nothing else takes a folder from a living process
        self._graves.append(asyncio.create_task(self._bury(server, self._chance.uniform(0.1, 60))))

    async def _bury(self, server: Server, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._kill(server)

    async def _kill(self, server: Server) -> None:
        self._note(f"life {server.number} ends")
        if server.number == self._zombie:
            self._zombie = None
        if server.number not in self.piece.deposed:
            self.piece.deaths.append(asyncio.get_running_loop().time())
        self._world.dead.add(server.number)
        closing = asyncio.create_task(server.journal.close())
        await server.engine.stop(0)
        await closing

    async def _settle(self) -> None:
        """Wait until no run is open."""
        end = asyncio.get_running_loop().time() + QUIET_SECONDS
        while await self._open() and asyncio.get_running_loop().time() < end:
            await self._last(1)

    async def _open(self) -> int:
        assert self._server is not None
        text = "SELECT count(*) FROM runs WHERE state IN ('accepted', 'running', 'waiting')"
        return int(await self._server.journal.read(lambda connection: connection.execute(text).get))

    async def _look(self) -> None:
        assert self._server is not None
        text = """
            SELECT id, flow, state, error, body, received_at, coalesce(ended_at, 0)
            FROM runs JOIN deliveries ON run = seq ORDER BY seq
        """
        rows = await self._server.journal.read(lambda connection: list(connection.execute(text)))
        self.piece.runs = [
            Ran(run, flow, state, _code(error), body, (received - BEGAN) / 1000, (ended - BEGAN) / 1000)
            for run, flow, state, error, body, received, ended in rows
        ]
        self.piece.trace += [f"{run.id} {run.flow} {run.state} {run.code}" for run in self.piece.runs]

    # --- senders

    async def _send(self, number: int) -> None:
        """Deliver at some time, again and again until it is acknowledged."""
        flow = self._chance.choice(sorted(self._programs))
        body = b'{"n": %d, "k": "%d"}' % (number // 2, number % 3)
        await asyncio.sleep(self._chance.uniform(0, 60))
        while number not in self.piece.accepted:
            if (server := self._server) is not None:
                await self._deliver(server, number, flow, body)
            await asyncio.sleep(self._chance.uniform(0.1, 5))

    async def _deliver(self, server: Server, number: int, flow: str, body: bytes) -> None:
        program = self._programs[flow]
        try:
            accepted = await server.engine.accept(program, program.payload.decode(body).payload, body)
        except JournalError:
            return
        if server.number not in self._world.dead:
            self.piece.accepted[number] = accepted.run_id
            self._note(f"delivery {number} is run {accepted.run_id}")


def _code(error: bytes) -> str:
    return str(msgspec.json.decode(error)["code"]) if error else ""


@contextmanager
def _held(disk: Disk) -> Iterator[None]:
    """The journal's room with its thread and its disk held; and little room at each host."""
    writer, reader = parts(disk)
    with patch.object(*writer), patch.object(*reader), patch.object(hosts, "IN_FLIGHT", ROOM):
        yield


def simulate(seed: int, folder: Path, programs: Mapping[str, Program], verbs: list[str]) -> Piece:
    """Play the piece of a seed."""

    async def play() -> Piece:
        stage = Stage(seed, folder, programs, verbs)
        with _held(stage.disk):
            return await stage.play()

    return run(play())
