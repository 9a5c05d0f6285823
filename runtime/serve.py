"""One server: everything put together, and its life from the lock on its folder to the last commit."""

import asyncio
import logging
import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import msgspec

from runtime.admin.app import Admin
from runtime.admin.documents import Refusal, Reloaded, Url
from runtime.admin.operations import LocalOperations
from runtime.code import CodePool
from runtime.connections import local
from runtime.connections.guard import Guard
from runtime.connections.http import HttpClient, aiohttp_transport
from runtime.connections.pace import Paces
from runtime.door.app import Door
from runtime.door.arriving import Spool
from runtime.door.clients import Clients
from runtime.door.hooks import Hooks, Table
from runtime.door.intake import Intake
from runtime.door.readiness import QueueBound, Readiness
from runtime.engine.engine import Engine, Limits
from runtime.engine.life import Surroundings
from runtime.engine.steady import Steady, this_boot
from runtime.facade import Facade, public_base
from runtime.folder import FolderError
from runtime.journal import FolderInUse, SqliteJournal, open_journal
from runtime.journal.database import NAME
from runtime.listening import Application, Listener, ServeError, free_address
from runtime.loader import Loaded
from runtime.metrics import Metrics
from runtime.plans import Programs
from runtime.privacy.erasure import Privacy
from runtime.program import Program
from runtime.reload.compiling import Refused
from runtime.reload.reloader import Reloader, Rooms
from runtime.reload.watch import watch
from runtime.schemes import signs_address
from runtime.settings import Settings
from runtime.steps import verbs
from runtime.traces import NoTraces, Traces

logger = logging.getLogger("seta.serve")

NO_TRACES: Final = NoTraces()
_ENTROPY_BYTES: Final = 1000
_LAST_ANSWERS_SECONDS: Final = 1.0


# --- composition


@dataclass(frozen=True, slots=True)
class House:
    """The rooms of one server."""

    settings: Settings
    journal: SqliteJournal
    engine: Engine
    facade: Facade
    readiness: Readiness
    intake: Intake
    door: Application
    operations: LocalOperations
    reloader: Reloader
    metrics: Metrics


def compose(settings: Settings, journal: SqliteJournal, http: HttpClient, pool: CodePool, traces: Traces) -> House:
    """Put a server together. It serves nothing yet, and nothing runs."""
    steady = Steady(journal.kept_clock, now, this_boot())
    around = Surroundings(journal, {}, {}, now, random.random, steady=steady)
    programs = Programs({})
    engine = Engine(around, traces.find(programs.find), Entropy(), Limits(running=settings.running))
    hooks = Hooks({})
    readiness = Readiness(journal, hooks, _queue_bound(settings, journal, engine))
    intake = Intake(settings.bodies, settings.body_seconds, Spool(settings.data, journal.room))
    clients = Clients(settings.trusted_proxies)
    door = Door(traces.acceptor(engine), hooks, readiness, intake, clients)
    facade = Facade(settings, lambda: served(hooks.table), lambda: reloader.places)
    privacy = Privacy(journal, now, engine.hands, journal.url_key, engine.keep_rejected)
    operations = LocalOperations(
        journal, facade, engine.hands, privacy, on_the_wall=steady.on_the_wall, again=engine.again
    )
    make_verbs = partial(verbs, http, pool, paces=Paces())
    base = public_base(settings)
    rooms = Rooms(journal, engine, programs, hooks, readiness, base, clients, around, make_verbs)
    reloader = Reloader(rooms, settings.flows, settings.environment, pool.renew)
    metrics = Metrics(journal, engine, door.counts, readiness, reloader, http.breakers, now)
    front = traces.door(door, hooks, clients)
    return House(settings, journal, engine, facade, readiness, intake, front, operations, reloader, metrics)


def _queue_bound(settings: Settings, journal: SqliteJournal, engine: Engine) -> QueueBound | None:
    async def age() -> float:
        oldest = await journal.oldest(engine.hands.in_memory())
        return 0.0 if oldest is None else (now() - oldest) / 1000

    return None if settings.max_queue_age is None else QueueBound(settings.max_queue_age, age)


class Entropy:
    """Random bytes of the system's, fetched many at a time: a call for a few costs as much."""

    def __init__(self) -> None:
        self._left = b""

    def __call__(self, number: int) -> bytes:
        """Give bytes that nobody else gets."""
        if len(self._left) < number:
            self._left = os.urandom(max(number, _ENTROPY_BYTES))
        given, self._left = self._left[:number], self._left[number:]
        return given


def now() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


def served(table: Table) -> dict[str, Program]:
    """The programs of a table by path."""
    return {hook.path: hook.program for hook in table.values()}


# --- life


@dataclass(frozen=True, slots=True)
class Started:
    """What there is to say of a server that has just started, with the addresses that it really has."""

    settings: Settings
    urls: list[Url]


Announce = Callable[[Started], None]


class Stop:
    """SIGTERM and SIGINT: the first one asks the server to end, the second one ends it."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def listen(self) -> None:
        """Take the signals from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on, number)

    def _on(self, number: signal.Signals) -> None:
        if not self.asked.is_set():
            self.asked.set()
            return
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


