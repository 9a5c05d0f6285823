"""What a journal gives back: runs and their records, rejected deliveries, tombstones, and the words for their states.

Times are milliseconds since the Unix epoch.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

_OF_A_VALUE: Final = 72


class RunState(StrEnum):
    """Where a run stands. The first three are open: the engine will go on with them by itself."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    WAITING = "waiting"
    PARKED = "parked"
    DEAD = "dead"
    DONE = "done"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class Kind(StrEnum):
    """What a step record says."""

    STARTED = "started"  # committed before an effect that must not happen twice
    TRIED = "tried"  # an attempt failed and another is due; value: JSON {code, message, until, since}
    RESULT = "result"
    FAILED = "failed"
    TIMER = "timer"  # value: the instant at which the wait ends
    LOG = "log"
    LENT = "lent"  # a result of the run that this one replays; it counts where the arguments are the same


@dataclass(frozen=True, slots=True)
class Misfit:
    """A delivery that did not fit its flow. `problems` is JSON [{pointer, expected, got}], `context` as in `Accept`."""

    id: str
    plan: str
    received_at: int
    expires_at: int
    body: bytes
    context: bytes
    problems: bytes


class Tombstone(msgspec.Struct, frozen=True):
    """That something was erased: when, under which kind of key, and how much (JSON)."""

    at: int
    kind: str
    counts: bytes


class StepRow(msgspec.Struct, frozen=True):
    """One step record, in the order in which they were committed."""

    step: str
    kind: Kind
    args: bytes
    value: bytes
    attempt: int
    at: int


def decoded_size(data: bytes) -> int:
    """The bytes that JSON takes once it is decoded, about: `{},` are three, and an object of 64 in a list."""
    return len(data) + _OF_A_VALUE * sum(map(data.count, (b",", b"[", b"{")))


class OpenRun(msgspec.Struct, frozen=True):
    """A run that the engine may go on with."""

    seq: int
    run_id: str
    key: str
    flow: str
    plan: str
    state: RunState
    received_at: int
    body: bytes
    context: bytes
    attempt: int
    step: str
    wake_at: int | None = None
    serial: bytes | None = None
    busy: bool = False  # it is the turn of another open run with the same serial key: one that has begun, or is earlier
    deaths: int = 0  # of the process, while the run was in memory; 0: it is no suspect
    steps: list[StepRow] = []  # its records, where it can be begun and is asked for by flow

    @property
    def size(self) -> int:
        """The bytes that its body and records take once they are decoded, about."""
        return decoded_size(self.body) + sum(decoded_size(step.value) for step in self.steps)


class Suspect(msgspec.Struct, frozen=True):
    """An open run that was in memory when the process died, `deaths` times since it last left it in good order."""

    seq: int
    flow: str
    deaths: int


class Poisoned(msgspec.Struct, frozen=True):
    """A run that was made a dead letter when the journal was opened, because it killed the process so often."""

    id: str
    flow: str
    lived: int  # ms, from its acceptance to that


class RunRow(msgspec.Struct, frozen=True):
    """A run as lists show it."""

    seq: int
    id: str
    flow: str
    plan: str
    state: RunState
    received_at: int
    ended_at: int | None
    step: str
    error: msgspec.Raw | None = None


class PastRun(msgspec.Struct, frozen=True):
    """A run whose delivery may be replayed."""

    seq: int
    id: str
    key: str
    flow: str
    body: bytes
    context: bytes
    notes: bytes


class RejectedRow(msgspec.Struct, frozen=True):
    """A rejected delivery as lists show it."""

    number: int
    id: str
    flow: str
    plan: str
    received_at: int
    size: int  # bytes of the body and of what is kept of the request
    problems: msgspec.Raw


class RejectedDelivery(RejectedRow, frozen=True):
    """A rejected delivery with all that is kept of it."""

    expires_at: int
    context: bytes
    body: bytes


class RunDetail(msgspec.Struct, frozen=True):
    """A run with all that is kept of it."""

    run: RunRow
    key: str
    body: bytes
    notes: bytes
    wake_at: int | None
    serial: bytes | None
    deaths: int  # of the process while the run was in memory, since it last left it in good order
    strikes: int  # those of them at which no other run was in memory
    steps: list[StepRow]
