"""How much each host may be asked at a time, and when one that cannot be reached is left alone.

Whoever may not ask now fails as `held`: nothing was attempted, and a time is told after which to come again. So what
waits for a host waits in the journal.
"""

import time
from collections.abc import Callable, Iterator
from enum import IntEnum
from random import random as chance
from types import TracebackType
from typing import Final

from runtime.failures import Kind, StepFailure

IN_FLIGHT: Final = 64  # requests to one host at a time
FAILURES: Final = 5  # connections in a row that fail before a host is left alone
LONGEST_PAUSE: Final = 60.0  # s that a host is left alone; the first time 1 s, then twice as long each time
LONGEST_QUEUE: Final = 300.0  # s that one waits at most before it asks again whether there is room

_SHORTEST = 0.05  # s
_FIRST_GUESS = 0.1  # s that a request takes, before one has ended
_MOST = 10_000  # hosts that are remembered


class Breaker(IntEnum):
    """What stands before a host."""

    CLOSED = 0  # it is asked as ever
    HALF_OPEN = 1  # one may ask whether it is back
    OPEN = 2  # it is left alone


class _Host:
    """What is known of one host. Instants are seconds of a clock that only goes forward."""

    __slots__ = ("alone_until", "failures", "heard", "in_flight", "name", "pause", "probed", "queue", "seconds")

    def __init__(self, name: str, now: float) -> None:
        self.name = name
        self.in_flight = 0
        self.failures = 0  # connections in a row
        self.pause = 0.0  # for which it is left alone
        self.alone_until = 0.0
        self.probed = False  # one asks whether it is back
        self.seconds = _FIRST_GUESS  # that a request takes, about
        self.heard = now  # the instant at which a request ended, or the first began
        self.queue = 0.0  # the instant at which the last of those that wait may find room

    @property
    def is_open(self) -> bool:
        """Whether its breaker is open."""
        return self.failures >= FAILURES


class Hosts:
    """The hosts that are called, and those that could not be reached lately."""

    def __init__(self, now: Callable[[], float] = time.monotonic, random: Callable[[], float] = chance) -> None:
        self._now = now
        self._random = random
        self._known: dict[str, _Host] = {}

    def asking(self, name: str) -> "_Asking":
        """A request to a host, as a context that ends with the answer or as the request fails.

        Raises StepFailure `held` (HELD) where the host may not be asked now.
        """
        now = self._now()
        host = self._known.get(name) or self._new(name, now)
        if host.is_open:
            if host.probed or now < host.alone_until:
                pause = max(host.alone_until - now, 0) + max(host.pause, 1) * self._random()
                raise _held(f"the breaker of {name} is open: its last {host.failures} connections failed", pause)
            host.probed = True
            return _Asking(self, host, now, probe=True)
        if host.in_flight >= IN_FLIGHT:
            raise _held(f"{name} has {IN_FLIGHT} requests under way", self._queued(host, now))
        return _Asking(self, host, now, probe=False)

    def breakers(self) -> Iterator[tuple[str, Breaker]]:
        """The hosts to which the last connection failed; before all others nothing stands."""
        now = self._now()
        for host in self._known.values():
            if host.is_open:
                yield host.name, Breaker.OPEN if now < host.alone_until else Breaker.HALF_OPEN
            elif host.failures:
                yield host.name, Breaker.CLOSED

    def _queued(self, host: _Host, now: float) -> float:
        """Seconds until there may be room: those that wait come back about as fast as the host answers."""
        host.queue = max(host.queue, now) + max(host.seconds, now - host.heard) / IN_FLIGHT
        pause = host.queue - now
        return max(_SHORTEST, pause if pause < LONGEST_QUEUE else LONGEST_QUEUE * (1 + self._random()) / 2)

    def _new(self, name: str, now: float) -> _Host:
        if len(self._known) >= _MOST:
            for known in [one for one in self._known.values() if not one.in_flight and one.alone_until <= now]:
                del self._known[known.name]
        host = self._known[name] = _Host(name, now)
        return host

    def ended(self, host: _Host, start: float, *, probe: bool, connected: bool | None) -> None:
        """Take note of how a request ended; `connected` is None where nobody waited for that."""
        host.in_flight -= 1
        host.probed = host.probed and not probe
        now = host.heard = self._now()
        if connected:
            host.failures, host.pause = 0, 0.0
            host.seconds += (now - start - host.seconds) / 8
        elif connected is not None:
            host.failures += 1
            if probe or host.failures == FAILURES:
                host.pause = min(LONGEST_PAUSE, 2 * host.pause or 1.0)
                host.alone_until = now + host.pause
        if not host.in_flight and not host.failures and host.queue <= now:
            self._known.pop(host.name, None)


class _Asking:
    """One request under way."""

    __slots__ = ("_host", "_hosts", "_probe", "_start")

    def __init__(self, hosts: Hosts, host: _Host, start: float, *, probe: bool) -> None:
        self._hosts = hosts
        self._host = host
        self._start = start
        self._probe = probe
        host.in_flight += 1

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connected: bool | None = True
        if isinstance(error, StepFailure):
            connected = error.code != "connect"
        elif error is not None:  # it was broken off
            connected = None
        self._hosts.ended(self._host, self._start, probe=self._probe, connected=connected)


def _held(message: str, pause: float) -> StepFailure:
    return StepFailure("held", message, Kind.HELD, pause)
