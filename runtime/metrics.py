"""What a scrape is told: the numbers that the rooms count, in Prometheus's text format.

Nothing is counted here. Labels are names of flows, steps and verbs, hosts that
the folder of flows names, and words of ours: never an address of a webhook or an id.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from math import inf
from typing import Any, Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from runtime.admin.asking import Text
from runtime.connections.hosts import Breaker
from runtime.counts import Count, Histogram
from runtime.door.counts import DoorCounts
from runtime.door.readiness import Readiness
from runtime.engine.engine import Engine
from runtime.journal import SqliteJournal
from runtime.journal.protocol import JournalError
from runtime.journal.queries import Standing
from runtime.reload.reloader import Reloader

_MOST_HOSTS: Final = 100
_OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class Metrics:
    """The rooms of a server whose numbers are told. `clock` gives ms since the Unix epoch."""

    journal: SqliteJournal
    engine: Engine
    door: DoorCounts
    readiness: Readiness
    reloader: Reloader
    breakers: Callable[[], Iterable[tuple[str, Breaker]]]
    clock: Callable[[], int]
    process: Collector = field(default_factory=lambda: ProcessCollector(registry=None))

    async def __call__(self) -> Text:
        """All numbers as they are now; those that the journal would have to give are absent where it cannot."""
        status, _ = await self.readiness.brief()
        ready = _gauge("ready", "1 if deliveries can be taken", status == HTTPStatus.OK)
        families = [
            ready,
            *self._door(),
            *self._engine(),
            *self._flows(),
            self._hosts(),
            *self._journal(),
            *await self._runs(),
        ]
        registry = CollectorRegistry()
        registry.register(_Families(families))
        registry.register(self.process)
        return Text(CONTENT_TYPE_PLAIN_0_0_4, await asyncio.to_thread(generate_latest, registry))

    async def readiness_detail(self) -> tuple[int, dict[str, Any]]:
        """Whether the server is ready and why not, with how many runs wait for their turn and since when the first."""
        status, told = await self.readiness.detail()
        with suppress(JournalError):  # one of the reasons
            standing = await self.journal.standing(self.engine.hands.in_memory())
            queue = {"depth": standing.queued, "oldest_age_seconds": _age(standing, self.clock())}
            return status, {**told, "queue": queue}
        return status, told

    def _door(self) -> Iterator[Metric]:
        told = [((flow, str(code)), count) for (flow, code), count in self.door.received.items()]
        yield _counters("webhook_received", "Answers to POST, by flow (empty: no hook) and status", _HOOK, told)
        about = "From the headers of an accepted delivery to its answer"
        yield _histogram("webhook_ack_seconds", about, self.door.ack_seconds)
        yield _counter("duplicates", "Deliveries that were repeats", self.door.duplicates)
        rejects = self.engine.rejects
        outcomes = ((("kept",), rejects.kept), (("dropped",), rejects.dropped))
        yield _counters("rejected", "Deliveries that did not fit, by what became of them", ("outcome",), outcomes)

    def _engine(self) -> Iterator[Metric]:
        counts = self.engine.counts
        yield _counters("run", "Runs that ended or parked", ("flow", "outcome"), counts.runs.items())
        yield _histogram("run_duration_seconds", "From acceptance to the end of a run", counts.run_seconds)
        yield _counters("step_attempts", "Attempts of steps", ("flow", "step", "outcome"), counts.attempts.items())
        steps = HistogramMetricFamily("step_duration_seconds", "Attempts of steps, until recorded", labels=("verb",))
        for verb, seconds in list(counts.step_seconds.items()):
            _put(steps, (verb,), seconds)
        yield steps

    def _flows(self) -> Iterator[Metric]:
        serving, loads = self.readiness.serving, self.reloader.loads
        yield _counter("flows_loads", "Times that the folder of flows was read", loads.all)
        yield _counter("flows_load_errors", "Times that it could not be served", loads.refused)
        if serving is not None:
            yield _gauge("flows_generation", "Number of the generation that is served", serving.number)
            yield _gauge("flows_last_load_successful", "1 if the folder as last read is served", not serving.refused)

    def _hosts(self) -> Metric:
        """Of many hosts, and where a delivery may have named them, only the worst is told."""
        known = list(self.breakers())
        if self.reloader.data_chooses_hosts or len(known) > _MOST_HOSTS:
            known = [(_OTHERS, max(state for _, state in known))] if known else []
        about = "Of hosts whose last connection failed: 0 closed, 1 one may ask, 2 open"
        breakers = GaugeMetricFamily("breaker_state", about, labels=("host",))
        for host, state in known:
            breakers.add_metric((host,), state)
        return breakers

    def _journal(self) -> Iterator[Metric]:
        counts, disk = self.journal.counts, self.journal.disk
        yield _histogram("journal_commit_seconds", "Commits, until they were on disk", counts.seconds)
        yield _histogram("journal_batch_writes", "Writes of one commit", counts.writes)
        yield _counter("journal_commit_failures", "Commits that were not kept", counts.failed)
        with suppress(OSError):  # readiness says what is wrong with the folder; here it is a number less
            yield _gauge("journal_wal_bytes", "Size of the write-ahead log", disk.log_size())
            yield _gauge("journal_disk_free_bytes", "Room on the disk of the journal", disk.free())

    async def _runs(self) -> Iterable[Metric]:
        in_memory = self.engine.hands.in_memory()
        try:
            standing = await self.journal.standing(in_memory)
        except JournalError:
            return ()
        return _standing(standing, len(in_memory), self.clock())


def _standing(standing: Standing, running: int, now: int) -> Iterator[Metric]:
    states = {
        "accepted": standing.queued,
        "running": running,
        "waiting": standing.waiting,
        "parked": standing.parked,
        "dead": standing.dead,
    }
    runs = GaugeMetricFamily("runs", "Runs that have not ended well, by state", labels=("state",))
    for state, number in states.items():
        runs.add_metric((state,), number)
    yield runs
    yield _gauge("queue_depth", "Runs that wait in the journal for their turn", standing.queued)
    yield _gauge("queue_oldest_age_seconds", "How long ago the first of them was received", _age(standing, now))
    yield _gauge("dead_letters", "Runs that are dead", standing.dead)


def _age(standing: Standing, now: int) -> float:
    """Seconds since the first of those that wait for their turn was received."""
    return 0.0 if standing.oldest is None else max(0, now - standing.oldest) / 1000


class _Families(Collector):
    """Families that are made already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Give them."""
        return self._families


_HOOK: Final = ("hook", "code")


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def _counter(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(name, about, value=value)


def _counters(
    name: str, about: str, labels: tuple[str, ...], counts: Iterable[tuple[tuple[str, ...], Count]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, about, labels=labels)
    for key, count in list(counts):
        family.add_metric(key, count.number)
    return family


def _histogram(name: str, about: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(name, about, labels=())
    _put(family, (), histogram)
    return family


def _put(family: HistogramMetricFamily, labels: tuple[str, ...], histogram: Histogram) -> None:
    buckets = [("+Inf" if bound == inf else str(bound), number) for bound, number in histogram.buckets()]
    family.add_metric(labels, buckets, histogram.sum)
