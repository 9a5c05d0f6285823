"""The records of a run that goes on: handed out as its steps come by again, in whatever order its branches run.

A branch is at its frontier when it asks to do something that is not recorded. In a run that goes the way it went
before, no record is left over once every branch has come to its frontier; so none may go on before that, and what is
left over then says that the run has gone another way. A run without records waits for nothing.
"""

import asyncio
from collections.abc import Iterable

from runtime.engine.leaving import Diverged
from runtime.journal.rows import Kind, StepRow


class Replay:
    """What is recorded of a run and was not asked for yet, and how many of its branches may still ask."""

    __slots__ = ("_frontier", "_late", "_logged", "_moving", "_turns", "left", "lent")

    def __init__(self, records: Iterable[StepRow] = ()) -> None:
        self.left: dict[str, StepRow] = {}  # that nobody has asked for
        self.lent: dict[str, StepRow] = {}  # results of the run that this one replays
        self._logged: list[str] = []
        self._moving = 1  # branches that are not waiting in one of the two
        self._frontier: list[asyncio.Future[bool]] = []
        self._turns: list[asyncio.Future[bool]] = []
        self._late: list[asyncio.Future[bool]] = []
        for record in records:
            if record.kind is Kind.LOG:
                self._logged.append(record.step)
            elif record.kind is Kind.LENT:
                self.lent[record.step] = record
            else:
                self.left[record.step] = record

    def logged(self, step: str) -> bool:
        """Whether the line is in the log already."""
        return step in self._logged

    def take(self, step: str) -> StepRow | None:
        """The record of a step, which is asked for once."""
        if not self.left:
            return None
        record = self.left.pop(step, None)
        if not self.left:
            self._let_all_go_on()
        return record

    def owes(self, below: str, indices: str) -> bool:
        """Whether a record is left of a step whose name and indices begin so: of an item of a loop."""
        return any(step.startswith(below) and step[step.find("[") :].startswith(indices) for step in self.left)

    async def live(self, step: str) -> None:
        """Wait at the frontier. Raises Diverged where records are left over."""
        if not self.left:
            return
        future = asyncio.get_running_loop().create_future()
        self._frontier.append(future)
        if not await self._stand(future):
            raise self.diverged(step)

    async def turn(self, *, late: bool = False) -> None:
        """Wait, before another branch is started, until all that were started before are at their frontier.

        A late one is started only if records are left over even when no other is there to be started.
        """
        if self.left:
            future = asyncio.get_running_loop().create_future()
            (self._late if late else self._turns).append(future)
            await self._stand(future)

    def diverged(self, step: str) -> Diverged:
        """What there is to say of records that are left over."""
        others = ", ".join(sorted(self.left)[:3])
        return Diverged(step, f"nobody asks any more for what is recorded of {others}")

    def fork(self, branches: int) -> None:
        """Take note that so many branches move now, and not the one that starts them."""
        self._moving += branches - 1

    def join(self, *, last: bool) -> None:
        """Take note that a branch has ended; the last one lets the one that started them go on."""
        if not last:
            self._rest()

    async def _stand(self, future: "asyncio.Future[bool]") -> bool:
        self._rest()
        return await future

    def _rest(self) -> None:
        self._moving -= 1
        if self._moving or not self.left:
            return
        if turns := self._turns or self._late:
            self._go_on(turns.pop(0), fine=True)
        else:
            self._let_all_go_on()

    def _let_all_go_on(self) -> None:
        waiting = (*self._frontier, *self._turns, *self._late)
        for queue in (self._frontier, self._turns, self._late):
            queue.clear()
        for future in waiting:
            self._go_on(future, fine=not self.left)

    def _go_on(self, future: "asyncio.Future[bool]", *, fine: bool) -> None:
        self._moving += 1
        if not future.done():  # its task may have been cancelled: the server stops
            future.set_result(fine)
