"""Reading bodies within bounds: so many bytes each, so many together, and so long."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

from runtime.door.answers import BROKEN, Refused, crowded, draining, too_large, too_slow
from runtime.door.arriving import IN_MEMORY, Arriving, Content, Spool, is_heavy
from runtime.door.hooks import Hook

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


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
        self._turn = asyncio.Lock()
        self._seconds = seconds
        self._reading: dict[asyncio.Task[Any], float] = {}  # oldest first: task -> its deadline
        self._overdue: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._draining = False

    async def read(self, hook: Hook, receive: Receive, length: int | None, *, spooled: bool = False) -> Content:
        """Read a body of this length, or to its end. Who calls lets go of it once it is answered.

        One that is spooled lies in a file where it is large. Heavy ones are given out one at a time: decoded,
        they may be many times as large. Raises Refused; then nothing is held.
        """
        task = self._enter()
        arriving = Arriving(self._spool) if spooled else None
        try:
            content = await self._gather(hook, receive, length, arriving)
        except asyncio.CancelledError:
            if task not in self._overdue:
                raise
            task.uncancel()
            raise Refused(draining() if self._draining else too_slow(self._seconds)) from None
        finally:
            self._reading.pop(task, None)
            self._overdue.discard(task)
            if arriving is not None:
                arriving.close()
        if is_heavy(content):
            await self._take_turn(content)
        return content

    def let_go(self, content: Content) -> None:
        """Give back what a body held, and its turn."""
        if isinstance(content, bytes):
            self.held -= len(content)
        if is_heavy(content):
            self._turn.release()

    def end(self) -> None:
        """Answer whoever is still sending that the server is stopping."""
        self._draining = True
        for task in tuple(self._reading):
            self._interrupt(task)

    async def _gather(self, hook: Hook, receive: Receive, length: int | None, arriving: Arriving | None) -> Content:
        """Stop at the announced length: another `receive` would wait for nothing but the end of the request."""
        limit = hook.program.limit
        parts: list[bytes] = []
        size, down, more = 0, 0, True  # `down`: how many of the bytes lie on the disk
        try:
            while more and size != length:
                message = await receive()
                if message["type"] != "http.request":
                    raise Refused(BROKEN)
                part = message.get("body", b"")
                more = message.get("more_body", False)
                parts.append(part)
                size += len(part)
                self.held += len(part)
                if size > limit:
                    raise Refused(too_large(hook.flow, limit))
                if self.held > self._room:
                    raise Refused(crowded())
                if arriving is not None and size - down >= IN_MEMORY:
                    await arriving.put_down(parts)
                    parts.clear()
                    self.held, down = self.held - (size - down), size
                    self._renew()
            if arriving is None or not down:
                return parts[0] if len(parts) == 1 else b"".join(parts)
            content = await arriving.whole(parts)
        except BaseException:
            self.held -= size - down
            raise
        self.held -= size - down
        return content

    async def _take_turn(self, content: Content) -> None:
        try:
            await self._turn.acquire()
        except asyncio.CancelledError:
            if isinstance(content, bytes):
                self.held -= len(content)
            raise

    def _renew(self) -> None:
        """Give as long again to the body of this task: one that takes no memory may be long, as long as it comes."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._reading.pop(task, None)
        self._reading[task] = asyncio.get_running_loop().time() + self._seconds

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
