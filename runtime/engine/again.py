"""Replaying: past deliveries become new runs on the plans in force, page by page."""

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from runtime.engine.acceptance import complete
from runtime.journal import queries
from runtime.journal.protocol import Accept, Journal, JournalError, PastRun, RunState
from runtime.program import NO_REQUEST, Program, Request
from runtime.shapes import MisfitError, NotJsonError

ENDS: Final = (RunState.DEAD, RunState.DONE, RunState.STOPPED, RunState.CANCELLED)

_read_request = msgspec.json.Decoder(Request).decode


class Wanted(msgspec.Struct, frozen=True):
    """What is replayed: runs that ended in a state, of a flow, received since an instant (ms since the Unix epoch).

    `again` reuses no recorded result; `same_key` hands out the same idempotency keys; `dry` starts nothing.
    """

    state: RunState
    flow: str | None = None
    since: int | None = None
    again: bool = False
    same_key: bool = False
    dry: bool = False


class Replayed(msgspec.Struct, frozen=True):
    """What came of one past run: the id of a new one, or why there is none; neither where nothing was to be started."""

    of: str
    flow: str
    run: str | None = None
    problem: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Some past runs, in order; the next page is above `next`, which is None after the last, and up to `upto`."""

    replays: list[Replayed]
    next: int | None
    upto: int


class Replays:
    """Makes new runs of past ones. `begin` is told of the flows that have some now."""

    def __init__(
        self,
        journal: Journal,
        clock: Callable[[], int],
        new_id: Callable[[int], str],
        begin: Callable[[str], None],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._begin = begin
        self.programs: dict[str, Program] = {}  # in force, by flow

    async def page(self, wanted: Wanted, after: int, upto: int | None, limit: int) -> Page:
        """Replay so many runs above a number; without `upto`, up to the youngest there is, so that new ones are none.

        Raises JournalError; then nothing of the page was started. Raises ValueError for a state that is no end.
        """
        if wanted.state not in ENDS:
            raise ValueError(f"a run that is {wanted.state} has not ended")
        last = await self._journal.read(queries.last_number) if upto is None else upto
        page = (after, last, limit)
        past = await self._journal.read(
            partial(queries.past_runs, page=page, flow=wanted.flow, state=wanted.state, since=wanted.since)
        )
        accepts = {run.seq: self._accept(run, wanted) for run in past}
        writes = [one for one in accepts.values() if isinstance(one, Accept)]
        if writes and not wanted.dry:
            await self._commit(writes)
        replays = [_told(run, accepts[run.seq], dry=wanted.dry) for run in past]
        return Page(replays, past[-1].seq if len(past) == limit else None, last)

    async def _commit(self, writes: list[Accept]) -> None:
        await self._journal.commit(*writes)
        for flow in {write.flow for write in writes}:
            self._begin(flow)
        if any(write.lost for write in writes):
            raise JournalError("some of the runs could not be kept")

    def _accept(self, run: PastRun, wanted: Wanted) -> Accept | str:
        """The new run, or why there can be none."""
        program = self.programs.get(run.flow)
        if program is None:
            return "the flow is not served any more"
        request = _read_request(run.context) if run.context else NO_REQUEST
        try:
            payload = program.read(run.body, request)
        except (MisfitError, NotJsonError) as error:
            return f"the delivery does not fit the flow any more: {error}"
        now = self._clock()
        run_id = self._new_id(now)
        key = run.key if wanted.same_key else run_id
        write = Accept(run_id, key, run.flow, program.plan, now, run.body, notes=run.notes, running=False)
        complete(write, program, payload, request)
        write.dedupe = None  # it is meant to be a repeat
        write.lender = 0 if wanted.again else run.seq
        return write


def _told(run: PastRun, made: Accept | str, *, dry: bool) -> Replayed:
    if isinstance(made, str):
        return Replayed(run.id, run.flow, problem=made)
    return Replayed(run.id, run.flow, None if dry else made.run_id)