async def serve(
    settings: Settings,
    loaded: Loaded | Refused,
    announce: Announce,
    stop: Stop | None = None,
    traces: Traces = NO_TRACES,
) -> int:
    """Run a server until it is told to stop; 0, or 1 where it had to stop by itself.

    A folder that was refused is served as it was before. `announce` is called when the server listens. Raises
    ServeError where it cannot, and what `open_journal` raises.
    """
    if isinstance(loaded, Refused) and not (settings.data / NAME).is_file():
        raise ServeError(loaded.why)
    asyncio.get_running_loop().set_exception_handler(_unhandled)
    async with AsyncExitStack() as stack:
        journal = await _take(settings)
        stack.push_async_callback(journal.close)
        stack.push_async_callback(asyncio.to_thread, traces.close)
        http = traces.client(aiohttp_transport(Guard(settings.allow_outbound)))
        stack.push_async_callback(http.close)
        pool = CodePool(
            size=settings.code_processes, environment=settings.code_environment, modules=settings.flows.absolute()
        )
        stack.push_async_callback(pool.close)
        house = compose(await _with_addresses(settings), journal, http, pool, traces)
        try:
            await house.reloader.begin(loaded)
        except FolderError as error:
            raise ServeError(str(error)) from error
        return await run(house, announce, stop or Stop())


def _unhandled(_: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Log what nobody waited for, without the arguments of a callback: they may be what a sender sent."""
    said, callback, _rest = context["message"].partition("callback")
    logger.error("%s", said + callback, exc_info=context.get("exception"))


async def _take(settings: Settings) -> SqliteJournal:
    """Open the journal, and say so if that takes long because another process has it."""
    try:
        return await open_journal(
            settings.data, clock=now, tables=(local.TABLES,), wait=min(0.5, settings.folder_seconds)
        )
    except FolderInUse as error:
        logger.info("%s: waiting for it to end", error)
    return await open_journal(settings.data, clock=now, tables=(local.TABLES,), wait=settings.folder_seconds)


async def _with_addresses(settings: Settings) -> Settings:
    listen = await free_address(settings.listen, "--port")
    admin = None if settings.admin is None else await free_address(settings.admin, "--admin")
    return msgspec.structs.replace(settings, listen=listen, admin=admin)


async def run(house: House, announce: Announce, stop: Stop) -> int:
    """Open the doors of a server, and close them when it is told to stop."""
    public, inside = _listeners(house)
    reloads: list[asyncio.Task[None]] = []
    try:
        for listener in (*inside, public):
            await listener.start()
        house.engine.start()
        stop.listen()
        reloads = _reloads(house)
        _warn(house)
        announce(Started(house.settings, house.facade.urls()))
        return await _wait(stop, (public, *inside))
    finally:
        for task in reloads:
            task.cancel()
        await _drain(house, public, inside)


def _warn(house: House) -> None:
    """Say which flows refuse everybody, because what is signed is another address than ours."""
    if house.settings.public_url is not None:
        return
    for program in house.facade.flows().values():
        if program.guard is not None and signs_address(program.guard.scheme, program.guard.options):
            logger.warning(
                "senders sign the address that they call: unless it is %s, `serve --public-url` has to say it",
                public_base(house.settings),
                extra={"flow": program.flow},
            )


def _reloads(house: House) -> list[asyncio.Task[None]]:
    """Read the folder again at SIGHUP, and where that is wanted after each change of it."""
    reloader, settings = house.reloader, house.settings
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reloader.ask)
    works = [reloader.run(), *([watch(settings.flows, reloader.ask)] if settings.watch else [])]
    return [loop.create_task(work) for work in works]


async def _reload(reloader: Reloader) -> Reloaded | Refusal:
    """Reload for who asks over the socket."""
    found = await reloader.reload()
    if isinstance(found, Refused):
        detail = f"{found.detail}\n{found.why}" if found.detail else found.why
        return Refusal(type="urn:seta:problem:refused", title="The old flows go on", status=409, detail=detail)
    return Reloaded(found.number, sorted(found.plans))


def _listeners(house: House) -> tuple[Listener, list[Listener]]:
    settings, detail, metrics = house.settings, house.metrics.readiness_detail, house.metrics
    reload = partial(_reload, house.reloader)
    inside = [Listener(Admin(house.operations, detail, reload=reload, metrics=metrics), settings, settings.socket)]
    if settings.admin is not None:
        admin = Admin(house.operations, detail, settings.admin.host, metrics=metrics)
        inside.append(Listener(admin, settings, settings.admin))
    return Listener(house.door, settings, settings.listen), inside


async def _wait(stop: Stop, listeners: tuple[Listener, ...]) -> int:
    """Wait until the server is told to stop, or cannot go on."""
    asked = asyncio.create_task(stop.asked.wait())
    ends: list[asyncio.Future[Any]] = [asked, *(listener.ended for listener in listeners)]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if asked.done():
        return 0
    asked.cancel()
    logger.critical("nobody listens any more: the server stops")
    return 1


async def _drain(house: House, public: Listener, inside: list[Listener]) -> None:
    """Refuse what comes, let what runs end, then close what only reads."""
    grace = house.settings.grace
    house.readiness.draining = True
    await asyncio.gather(_end_requests(house, public, grace), house.engine.stop(grace))
    await asyncio.gather(*(listener.stop(_LAST_ANSWERS_SECONDS) for listener in inside))


async def _end_requests(house: House, public: Listener, grace: float) -> None:
    if not await public.stop(grace):
        house.intake.end()
        await public.stop(_LAST_ANSWERS_SECONDS)
