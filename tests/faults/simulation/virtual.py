"""An event loop on which only waiting takes time: time jumps to the next timer, the same way every time."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(Exception):  # noqa: N818  # what has become of everybody
    """Everybody waits, and nothing will ever come."""


class _Timers(selectors.DefaultSelector):
    """Waits for no file: to wait for one is to wait for the next timer."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Let the time pass."""
        if timeout is None:
            raise Stuck
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Begins at 0."""

    def __init__(self) -> None:
        self._timers = _Timers()
        super().__init__(self._timers)
        self.set_default_executor(AtOnce())

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._timers.now


class AtOnce(ThreadPoolExecutor):
    """Does what it is given before it gives the future of it."""

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        """Do it."""
        future: Future[T] = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  # it is raised where the future is awaited
            future.set_exception(error)
        return future


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run something to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
