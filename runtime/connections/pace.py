"""When a message may go: a place in the line of its sender's number, and in that of its recipient.

WhatsApp bounds both. What a number may send in a second counts here as a bucket that is as deep as a second. To one
recipient it is one message in six seconds, but up to 45 at once, borrowed from the time after them: then none goes
until all are paid back (so turn.io and dualhook quote Meta, whose own page of limits does not say it).
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

PER_SECOND: Final = 80  # messages of a number, where Meta has not raised it
PAIR_EVERY: Final = 6_000  # ms between two messages to one recipient, beyond a burst
PAIR_BURST: Final = 45  # messages to one recipient within `PAIR_EVERY`

_MOST: Final = 10_000  # places and recipients that are remembered


@dataclass(slots=True)
class _Bucket:
    """The line of a number: `paid` is when all places that were given are paid for (GCRA). Times are ms."""

    every: float
    depth: int
    paid: float = 0.0

    def place(self, now: int) -> int:
        """Give out the next place: when it is due."""
        due = max(float(now), max(self.paid, now) - (self.depth - 1) * self.every)
        self.paid = max(self.paid, now) + self.every
        return ceil(due)


@dataclass(slots=True)
class _Debt:
    """The line of a recipient: the burst that is under way, and when it is paid back. Times are ms."""

    paid: int = 0
    began: int = 0
    count: int = 0

    def place(self, now: int) -> int:
        """Give out the next place: when it is due."""
        if now < self.paid and 0 <= now - self.began < PAIR_EVERY and self.count < PAIR_BURST:
            self.count += 1
            self.paid += PAIR_EVERY
            return now
        self.began = max(now, self.paid)
        self.count, self.paid = 1, self.began + PAIR_EVERY
        return self.began


@dataclass(slots=True)
class _Place:
    """Where a message stands: when it is due, and whether that is its last line."""

    due: int
    last: bool


class Pace:
    """The lines of one number. It lives as long as the server; a restart begins with empty lines."""

    def __init__(self, per_second: int = PER_SECOND) -> None:
        self._number = _Bucket(1000 / per_second, per_second)
        self._pairs: dict[str, _Debt] = {}
        self._places: dict[str, _Place] = {}  # of messages that wait, by their keys

    def turn(self, key: str, to: str, now: int) -> int:
        """How long a message has to wait, in ms; 0: it goes now, and has no place any more.

        Who comes again with its key finds its place kept. Beyond 10,000 places none are kept: who gets none comes back
        when the line may be at its end.
        """
        place = self._places.pop(key, None) or _Place(self._pair(to, now).place(now), last=False)
        if not place.last and place.due <= now:
            place = _Place(self._number.place(now), last=True)
        if place.due <= now:
            return 0
        if len(self._places) < _MOST:
            self._places[key] = place
        return place.due - now

    def _pair(self, to: str, now: int) -> _Debt:
        if len(self._pairs) >= _MOST:
            self._pairs = {other: debt for other, debt in self._pairs.items() if debt.paid > now}
        return self._pairs.setdefault(to, _Debt())


class Paces:
    """The lines of all numbers, kept over reloads."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, int], Pace] = {}

    def of(self, number: str, per_second: int) -> Pace:
        """The lines of a number at a rate."""
        return self._of.setdefault((number, per_second), Pace(per_second))
