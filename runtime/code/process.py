"""A worker process, seen from the parent: started, given one task at a time, killed."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import msgspec

from runtime.code.output import Output

_WORKER = Path(__file__).with_name("worker.py")
_ENVIRONMENT = ("PATH", "LANG", "TZ")
_PYTHON = ("-I", "-B", "-X", "utf8", "-X", "faulthandler")  # -B: no bytecode beside the flows
_START_LIMIT = 15.0
_GRACE = 0.25  # s for a process that is ending anyway
_CHUNK = 64 * 1024  # a pipe holds no more, so that one read empties it


class Died(Exception):  # noqa: N818  # it is not an error of ours
    """The process ended, or stopped speaking, before it answered."""


class Head(msgspec.Struct, array_like=True, frozen=True):
    """The first line of an answer; `worn` asks for a new worker in this one's place."""

    failure: tuple[str, str, str] | None  # code, message, traceback
    worn: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """What every worker of a pool is started with."""

    memory_limit: int
    modules: Path | None
    environment: Mapping[str, str]

    def command(self, channel: int) -> list[str]:
        """Give the command line of a worker that speaks on the descriptor `channel`."""
        modules = str(self.modules.absolute()) if self.modules else ""
        worker = (str(_WORKER), str(channel), str(self.memory_limit), modules)
        return [sys.executable, *_PYTHON, *worker]

    def variables(self) -> dict[str, str]:
        """Give the whole environment of a worker."""
        return {name: self.environment[name] for name in _ENVIRONMENT if name in self.environment}


class Process:
    """One worker. `usable` is false from the start of a call until its answer is in."""

    def __init__(self, setting: Setting) -> None:
        self.usable = False
        self._started = False
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(0)
        with theirs, contextlib.ExitStack() as undo:
            undo.callback(self._channel.close)
            self._popen = subprocess.Popen(  # noqa: S603  # our own worker
                setting.command(theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                cwd="/",
                env=setting.variables(),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
            undo.pop_all()
        self._printed = cast("IO[bytes]", self._popen.stdout)
        os.set_blocking(self._printed.fileno(), False)

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    async def started(self) -> None:
        """Wait until the worker takes tasks, so that its start counts against nobody's limit."""
        if self._started:
            return
        try:
            async with asyncio.timeout(_START_LIMIT):
                await self._receive()
        except ConnectionError as error:
            raise Died(await self._end()) from error
        self._started = True

    async def call(self, task: bytes, limit: float) -> tuple[Head, bytes]:
        """Run one task to its value's JSON; TimeoutError at the limit, `Died` if none can come."""
        self.usable = False
        try:
            async with asyncio.timeout(limit):
                await asyncio.get_running_loop().sock_sendall(self._channel, _frame(task))
                first, _, value = (await self._receive()).partition(b"\n")
                head = msgspec.json.decode(first, type=Head)
        except TimeoutError:
            await self._abort()
            raise
        except (ConnectionError, msgspec.MsgspecError) as error:
            raise Died(await self._end()) from error
        self.usable = not head.worn
        return head, value

    @contextlib.contextmanager
    def forwarding(self, on_output: Callable[[str], None]) -> Iterator[None]:
        """Hand on what is printed meanwhile, not what threads of earlier blocks have printed."""
        output = Output(on_output)
        loop = asyncio.get_running_loop()
        self._printed.read(_CHUNK)
        loop.add_reader(self._printed.fileno(), self._forward, output)
        try:
            yield
        finally:
            loop.remove_reader(self._printed.fileno())
            output.feed(self._printed.read(_CHUNK) or b"", final=True)

    def _forward(self, output: Output) -> None:
        data = self._printed.read(_CHUNK)
        if data == b"":  # nobody can print any more; None: nothing to read after all
            asyncio.get_running_loop().remove_reader(self._printed.fileno())
        output.feed(data or b"")

    async def _receive(self) -> bytes:
        loop = asyncio.get_running_loop()
        data = bytearray()
        while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4]):
            chunk = await loop.sock_recv(self._channel, _CHUNK)
            if not chunk:
                raise ConnectionResetError
            data += chunk
        return bytes(data[4:])

    async def _abort(self) -> None:
        """End a process that is still busy; faulthandler prints the line at which it was."""
        self._popen.send_signal(signal.SIGABRT)
        await self._end()

    async def _end(self) -> str:
        """How the process ended, given a moment to do so."""
        try:
            async with asyncio.timeout(_GRACE):
                status = await self.reap()
        except TimeoutError:
            return "it closed its channel"
        if status < 0:
            return f"signal {-status}, {signal.strsignal(-status)}"
        return f"exit code {status}"

    def kill(self) -> None:
        """Kill the worker and what it has started. A waiting call sees it as death."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or only a zombie
            os.killpg(self._popen.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill it and give its descriptors back; no call may be waiting."""
        self.kill()
        self._channel.close()
        self._printed.close()

    async def reap(self) -> int:
        """Wait for the end: by polling, for child watchers differ between loops and versions."""
        while (status := self._popen.poll()) is None:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.002)
        return status


def _frame(data: bytes) -> bytes:
    return len(data).to_bytes(4) + data
