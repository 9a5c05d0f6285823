"""Forgetting what is over, a little at a time, for the life of the server."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from runtime.journal.protocol import Journal, JournalError
from runtime.journal.writes import Prune

LOOK_SECONDS = 60.0  # from the end of what is over to the next look
PAUSE_SECONDS = 0.05  # between two slices, so that a commit of deliveries rarely has one beside it

_UNDER_WAY: Final = 3_600_000  # ms for a delivery that came for a plan just before another took its place


class Retention:
    """Knows on which plans new runs may begin; the others go with their last run."""

    def __init__(self, journal: Journal, clock: Callable[[], int]) -> None:
        self._journal = journal
        self._clock = clock
        self._needed: frozenset[str] = frozenset()
        self._left: dict[str, int] = {}  # plan -> when another took its place
        self._carefully = False  # the disk is too full for a slice of the usual size

    def hold(self, plans: Iterable[str]) -> None:
        """Take note of plans that may soon be in force, beside those that are."""
        self._needed = self._needed.union(plans)

    def need(self, plans: Iterable[str]) -> None:
        """Take note of the plans in force; those that were before may still get a run that is being accepted."""
        now, needed = self._clock(), frozenset(plans)
        self._left |= dict.fromkeys(self._needed - needed, now)
        self._needed = needed

    async def work(self) -> None:
        """Forget one slice, then rest. Raises JournalError; after a full disk the slices are as small as can be.

        What is freed is overwritten, and that needs room in the log first.
        """
        now = self._clock()
        self._left = {plan: at for plan, at in self._left.items() if now - at < _UNDER_WAY}
        slice_ = Prune(now, self._needed.union(self._left))
        if self._carefully:
            slice_.slice, slice_.seconds = 1, 0.0
        try:
            await self._journal.commit(slice_)
        except JournalError as error:
            self._carefully = error.full
            raise
        self._carefully = self._carefully and slice_.more
        await asyncio.sleep(PAUSE_SECONDS if slice_.more else LOOK_SECONDS)
