"""A pool of worker processes for `code` blocks."""

import asyncio
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

from runtime.code.block import Block
from runtime.code.process import Died, Head, Process, Setting
from runtime.failures import Kind, StepFailure

_MEMORY_LIMIT = 512 * 1024 * 1024


class CodePool:
    """At most `size` workers, each started when first needed and busy with one block at a time.

    `environment` is what PATH, LANG and TZ are taken from; a worker sees nothing else of it.
    `modules` is a folder that blocks can import from. A pool belongs to one event loop, and on
    Linux its workers die with that loop's thread.
    """

    def __init__(
        self,
        *,
        size: int,
        environment: Mapping[str, str],
        memory_limit: int = _MEMORY_LIMIT,
        modules: Path | None = None,
    ) -> None:
        self._setting = Setting(memory_limit, modules, environment)
        self._size = size
        self._slots = asyncio.Semaphore(size)  # first come, first served
        self._idle: list[Process] = []  # `renew` replaces the list: who is not of it may not return
        self._busy: set[Process] = set()
        self._dying: set[asyncio.Task[int]] = set()
        self._closed = False

    async def run(
        self,
        block: Block,
        args: Mapping[str, object],
        *,
        limit: float,
        on_output: Callable[[str], None],
    ) -> bytes:
        """Give the JSON of what the block returns, or raise StepFailure.

        `args` are plain values: str, int, Decimal, bool, None, datetime types, list, dict. `limit`
        is in seconds, without the wait for a worker. `on_output` gets what the block prints, and
        tracebacks.
        """
        arguments = [args[param] for param in block.params]
        task = pickle.dumps((block.code, block.filename, block.first_line, block.source, arguments))
        self._refuse_if_closed()
        async with self._slots:
            self._refuse_if_closed()
            head, value = await self._call(task, limit, on_output)
        if head.failure is None:
            return value
        code, message, trace = head.failure
        if trace:
            on_output(trace)
        raise StepFailure(code, message)

    def renew(self) -> None:
        """Let every later call find a fresh worker: `modules` may have changed."""
        idle, self._idle = self._idle, []
        for process in idle:
            self._bury(process)

    async def close(self) -> None:
        """Kill all workers; calls that run or wait fail as not done for good."""
        if self._closed:
            return
        self._closed = True
        self.renew()
        for process in self._busy:
            process.kill()
        for _ in range(self._size):  # until the last call is out
            await self._slots.acquire()
        await asyncio.gather(*self._dying)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise StepFailure("code_stopped", "the server is stopping", Kind.NOT_DONE)

    async def _call(self, task: bytes, limit: float, on_output: Callable[[str], None]) -> tuple[Head, bytes]:
        idle = self._idle
        process = self._take()
        self._busy.add(process)
        try:
            with process.forwarding(on_output):
                await _started(process)
                return await process.call(task, limit)
        except TimeoutError:
            raise StepFailure("code_timeout", f"the code ran for longer than {limit:g} s") from None
        except Died as died:
            raise self._death(died) from None
        finally:
            self._busy.discard(process)
            if process.usable and idle is self._idle:
                idle.append(process)
            else:
                self._bury(process)

    def _take(self) -> Process:
        while self._idle:
            process = self._idle.pop()
            if process.alive:
                return process
            self._bury(process)
        try:
            return Process(self._setting)
        except OSError as error:
            raise _unavailable(str(error)) from error

    def _death(self, died: Died) -> StepFailure:
        if self._closed:
            return StepFailure("code_stopped", "the server stopped the code", Kind.TRANSIENT)
        return StepFailure("code_crashed", f"the code's process died: {died}")

    def _bury(self, process: Process) -> None:
        process.close()
        task = asyncio.create_task(process.reap())
        self._dying.add(task)
        task.add_done_callback(self._dying.discard)


async def _started(process: Process) -> None:
    try:
        await process.started()
    except Died as died:
        raise _unavailable(str(died)) from None
    except TimeoutError:
        raise _unavailable("it did not start in time") from None


def _unavailable(reason: str) -> StepFailure:
    return StepFailure("code_unavailable", f"no process for the code: {reason}", Kind.NOT_DONE)
