"""Replaying: past deliveries become new runs on the plans in force, page by page."""

from functools import partial
from typing import Final

import msgspec

from runtime.engine.acceptance import complete
from runtime.engine.starting import Page, Replayed, Start, request_of
from runtime.journal import queries
from runtime.journal.rows import PastRun, RunState
from runtime.journal.writes import Accept
from runtime.shapes import MisfitError, NotJsonError

NOT_SERVED: Final = "the flow is not served any more"
ENDS: Final = (RunState.DEAD, RunState.DONE, RunState.STOPPED, RunState.CANCELLED)


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


class Replays:
    """Makes new runs of past ones."""

    def __init__(self, start: Start) -> None:
        self._start = start

    async def page(self, wanted: Wanted, after: int, upto: int | None, limit: int) -> Page:
        """Replay so many runs above a number; without `upto`, up to the youngest there is, so that new ones are none.

        Raises JournalError; then nothing of the page was started. Raises ValueError for a state that is no end.
        """
        if wanted.state not in ENDS:
            raise ValueError(f"a run that is {wanted.state} has not ended")
        journal = self._start.journal
        last = await journal.read(queries.last_number) if upto is None else upto
        page = (after, last, limit)
        past = await journal.read(
            partial(queries.past_runs, page=page, flow=wanted.flow, state=wanted.state, since=wanted.since)
        )
        accepts = {run.seq: self._accept(run, wanted) for run in past}
        if not wanted.dry:
            await self._start.commit([one for one in accepts.values() if isinstance(one, Accept)])
        replays = [_told(run, accepts[run.seq], dry=wanted.dry) for run in past]
        return Page(replays, past[-1].seq if len(past) == limit else None, last, self._start.served)

    def _accept(self, run: PastRun, wanted: Wanted) -> Accept | str:
        """The new run, or why there can be none."""
        start = self._start
        program = start.programs.get(run.flow)
        if program is None:
            return NOT_SERVED
        request = request_of(run.context)
        try:
            payload = program.read(run.body, request)
        except (MisfitError, NotJsonError) as error:
            return f"the delivery does not fit the flow any more: {error}"
        now = start.clock()
        run_id = start.new_id(now)
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
