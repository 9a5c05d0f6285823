"""How many deliveries a hook takes in a time. What comes beyond is asked to come again, before its body is read."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import cycle
from math import ceil
from typing import Final

_RATE: Final = re.compile(r"([1-9][0-9]{0,8})/(s|m|h)")
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
ALL_OTHERS: Final = "*"
_SPREAD: Final = (0, 2, 1, 3)  # seconds: those who are refused together shall not come again together


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so many seconds."""

    most: int
    seconds: float


def parse_rate(text: str) -> Rate:
    """Read N/s, N/m or N/h. Raises ValueError, whose message is for people."""
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a rate such as 100/s, 600/m or 10000/h")
    return Rate(int(found[1]), _SECONDS[found[2]])


class Bucket:
    """A token bucket as one number: it takes a whole `most` at once, and then one whenever it is due.

    `timer` gives seconds.
    """

    def __init__(self, rate: Rate, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._each = rate.seconds / rate.most
        self._full = rate.seconds * (1 + 1e-9)  # a little is lost in floating numbers
        self._next = float("-inf")  # when all that was taken would be due, one after the other
        self._spread = cycle(_SPREAD)

    def refuses(self) -> int | None:
        """None: one more is taken. Otherwise seconds after which to come again."""
        now = self._timer()
        after = max(self._next, now) + self._each
        if after - now > self._full:
            return ceil(after - now - self._full) + next(self._spread)
        self._next = after
        return None


def buckets(rates: Mapping[str, str], flows: Iterable[str]) -> dict[str, Bucket]:
    """A bucket for each flow that has a rate, by itself or as all others."""
    chosen = {flow: rates.get(flow, rates.get(ALL_OTHERS)) for flow in flows}
    return {flow: Bucket(parse_rate(rate)) for flow, rate in chosen.items() if rate is not None}
