"""Writes that go to disk together, and the future that all who handed them over share."""

import asyncio
from typing import Any

from runtime.journal.protocol import JournalError
from runtime.journal.writes import Write


class BatchFuture(asyncio.Future[None]):
    """The end of a commit. It cannot be cancelled: a cancelled waiter learns first how the commit ended."""

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
        else:
            self.future.set_exception(error)
            self.future.exception()  # seen: the writer has logged it, asyncio need not warn where nobody waits
