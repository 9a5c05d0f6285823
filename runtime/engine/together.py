"""Branches of a run that run at the same time: all of them finish, or leave, before the run does either."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from runtime.engine.leaving import Abandoned, Diverged, Leaving, Parked, Suspended
from runtime.engine.replay import Replay
from runtime.failures import StepFailure
from runtime.journal.protocol import JournalError

Outcome = BaseException | None
Keep = Callable[[], Awaitable[None]]


async def run_together(replay: Replay, branches: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Start branches in their order and wait for all of them. They raise nothing but that they are cancelled."""
    if not branches:
        return
    replay.fork(len(branches))
    left = len(branches)

    async def run(branch: Callable[[], Awaitable[None]]) -> None:
        nonlocal left
        try:
            await branch()
        finally:
            left -= 1
            replay.join(last=not left)

    tasks = [asyncio.create_task(run(branch)) for branch in branches]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # no branch may go on without the run
        raise


async def caught(branch: Awaitable[Any]) -> tuple[Any, Outcome]:
    """What a branch gives, or how it failed or left."""
    try:
        return await branch, None
    except asyncio.CancelledError:
        raise
    except (Exception, Leaving) as error:  # noqa: BLE001  # it is raised again once all branches have ended
        return None, error


def settle(outcomes: Iterable[Outcome]) -> None:
    """Raise what branches come to, together: nothing if all are done, else how the run leaves or fails.

    Where one waits, the run does, up to the earliest instant; where one cannot go on without a person, so does the run
    once no other waits. The first failure counts, and knows of the others. Broken records and lost ownership come
    before all that.
    """
    errors = [outcome for outcome in outcomes if outcome is not None]
    for kind in (Abandoned, Diverged, JournalError):
        for error in errors:
            if isinstance(error, kind):
                raise error
    parked = next((error for error in errors if isinstance(error, Parked)), None)
    waiting = [error for error in errors if isinstance(error, Suspended)]
    if waiting:
        first = min(waiting, key=lambda one: one.until)
        raise Suspended(first.until, first.step, first.failure if parked is None else parked.failure)
    if parked is not None:
        raise parked
    if errors:
        raise _first([error for error in errors if isinstance(error, StepFailure)], errors[0])


def _first(failures: list[StepFailure], error: BaseException) -> BaseException:
    if isinstance(error, StepFailure):
        error.beside += [step for other in failures if other is not error for step in (other.step, *other.beside)]
    return error


class Items:
    """The items of a loop that runs several at once; which of them have begun, and what came of them.

    With the first failure it is kept how many have begun: when the loop goes on, those and no others begin again.
    """

    def __init__(
        self,
        replay: Replay,
        number: int,
        run: Callable[[int], Awaitable[Any]],
        owes: Callable[[], bool],
        keep: Keep,
    ) -> None:
        self.begun = 0
        self.known: int | None = None  # how many had begun when an item failed
        self._keep = keep
        self._owes = owes  # whether records of an item are left over
        self._replay = replay
        self._number = number
        self._run = run
        self._failed = False
        self._unkept: Outcome = None
        self._outcomes: dict[int, Outcome] = {}

    @property
    def outcomes(self) -> list[Outcome]:
        """In the order of the items."""
        return [*(self._outcomes[index] for index in sorted(self._outcomes)), self._unkept]

    async def work(self) -> None:
        """Run one item after the other, as long as there are some. One that leaves keeps its place."""
        while (index := await self._take()) is not None:
            _, outcome = await caught(self._run(index))
            self._outcomes[index] = outcome
            if isinstance(outcome, StepFailure) and not self._failed and self.known is None:
                self._failed = True
                _, self._unkept = await caught(self._keep())
            elif isinstance(outcome, Exception):
                self._failed = True
            if isinstance(outcome, Leaving | JournalError):
                return

    async def _take(self) -> int | None:
        """The next item to begin, if any."""
        if self.known is not None:
            more = self.begun < self.known
        else:
            more = self.begun < self._number and await self._may_begin()
        if not more:
            return None
        self.begun += 1
        return self.begun - 1

    async def _may_begin(self) -> bool:
        """Whether one more item begins. After a failure none does; but those that are recorded had begun before it."""
        await self._replay.turn(late=self._failed)
        return self.begun < self._number and (not self._failed or self._owes())
