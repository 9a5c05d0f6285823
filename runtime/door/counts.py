"""What a door counts: which answers it gave, and how long accepting took."""

import time
from collections.abc import Callable
from typing import Final

from runtime.counts import Bounded, Count, Histogram

ACK_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
NO_HOOK: Final = ""  # what is asked for is no hook: whatever it is, it is not repeated


class DoorCounts:
    """Numbers since the start. `timer` gives seconds."""

    def __init__(self, timer: Callable[[], float] = time.perf_counter) -> None:
        self.timer = timer
        self.received = Bounded[tuple[str, int], Count](Count, ("others", 0))  # flow, status
        self.ack_seconds = Histogram(ACK_SECONDS)
        self.duplicates = 0

    def answered(self, flow: str, status: int) -> None:
        """Take note of an answer."""
        self.received[flow, status].number += 1

    def accepted(self, began: float, *, repeat: bool) -> None:
        """Take note of a delivery that is on disk, whose request came at an instant of the timer."""
        self.ack_seconds.add(self.timer() - began)
        self.duplicates += repeat
