"""New runs of what is kept, on the plans in force: of runs of the past, and of deliveries that once did not fit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from runtime.journal.protocol import Journal, JournalError
from runtime.journal.writes import Accept, KeepPlan, Rejudge
from runtime.program import NO_REQUEST, Program, Request

_read_request = msgspec.json.Decoder(Request).decode


class Replayed(msgspec.Struct, frozen=True):
    """What came of one past run or delivery: the id of a run, or why there is none; neither where none was to start.

    A `repeat` started none either: the run is that of the first delivery with its key.
    """

    of: str
    flow: str
    run: str | None = None
    problem: str | None = None
    repeat: bool = False


class Page(msgspec.Struct, frozen=True):
    """Some of what is replayed, in order; the next page is above `next`, which is None after the last, up to `upto`.

    Without a server (`served`), what was replayed runs when the next one starts.
    """

    replays: list[Replayed]
    next: int | None
    upto: int
    served: bool = True


@dataclass(slots=True)
class Start:
    """Puts new runs into the journal. `begin` is told of the flows that have some now.

    Where no server is, which would have kept them before (`served`), the plans are kept with the runs.
    """

    journal: Journal
    clock: Callable[[], int]
    new_id: Callable[[int], str]
    begin: Callable[[str], None]
    programs: Mapping[str, Program] = field(default_factory=dict)  # in force, by flow
    served: bool = True

    async def commit(self, writes: Sequence[Accept | Rejudge]) -> None:
        """Commit all, and let the new runs begin. Raises JournalError; then some or none were kept."""
        if not writes:
            return
        accepts = [write for write in writes if isinstance(write, Accept)]
        flows = {write.flow for write in accepts}
        await self.journal.commit(*(() if self.served else map(self._plan, sorted(flows))), *writes)
        for flow in flows:
            self.begin(flow)
        if any(write.lost for write in accepts):
            raise JournalError("some of the runs could not be kept")

    def _plan(self, flow: str) -> KeepPlan:
        program = self.programs[flow]
        return KeepPlan(program.plan, flow, program.sources, self.clock())


def request_of(context: bytes) -> Request:
    """What was kept of a request beside its body."""
    return _read_request(context) if context else NO_REQUEST
