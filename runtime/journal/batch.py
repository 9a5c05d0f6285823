"""Writes that go to disk together, and the future that all who handed them over share."""

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context
from typing import Any, Self

from runtime.journal.protocol import JournalError, Write

log = logging.getLogger(__name__)


class BatchFuture(asyncio.Future[None]):
    """The end of a commit. It cannot be cancelled: a cancelled waiter learns first how the commit ended."""

    awaited = False

    def add_done_callback(self, fn: Callable[[Self], object], /, *, context: Context | None = None) -> None:
        """Take note that somebody waits."""
        self.awaited = True
        super().add_done_callback(fn, context=context)

    def cancel(self, msg: Any | None = None) -> bool:  # noqa: ARG002  # asyncio's signature
        """Refuse: others wait for the same commit, and it cannot be called back."""
        return False


class Batch:
    """Writes of one transaction, filled on the event loop until the writer takes it."""

    __slots__ = ("future", "writes")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.future = BatchFuture(loop=loop)
        self.writes: list[Write] = []

    def settle(self, error: JournalError | None) -> None:
        """End the future, on the event loop."""
        if error is None:
            self.future.set_result(None)
            return
        if not self.future.awaited:
            log.error("%d writes that nobody waits for were not kept: %s", len(self.writes), error)
        self.future.set_exception(error)
        self.future.exception()  # seen: asyncio need not warn where nobody waits
