"""Rejected deliveries on their way to the journal: nobody waits for them, and a flood of them is bounded."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from runtime.engine import rejected as rejecting
from runtime.engine.rejected import Rejects
from runtime.journal import SqliteJournal, open_journal, rejected
from runtime.journal.protocol import JournalError
from runtime.journal.rows import RejectedDelivery
from runtime.journal.writes import Reject
from runtime.program import NO_REQUEST, Request
from runtime.shapes import Problem
from tests.runtime.engine.by_hand import Server, Servers, program, until

PROBLEM = Problem("/n", "int", "text")
DAY = 86_400_000


async def nothing(_: Any, __: Any) -> bool:
    return False


def reject(server: Server, body: bytes = b"{}", flow: str = "f", request: Request = NO_REQUEST) -> None:
    server.engine.reject(server.programs[flow], body, request, [PROBLEM])


async def kept(journal: SqliteJournal) -> list[RejectedDelivery]:
    return await journal.read(lambda c: rejected.deliveries(c, (0, 9999, 9999), None, None))


async def test_a_rejected_delivery_is_soon_on_disk(servers: Servers) -> None:
    server = await servers.start(program(nothing, headers=("x-id",), keep=5 * DAY))
    reject(server, b'{"n":"x"}', request=Request({"x-id": "7"}, {}))
    while not (found := await kept(server.journal)):
        pass
    (one,) = found
    assert (one.flow, one.plan, one.body) == ("f", "plan-f", b'{"n":"x"}')
    assert one.context == b'{"headers":{"x-id":"7"},"query":{}}'
    assert bytes(one.problems) == b'[{"expected":"int","got":"text","pointer":"/n"}]'
    assert one.expires_at == one.received_at + 5 * DAY


async def test_by_itself_it_is_kept_30_days(servers: Servers) -> None:
    server = await servers.start(program(nothing))
    reject(server)
    while not (found := await kept(server.journal)):
        pass
    assert found[0].expires_at == found[0].received_at + 30 * DAY


async def test_what_waits_is_committed_when_the_server_stops(servers: Servers) -> None:
    server = await servers.start(program(nothing), program(nothing, "g"))
    for n in range(100):
        reject(server, b"%d" % n, "fg"[n % 2])
    await servers.end()
    journal = await open_journal(servers.folder, clock=servers.clock)
    assert sorted(int(one.body) for one in await kept(journal)) == list(range(100))
    await journal.close()


class Recorder:
    """A journal that takes note of what it is to keep."""

    def __init__(self, error: JournalError | None = None) -> None:
        self.slices: list[Reject] = []
        self._error = error

    def commit(self, write: Reject) -> Awaitable[None]:
        self.slices.append(write)
        return self._end()

    async def _end(self) -> None:
        if self._error is not None:
            raise self._error


Make = Callable[[], Rejects]


@pytest.fixture
def journal() -> Recorder:
    return Recorder()


@pytest.fixture
def rejects(journal: Recorder) -> Rejects:
    return Rejects(journal, lambda: 0, str)  # type: ignore[arg-type]  # all that is used of one


def add(rejects: Rejects, body: bytes, flow: str = "f") -> None:
    rejects.add(program(nothing, flow), body, NO_REQUEST, [PROBLEM])


async def test_no_commit_has_more_than_64_or_a_megabyte(journal: Recorder, rejects: Rejects) -> None:
    for _ in range(130):
        add(rejects, b"small")
    for _ in range(3):
        add(rejects, b"x" * 600_000)
    add(rejects, b"x" * 3_000_000)
    await rejects.flush()
    assert [len(one.misfits) for one in journal.slices] == [64, 64, 3, 1, 1, 1]


async def test_flows_take_turns(journal: Recorder, rejects: Rejects) -> None:
    for _ in range(100):
        add(rejects, b"", "f")
        add(rejects, b"", "g")
    await rejects.flush()
    assert [one.flow for one in journal.slices] == ["f", "g", "f", "g"]


async def test_of_a_flood_the_youngest_stay_and_other_flows_are_spared(journal: Recorder, rejects: Rejects) -> None:
    add(rejects, b"first", "quiet")
    for n in range(1500):
        add(rejects, b"%d" % n, "loud")
    await rejects.flush()
    kept = [(one.flow, misfit.body) for one in journal.slices for misfit in one.misfits]
    assert sorted(kept) == sorted([("quiet", b"first"), *(("loud", b"%d" % n) for n in range(501, 1500))])


async def test_large_bodies_wait_in_eight_megabytes_and_a_larger_one_alone(journal: Recorder, rejects: Rejects) -> None:
    for n in range(9):
        add(rejects, b"%d" % n + b"x" * 1_000_000)
    await rejects.flush()
    assert [one.misfits[0].body[:1] for one in journal.slices] == [b"%d" % n for n in range(1, 9)]
    journal.slices.clear()
    add(rejects, b"small")
    add(rejects, b"x" * 20_000_000)
    await rejects.flush()
    assert [len(one.misfits[0].body) for one in journal.slices] == [20_000_000]


async def test_a_server_whose_disk_is_full_stops_all_the_same(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rejecting, "PAUSE_SECONDS", 60)
    server = await servers.start(program(nothing))
    reject(server)
    await until(lambda: not server.engine.rejects._pending)  # noqa: SLF001  # the first slice is on its way
    reject(server)
    monkeypatch.setattr(server.journal, "commit", Recorder(JournalError("disk full")).commit)
    await servers.stop()
    assert "some rejected deliveries are lost: disk full" in [record.message for record in caplog.records]
