"""Counting, cheap enough for every delivery: plain numbers that their owners add to, and that a scrape reads.

Numbers are added to by one thread each and may be read by another.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST_KEYS: Final = 5000  # of one family: what comes beyond them counts together


class Count:
    """A number that only grows."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0


class Histogram:
    """How many of the values that came were up to each bound, and their sum. Bounds ascend."""

    __slots__ = ("_bounds", "_counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Take note of a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    def buckets(self) -> Iterator[tuple[float, int]]:
        """Each bound, infinity last, with how many values were not above it."""
        return zip((*self._bounds, float("inf")), accumulate(self._counts), strict=True)


class Bounded(dict[K, V]):
    """Values by key, made when a key is asked for first; beyond so many keys, all others have one in common.

    Keys come from what flows and their texts are named, which changes with each reload: memory does not grow with it.
    """

    def __init__(self, make: Callable[[], V], others: K, most: int = MOST_KEYS) -> None:
        super().__init__()
        self._make = make
        self._others = others
        self._most = most

    def __missing__(self, key: K) -> V:
        """Make the value of a key."""
        if len(self) >= self._most:
            key = self._others
        return self.setdefault(key, self._make())
