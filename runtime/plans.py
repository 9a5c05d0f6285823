"""The programs of a server by plan: those that are served, and older ones, made again for runs that began on them."""

import asyncio
import linecache
from collections.abc import Mapping
from typing import Final

from runtime.engine.engine import UnknownPlan
from runtime.extend.loading import Own
from runtime.linking import relink
from runtime.program import Program

PLANS: Final = 1000  # in memory, some 12 kB each, beside those that are served


class Programs:
    """What is served is at hand. An older plan is compiled again where a run needs it, and the youngest are kept."""

    def __init__(self, programs: Mapping[str, Program], own: Own | None = None, most: int = PLANS) -> None:
        self._own = own
        self._most = most
        self._served = {program.plan: program for program in programs.values()}
        self._older: dict[str, Program | UnknownPlan] = {}  # the last to be used stands last

    def add(self, programs: Mapping[str, Program], own: Own | None) -> None:
        """Take in what a reload has brought.

        All older plans are forgotten where the folder has functions of its own: they are made again from what the
        journal keeps, with the Python of today. So are those of which nothing could be made.
        """
        self._own = own
        forget = own is not None and own.functions
        before: dict[str, Program | UnknownPlan] = {} if forget else {**self._older, **self._served}
        self._served = {program.plan: program for program in programs.values()}
        self._older = {}
        for plan, found in before.items():
            if plan not in self._served and not isinstance(found, UnknownPlan):
                self._keep(plan, found)

    async def find(self, plan: str, bundle: bytes | None) -> Program:
        """The program of a plan. Raises UnknownPlan where it is not at hand and cannot be made from the bundle.

        It is compiled in a thread: it may take long, and the event loop has deliveries to answer.
        """
        if (served := self._served.get(plan)) is not None:
            return served
        if (older := self._older.pop(plan, None)) is None:
            if bundle is None:
                raise UnknownPlan("the plan's sources are not in the journal")
            older = await self._made(plan, bundle)
        self._keep(plan, older)
        if isinstance(older, UnknownPlan):
            raise UnknownPlan(str(older))
        return older

    async def _made(self, plan: str, bundle: bytes) -> Program | UnknownPlan:
        """What becomes of a bundle with the folder's Python as it is then, also where a reload comes in between."""
        own = self._own
        made = await asyncio.to_thread(_make, plan, bundle, own)
        return made if own is self._own else await self._made(plan, bundle)

    def _keep(self, plan: str, found: Program | UnknownPlan) -> None:
        self._older[plan] = found
        while len(self._older) > self._most:
            forgotten = self._older.pop(next(iter(self._older)))
            if isinstance(forgotten, Program):
                linecache.cache.pop(forgotten.code.co_filename, None)


def _make(plan: str, bundle: bytes, own: Own | None) -> Program | UnknownPlan:
    try:
        program = relink(bundle, own)
    except UnknownPlan as unknown:
        return unknown
    if program is None or program.plan != plan:
        return UnknownPlan("this version of Seta makes another plan of the sources that the run began with")
    return program
