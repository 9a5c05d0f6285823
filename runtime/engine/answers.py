"""Who waits for the answer of a run, and what they are told."""

import asyncio
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

import msgspec

from runtime.engine.ids import encode


class Unanswered(Enum):
    """Why there is no answer of the flow's own."""

    FAILED = auto()  # the run has ended without one
    LATER = auto()  # the run goes on, or may go on, and nobody should wait for it


@dataclass(frozen=True, slots=True)
class Answered:
    """What a flow answered: `body` is JSON, or empty for no body."""

    status: int
    body: bytes


Answer = Answered | Unanswered


class Accepted(msgspec.Struct, frozen=True):
    """What came of a delivery.

    `answer` ends when the run has answered, or will not; who no longer waits cancels it. A repeat has the id of the
    first run, and what that one answered, where it did.
    """

    run_id: str
    answer: "asyncio.Future[Answer] | None" = None
    repeat: bool = False
    recorded: Answered | None = None


class _Recorded(msgspec.Struct):
    status: int
    body: msgspec.Raw


_read = msgspec.json.Decoder(_Recorded).decode


def to_record(status: int, body: object) -> bytes:
    """An answer as it is recorded."""
    return encode({"status": status, "body": body})


def from_record(value: bytes) -> Answered:
    """An answer from its record. No body and the body `null` are the same."""
    recorded = _read(value)
    body = bytes(recorded.body)
    return Answered(recorded.status, b"" if body == b"null" else body)


class Answers:
    """The senders that wait, by the run that they wait for."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    def expect(self, run_id: str) -> "asyncio.Future[Answer]":
        """A future that ends with the run's answer."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[run_id] = future
        future.add_done_callback(partial(self._forget, run_id))
        return future

    def _forget(self, run_id: str, _: object) -> None:
        self._waiting.pop(run_id, None)

    def give(self, run_id: str, answer: Answer) -> None:
        """Tell who waits. The first answer of a run counts."""
        future = self._waiting.get(run_id)
        if future is not None and not future.done():
            future.set_result(answer)

    def give_all_others(self, runs: "set[str] | frozenset[str]" = frozenset()) -> None:
        """Let nobody wait for other runs than these."""
        for run_id in self._waiting.keys() - runs:
            self.give(run_id, Unanswered.LATER)
