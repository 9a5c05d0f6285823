"""Rejected deliveries tried again on the plans in force: what fits now becomes a run, the rest stays."""

from dataclasses import dataclass
from functools import partial
from typing import Self

import msgspec

from runtime.engine.acceptance import complete, notes_of
from runtime.engine.again import NOT_SERVED, Replays
from runtime.engine.rejected import problems_kept
from runtime.engine.starting import Page, Replayed, Start, request_of
from runtime.journal import rejected
from runtime.journal.rows import RejectedDelivery
from runtime.journal.writes import Accept, Rejudge
from runtime.program import Program, Request
from runtime.shapes import Decoded, MisfitError, NotJsonError, check_unique_keys


class WantedRejected(msgspec.Struct, frozen=True):
    """What is tried again: deliveries of a flow, received since an instant (ms since the Unix epoch).

    `dry` changes nothing.
    """

    flow: str | None = None
    since: int | None = None
    dry: bool = False


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is to be written of a delivery, if anything, and why it is no run."""

    write: Accept | Rejudge | None
    problem: str | None = None


class Rejudging:
    """Makes runs of rejected deliveries."""

    def __init__(self, start: Start) -> None:
        self._start = start

    async def page(self, wanted: WantedRejected, after: int, upto: int | None, limit: int) -> Page:
        """Try so many deliveries above a number; without `upto`, up to the youngest there is.

        A delivery that becomes a run, or is a repeat of one, goes in the same commit. Raises JournalError.
        """
        journal = self._start.journal
        last = await journal.read(rejected.last_number) if upto is None else upto
        page = (after, last, limit)
        found = await journal.read(partial(rejected.deliveries, page=page, flow=wanted.flow, since=wanted.since))
        verdicts = [self._judge(one) for one in found]
        if not wanted.dry:
            await self._start.commit([verdict.write for verdict in verdicts if verdict.write is not None])
        replays = [_told(*pair, dry=wanted.dry) for pair in zip(found, verdicts, strict=True)]
        return Page(replays, found[-1].number if len(found) == limit else None, last, self._start.served)

    def _judge(self, one: RejectedDelivery) -> _Verdict:
        program = self._start.programs.get(one.flow)
        if program is None:
            return _Verdict(None, NOT_SERVED)
        request = request_of(one.context)
        try:
            decoded = _decode(program, one.body, request)
        except NotJsonError as error:
            return _Verdict(None, f"the delivery cannot be read: {error}")
        except MisfitError as misfit:
            write = Rejudge(one.number, program.plan, problems_kept(misfit.problems))
            return _Verdict(write, f"the delivery still does not fit the flow: {misfit}")
        return _Verdict(self._accept(one, program, decoded, request))

    def _accept(self, one: RejectedDelivery, program: Program, decoded: Decoded, request: Request) -> Accept:
        now = self._start.clock()
        run_id = self._start.new_id(now)
        write = Accept(run_id, run_id, one.flow, program.plan, now, one.body, running=False, rejected=one.number)
        write.notes = notes_of(decoded)
        complete(write, program, decoded.payload, request)
        return write


@dataclass(frozen=True, slots=True)
class Again:
    """Everything that people may try again."""

    replays: Replays
    rejudging: Rejudging

    @classmethod
    def of(cls, start: Start) -> Self:
        """With one way to start runs."""
        return cls(Replays(start), Rejudging(start))


def _decode(program: Program, body: bytes, request: Request) -> Decoded:
    """Read a body as the door would. It was screened for the keys of the plan of that time, not for those of this."""
    if not request.form and _is_suspect(program.payload.keys, body):
        check_unique_keys(body)
    return program.decode(body, request)


def _is_suspect(keys: tuple[str, ...], body: bytes) -> bool:
    return b"\\" in body or any(body.count(msgspec.json.encode(key)) > 1 for key in keys)


def _told(one: RejectedDelivery, verdict: _Verdict, *, dry: bool) -> Replayed:
    write = verdict.write
    if not isinstance(write, Accept):
        return Replayed(one.id, one.flow, problem=verdict.problem)
    if dry:
        return Replayed(one.id, one.flow)
    if write.gone:
        return Replayed(one.id, one.flow, problem="the delivery is not kept any more")
    return Replayed(one.id, one.flow, write.first or write.run_id, repeat=bool(write.first))
