"""Rejected deliveries: kept within bounds, until they fit or are over."""

import time

import pytest

from runtime.journal import SqliteJournal, rejected
from runtime.journal.rows import RejectedDelivery
from runtime.journal.writes import Prune, Reject, Rejudge
from tests.runtime.journal.made import NOW, accept, misfit

DAY = 86_400_000
MEGABYTE = 1 << 20


async def kept(journal: SqliteJournal, flow: str | None = None, since: int | None = None) -> list[RejectedDelivery]:
    return await journal.read(lambda c: rejected.deliveries(c, (0, 9999, 9999), flow, since))


async def bodies(journal: SqliteJournal, flow: str | None = None) -> list[bytes]:
    return [one.body for one in await kept(journal, flow)]


async def test_a_delivery_is_kept_whole(journal: SqliteJournal) -> None:
    one = misfit(b'{"a":1}')
    await journal.commit(Reject("f", (one,)))
    (found,) = await kept(journal)
    assert (found.id, found.flow, found.plan, found.received_at) == (one.id, "f", one.plan, NOW)
    assert (found.body, found.context, bytes(found.problems), found.size) == (b'{"a":1}', b"", one.problems, 7)
    assert await journal.read(lambda c: rejected.delivery(c, one.id)) == found
    assert await journal.read(lambda c: rejected.delivery(c, "none")) is None


async def test_lists_are_newest_first_and_of_a_flow_or_a_time(journal: SqliteJournal) -> None:
    old, young, other = misfit(b"0"), misfit(b"1", received_at=NOW + 5), misfit(b"2", received_at=NOW + 9)
    await journal.commit(Reject("f", (old, young)), Reject("g", (other,)))

    async def ids(limit: int, flow: str | None, since: int | None) -> list[str]:
        return [row.id for row in await journal.read(lambda c: rejected.rejected(c, limit, flow, since))]

    assert await ids(9, None, None) == [other.id, young.id, old.id]
    assert await ids(1, "f", None) == [young.id]
    assert await ids(9, None, NOW + 5) == [other.id, young.id]


async def test_of_each_flow_the_youngest_thousand_stay(journal: SqliteJournal) -> None:
    await journal.commit(Reject("g", (misfit(b"other"),)))
    for first in range(0, 1200, 100):
        await journal.commit(Reject("f", tuple(misfit(b"%d" % n) for n in range(first, first + 100))))
    assert await bodies(journal, "f") == [b"%d" % n for n in range(200, 1200)]
    assert await bodies(journal, "g") == [b"other"]


async def test_of_each_flow_the_youngest_64_mb_stay(journal: SqliteJournal) -> None:
    assert Reject("f", ()).most_bytes == 64 * MEGABYTE
    for _ in range(5):
        await journal.commit(Reject("f", (misfit(b"x" * 16),), most_bytes=64))
    assert len(await kept(journal)) == 4
    await journal.commit(Reject("f", (misfit(b"y"),), most_bytes=64))
    assert [len(body) for body in await bodies(journal)] == [16, 16, 16, 1]


async def test_a_delivery_that_fits_becomes_a_run_and_is_rejected_no_more(journal: SqliteJournal) -> None:
    await journal.commit(Reject("f", (misfit(b"0"), misfit(b"1"))))
    await journal.commit(one := accept(rejected=1))
    assert (one.seq, one.gone) == (1, False)
    assert await bodies(journal) == [b"1"]


async def test_a_delivery_becomes_one_run_however_often_it_is_asked_for(journal: SqliteJournal) -> None:
    await journal.commit(Reject("f", (misfit(),)))
    await journal.commit(one := accept(rejected=1), two := accept(rejected=1))
    assert (one.gone, two.gone, two.seq) == (False, True, 0)
    assert len(await journal.runs(limit=9)) == 1


async def test_a_delivery_that_is_a_repeat_goes_without_a_run(journal: SqliteJournal) -> None:
    first, again = accept("first"), accept("again", rejected=1)
    for one in (first, again):
        one.dedupe, one.dedupe_until = b"k", NOW + DAY
    await journal.commit(first, Reject("f", (misfit(),)))
    await journal.commit(again)
    assert (again.first, again.seq) == ("first", 0)
    assert await kept(journal) == []


async def test_a_run_that_cannot_be_kept_leaves_the_delivery(journal: SqliteJournal) -> None:
    await journal.commit(accept("same"), Reject("f", (misfit(b"0"),)))
    await journal.commit(one := accept("same", rejected=1))
    assert one.lost
    assert await bodies(journal) == [b"0"]


async def test_another_plan_s_problems_take_the_place_of_those_before(journal: SqliteJournal) -> None:
    await journal.commit(Reject("f", (misfit(),)))
    await journal.commit(one := Rejudge(1, "plan2", b"[]"), none := Rejudge(7, "plan2", b"[]"))
    (found,) = await kept(journal)
    assert (found.plan, bytes(found.problems)) == ("plan2", b"[]")
    assert (one.lost, none.lost) == (False, True)


async def test_deliveries_go_when_their_time_is_over(journal: SqliteJournal) -> None:
    await journal.commit(Reject("f", (misfit(b"0", until=NOW + 1), misfit(b"1", until=NOW + DAY))))
    await journal.commit(Prune(NOW + 1))
    assert await bodies(journal) == [b"1"]


async def test_large_deliveries_go_one_a_slice(journal: SqliteJournal) -> None:
    await journal.commit(Reject("f", tuple(misfit(b"x" * MEGABYTE) for _ in range(3))))
    left = []
    for _ in range(3):
        await journal.commit(prune := Prune(NOW + DAY, seconds=0))
        left.append((len(await kept(journal)), prune.more))
    assert left == [(2, True), (1, True), (0, True)]


async def test_keeping_some_beside_a_full_thousand_is_quick(journal: SqliteJournal) -> None:
    await journal.commit(Reject("f", tuple(misfit(b"x" * 1000) for _ in range(1000))))
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        await journal.commit(Reject("f", tuple(misfit(b"x" * 1000) for _ in range(64))))
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.1, f"64 rejected deliveries: {min(times) * 1000:.1f} ms"


@pytest.mark.parametrize("flow", [None, "f"])
async def test_pages_are_found_by_an_index(journal: SqliteJournal, flow: str | None) -> None:
    await journal.commit(Reject("f", (misfit(),)))
    rows = await journal.read(lambda c: list(c.execute(f"EXPLAIN QUERY PLAN {rejected.PAGE}", (flow, 0, 0, 9, 9))))
    assert rows[0][3].startswith("SEARCH rejected USING")
