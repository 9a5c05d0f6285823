"""The running set: how much of it each flow has, and what of each flow waits in the journal."""

import sys
from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Lane:
    """One flow's share of the running set, and how far its backlog is read."""

    flow: str
    most: int  # runs at the same time
    taken: int = 0
    load: int = 0  # bytes of what its runs in memory were begun with, decoded
    cursor: int = 0  # the backlog is read up to this sequence number
    behind: bool = True  # there may be runs in the journal that nobody runs: so at every start
    news: int = 0  # counts what made the backlog longer, to see what comes while it is read
    returned: int = sys.maxsize  # the lowest number that came back while it is read

    def read_on(self) -> int:
        """Take note that the backlog is about to be read, and give the number after which."""
        self.returned = sys.maxsize
        return self.cursor

    def fall_behind(self, seq: int | None = None) -> None:
        """Take note that a run waits in the journal: behind all that was read, or this one."""
        self.news += 1
        self.behind = True
        if seq is not None:
            self.cursor = min(self.cursor, seq - 1)
            self.returned = min(self.returned, seq)


class Lanes:
    """All flows' lanes. A flow has at most half of the places, so that a slow one never has them all.

    The same holds for memory: nothing begins beside runs that were begun with `most_load` bytes, and none of a flow
    beside half of that of its own. One run may be larger than that, and is then as good as alone.
    """

    def __init__(self, places: int, most_load: int) -> None:
        self.places = places
        self.taken = 0
        self.load = 0
        self.crowded = False  # a flow could start more of its backlog, but for the others
        self.closed = False  # nothing starts: a run is to be alone
        self._half = max(1, places // 2)
        self._most_load = most_load
        self._lanes: dict[str, Lane] = {}
        self._order: deque[Lane] = deque()

    def of(self, flow: str) -> Lane:
        """The lane of a flow."""
        lane = self._lanes.get(flow)
        if lane is None:
            lane = self._lanes[flow] = Lane(flow, self._half)
            self._order.append(lane)
        return lane

    def limit(self, flow: str, concurrency: int | None) -> None:
        """Let a flow have so many runs at the same time."""
        self.of(flow).most = self._half if concurrency is None else min(concurrency, self._half)

    def room(self, lane: Lane) -> int:
        """How many more runs of a flow may start."""
        if self.closed or self.spare(lane) <= 0:
            return 0
        return min(lane.most - lane.taken, self.places - self.taken)

    def spare(self, lane: Lane) -> int:
        """With how many bytes more runs of a flow may start."""
        return min(max(1, self._most_load // 2) - lane.load, self._most_load - self.load)

    def take(self, lane: Lane) -> None:
        """Take a place in the running set, for a run or for a delivery that is being accepted."""
        lane.taken += 1
        self.taken += 1

    def release(self, lane: Lane) -> None:
        """Give a place back."""
        lane.taken -= 1
        self.taken -= 1

    def weigh(self, lane: Lane, size: int) -> None:
        """Take note of a run that was begun with so many bytes; with less than none, of its end."""
        lane.load += size
        self.load += size

    def is_over(self, lane: Lane) -> bool:
        """Whether more places were taken than there are, or what runs is too much already."""
        return lane.taken > lane.most or self.taken > self.places or self.spare(lane) <= 0

    def next_behind(self) -> Lane | None:
        """The next flow in turn that has a backlog and room for some of it."""
        self.crowded = False
        if self.closed:
            return None
        for _ in range(len(self._order)):
            lane = self._order[0]
            self._order.rotate(-1)
            if lane.behind and lane.taken < lane.most:
                if self.room(lane) > 0:
                    return lane
                self.crowded = True
        return None

    def should_refill(self, lane: Lane) -> bool:
        """Whether to read the backlog now that a run of a lane has ended: by halves, so that a read is worth it."""
        mine = lane.behind and lane.taken <= lane.most - max(1, lane.most // 2)
        return mine or (self.crowded and self.taken <= self.places // 2)

    def share(self, lane: Lane) -> int:
        """How many runs a lane may start before it is another's turn."""
        waiting = sum(lane.behind for lane in self._order)
        return max(1, min(self.room(lane), (self.places - self.taken) // waiting))
