"""A clock for what is to last so long: no jump of the wall clock moves it, and a reboot goes on by the wall clock.

It counts the time since the machine booted, sleep included, from a base that the journal keeps. How far the wall clock
is ahead of it is kept too: so far it is ahead after a reboot.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from runtime.journal.protocol import Journal
from runtime.journal.writes import KeepClock

JUMP: Final = 1000  # ms by which the wall clock has to move against this one to have jumped
LOOK_SECONDS: Final = 1.0

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Boot(msgspec.Struct, frozen=True):
    """Which boot of the machine this is, and how many ms ago it was. Without a name each start counts as another."""

    name: str
    age: Callable[[], int]


class _Kept(msgspec.Struct, frozen=True):
    boot: str
    base: int
    ahead: int


class Steady:
    """Gives ms since the Unix epoch, as the wall clock would have without its jumps. `kept` is what `document` gave."""

    def __init__(self, kept: bytes, wall: Callable[[], int], boot: Boot) -> None:
        before = msgspec.json.decode(kept, type=_Kept) if kept else _Kept("", 0, 0)
        self._wall = wall
        self._boot = boot
        self.ahead = before.ahead  # of this clock is the wall clock, as was noted last
        same = boot.name and boot.name == before.boot
        self._base = before.base if same else wall() - before.ahead - boot.age()

    def __call__(self) -> int:
        """The time."""
        return self._base + self._boot.age()

    def on_the_wall(self, instant: int) -> int:
        """What the wall clock shows at an instant of this one, as far as can be known; now, for one that is past."""
        return self._wall() + max(0, instant - self())

    def jumped(self) -> bool:
        """Whether the wall clock was set since this was asked last."""
        ahead = self._wall() - self()
        if abs(ahead - self.ahead) < JUMP:
            return False
        self.ahead = ahead
        return True

    @property
    def document(self) -> bytes:
        """What is to be kept."""
        return msgspec.json.encode(_Kept(self._boot.name, self._base, self.ahead))


class Watch:
    """Keeps a steady clock, and lets all that waits look at the wall clock again once that was set."""

    def __init__(self, journal: Journal, clock: Steady, alarm: asyncio.Event) -> None:
        self._journal = journal
        self._clock = clock
        self._alarm = alarm
        self._kept = False
        self._jumped = False  # and nobody was woken yet

    async def work(self) -> None:
        """Look once."""
        self._jumped = self._clock.jumped() or self._jumped
        if self._jumped or not self._kept:
            await self._journal.commit(KeepClock(self._clock.document, wake=self._jumped))
            self._kept, self._jumped = True, False
            self._alarm.set()
        await asyncio.sleep(LOOK_SECONDS)


def this_boot() -> Boot:
    """The boot that this machine runs since."""
    name = ""
    with suppress(OSError):
        name = _BOOT_ID.read_text().strip()
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Boot(name, lambda: time.clock_gettime_ns(clock) // 1_000_000)
