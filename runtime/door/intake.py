"""Reading bodies within bounds: so many bytes each, so many together, and so long."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple, cast

from runtime.door.answers import BROKEN, Refused, crowded, draining, too_large, too_slow
from runtime.door.arriving import Arriving, Content, Spool
from runtime.door.hooks import Hook

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Body(NamedTuple):
    """A whole body, and how many bytes of memory it may take until it is answered."""

    content: Content
    held: int


EMPTY: Final = Body(b"", 0)


_SPOOL: Final = Spool()


class Intake:
    """What the bodies of one server may take together.

    `held` counts the bytes that have come of bodies that are not answered yet, as far as they are in memory: what has
    not come takes no room, so nobody can book it by announcing large bodies. One timer serves all deadlines, because
    all are equally long.
    """

    def __init__(self, room: int, seconds: float, spool: Spool = _SPOOL) -> None:
        self.held = 0
        self._room = room
        self._spool = spool
        self._seconds = seconds
        self._reading: dict[asyncio.Task[Any], float] = {}  # oldest first: task -> its deadline
        self._overdue: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._draining = False

    async def read(self, hook: Hook, receive: Receive, length: int | None, copies: int | None = None) -> Body:
        """Read a body of this length, or to its end. Who calls takes what it holds off `held` when it is answered.

        With a number of copies, a large one lies in a file; so often is it in memory once it is decoded. Raises
        Refused; then nothing is held.
        """
        task = self._enter()
        arriving = Arriving(None if copies is None else self._spool)
        try:
            return await self._gather(hook, receive, length, arriving, copies or 0)
        except BaseException as error:
            self.held -= arriving.held
            if not isinstance(error, asyncio.CancelledError) or task not in self._overdue:
                raise
            task.uncancel()
            raise Refused(draining() if self._draining else too_slow(self._seconds)) from None
        finally:
            arriving.close()
            self._reading.pop(task, None)
            self._overdue.discard(task)

    def end(self) -> None:
        """Answer whoever is still sending that the server is stopping."""
        self._draining = True
        for task in tuple(self._reading):
            self._interrupt(task)

    async def _gather(self, hook: Hook, receive: Receive, length: int | None, arriving: Arriving, copies: int) -> Body:
        """Stop at the announced length: another `receive` would wait for nothing but the end of the request."""
        limit = hook.program.limit
        size, more = 0, True
        while more and size != length:
            message = await receive()
            if message["type"] != "http.request":
                raise Refused(BROKEN)
            part = message.get("body", b"")
            more = message.get("more_body", False)
            size += len(part)
            self.held += len(part)
            self.held -= await arriving.add(part)
            if size > limit:
                raise Refused(too_large(hook.flow, limit))
            if self.held > self._room:
                raise Refused(crowded())
        return await self._whole(arriving, size * copies)

    async def _whole(self, arriving: Arriving, decoded: int) -> Body:
        """The body, with room for what it becomes. One that is too large for it is let in alone."""
        last = arriving.held
        content = await arriving.whole()
        if isinstance(content, bytes):
            return Body(content, last)
        self.held -= last
        if self.held and self.held + decoded > self._room:
            raise Refused(crowded())
        self.held += decoded
        return Body(content, decoded)

    def _enter(self) -> asyncio.Task[Any]:
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        loop = asyncio.get_running_loop()
        deadline = self._reading[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._expire)
        return task

    def _expire(self) -> None:
        """Interrupt what is overdue, then sleep until the next one is."""
        loop = asyncio.get_running_loop()
        self._timer = None
        for task, deadline in tuple(self._reading.items()):
            if deadline > loop.time():
                self._timer = loop.call_at(deadline, self._expire)
                return
            self._interrupt(task)

    def _interrupt(self, task: asyncio.Task[Any]) -> None:
        del self._reading[task]
        self._overdue.add(task)
        task.cancel()
