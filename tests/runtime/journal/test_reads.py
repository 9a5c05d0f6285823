"""Reads: what lists give, and that no read is long or slow."""

import asyncio
from typing import Any

import apsw
import pytest

from runtime.journal import SqliteJournal, queries
from runtime.journal.database import open_reading
from runtime.journal.protocol import JournalError
from runtime.journal.reader import Reader, ReadTooLong
from runtime.journal.rows import RunState
from runtime.journal.writes import Prune
from tests.runtime.journal.made import NOW, accept, move, record

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


async def fill(journal: SqliteJournal) -> None:
    """Twelve runs of two flows in every state; the ninth and up are open."""
    accepts = [accept(f"r{n}", flow="even" if n % 2 == 0 else "odd", running=n != 12) for n in range(1, 13)]
    await journal.commit(*accepts)
    states = [
        RunState.DONE,
        RunState.DONE,
        RunState.DEAD,
        RunState.PARKED,
        RunState.STOPPED,
        RunState.CANCELLED,
        RunState.DEAD,
        RunState.DONE,
        RunState.WAITING,
        RunState.WAITING,
    ]
    await journal.commit(*(move(n, state, wake_at=NOW - n) for n, state in enumerate(states, 1)))


async def test_runs_come_newest_first_and_are_filtered(journal: SqliteJournal) -> None:
    await fill(journal)

    async def listed(limit: int = 99, flow: str | None = None, state: RunState | None = None) -> list[int]:
        return [run.seq for run in await journal.runs(limit=limit, flow=flow, state=state)]

    assert await listed() == list(range(12, 0, -1))
    assert await listed(limit=3) == [12, 11, 10]
    assert await listed(flow="odd") == [11, 9, 7, 5, 3, 1]
    assert await listed(flow="none") == []
    expected = {
        RunState.ACCEPTED: [12],
        RunState.RUNNING: [11],
        RunState.WAITING: [10, 9],
        RunState.PARKED: [4],
        RunState.DEAD: [7, 3],
        RunState.DONE: [8, 2, 1],
        RunState.STOPPED: [5],
        RunState.CANCELLED: [6],
    }
    assert {state: await listed(state=state) for state in RunState} == expected
    even = {state: [seq for seq in seqs if seq % 2 == 0] for state, seqs in expected.items()}
    assert {state: await listed(flow="even", state=state) for state in RunState} == even


async def test_runs_since_an_instant_are_found_though_older_ones_went(journal: SqliteJournal) -> None:
    writes = [accept(f"r{n}") for n in range(40)]
    for n, write in enumerate(writes):
        write.received_at = NOW + n * 3_600_000
    await journal.commit(*writes)
    await journal.commit(*(move(n, RunState.DONE) for n in (1, 2, 3, 20, 21)), Prune(NOW + 999 * 86_400_000))
    for hours in (0, 3, 4, 19, 22, 39, 40):
        found = [run.id for run in await journal.runs(limit=99, since=NOW + hours * 3_600_000)]
        assert found == [f"r{n}" for n in range(39, hours - 1, -1) if n + 1 not in (1, 2, 3, 20, 21)]
    assert [run.id for run in await journal.runs(limit=2, since=NOW + 30 * 3_600_000)] == ["r39", "r38"]


async def test_runs_since_an_instant_are_found_although_the_clock_was_set_back(journal: SqliteJournal) -> None:
    writes = [accept(f"r{n}") for n in range(20)]
    for n, write in enumerate(writes):
        write.received_at = NOW + n * 60_000 - (3_600_000 if n >= 10 else 0)
    await journal.commit(*writes)
    found = [run.id for run in await journal.runs(limit=99, since=NOW + 8 * 60_000)]
    assert found == ["r9", "r8"]


async def test_open_runs_are_paged_by_sequence_number(journal: SqliteJournal) -> None:
    await journal.commit(*(accept(running=n % 2 == 0) for n in range(10)))
    await journal.commit(move(4, RunState.DONE))
    pages, after = [], 0
    while page := await journal.open_runs(after, 4):
        pages.append([run.seq for run in page])
        after = page[-1].seq
    assert pages == [[1, 2, 3, 5], [6, 7, 8, 9], [10]]


async def test_open_runs_of_a_flow_come_with_their_records(journal: SqliteJournal) -> None:
    await journal.commit(*(accept(flow="even" if n % 2 == 0 else "odd") for n in range(1, 7)))
    await journal.commit(record(4, "a"), record(4, "b"), record(5), move(2, RunState.DONE))
    found = await journal.open_runs_of("even", 0, 9, 1000)
    assert [(run.seq, [row.step for row in run.steps]) for run in found] == [(4, ["a", "b"]), (6, [])]
    assert [run.seq for run in await journal.open_runs_of("even", 4, 9, 1000)] == [6]
    assert await journal.open_flows() == ["even", "odd"]
    await journal.commit(move(4, RunState.DEAD), move(6, RunState.WAITING, wake_at=NOW))
    assert await journal.open_flows() == ["odd"]


@pytest.mark.parametrize(("size", "given"), [(1, 1), (9, 1), (10, 2), (12, 2), (13, 3), (99, 4)])
async def test_open_runs_of_a_flow_are_no_more_than_have_so_many_bytes(
    journal: SqliteJournal, size: int, given: int
) -> None:
    await journal.commit(*(accept(body=b"1" * digits) for digits in (7, 3, 2, 2)))
    await journal.commit(record(1, "a", value=b"12"))
    found = await journal.open_runs_of("retomada", 0, 9, size)
    assert [run.size for run in found] == [9, 3, 2, 2][:given]


async def test_due_runs_come_earliest_first(journal: SqliteJournal) -> None:
    await fill(journal)
    due = await journal.due_runs(NOW, 10)
    assert [(run.seq, run.body) for run in due] == [(10, b""), (9, b"")]
    assert [run.seq for run in await journal.due_runs(NOW - 10, 10)] == [10]
    assert [run.seq for run in await journal.due_runs(NOW, 1)] == [10]
    assert await journal.next_wake() == NOW - 10


async def test_a_run_is_shown_with_its_steps(journal: SqliteJournal) -> None:
    await journal.commit(one := accept("x", body=b"{2}"))
    await journal.commit(record(one.seq, "a"), record(one.seq, "b"))
    detail = await journal.run("x")
    assert detail is not None
    assert (detail.run.id, detail.run.flow, detail.run.plan, detail.run.error) == ("x", "retomada", "plan1", None)
    assert (detail.key, detail.body, detail.notes, detail.wake_at) == ("key of x", b"{2}", b"", None)
    assert [row.step for row in detail.steps] == ["a", "b"]
    assert await journal.run("y") is None


async def test_a_read_sees_what_was_committed_before_it(journal: SqliteJournal) -> None:
    for n in range(50):
        await journal.commit(accept())
        assert len(await journal.open_runs(0, 999)) == n + 1


async def test_a_read_sees_one_instant(journal: SqliteJournal) -> None:
    loop = asyncio.get_running_loop()
    count = "SELECT count(*) FROM runs"

    def twice(connection: apsw.Connection) -> tuple[Any, Any]:
        before = connection.execute(count).get
        asyncio.run_coroutine_threadsafe(commit(), loop).result()
        return before, connection.execute(count).get

    async def commit() -> None:
        await journal.commit(accept())

    assert await journal.read(twice) == (0, 0)
    assert await journal.read(lambda c: c.execute(count).get) == 1


async def test_a_read_cannot_write(journal: SqliteJournal) -> None:
    with pytest.raises(JournalError, match="ReadOnlyError"):
        await journal.read(lambda c: c.execute("DELETE FROM runs").get)


async def test_a_mistake_in_a_query_comes_as_it_is(journal: SqliteJournal) -> None:
    with pytest.raises(apsw.SQLError, match="no such table"):
        await journal.read(lambda c: c.execute("SELECT 1 FROM nowhere").get)
    with pytest.raises(ZeroDivisionError):
        await journal.read(lambda _: 1 // 0)
    assert await journal.open_runs(0, 1) == []


async def test_a_long_read_is_broken_off(journal: SqliteJournal) -> None:
    await journal.commit(accept())
    reader = Reader(lambda: open_reading(journal.path), limit=0.05)
    with pytest.raises(ReadTooLong, match=r"^a read took over 0\.05 s and was broken off$"):
        await reader.read(lambda c: c.execute(ENDLESS).get)
    assert await reader.read(lambda c: c.execute("SELECT count(*) FROM runs").get) == 1
    await reader.close()


async def test_a_read_never_holds_up_a_commit(journal: SqliteJournal) -> None:
    reading = asyncio.create_task(journal.read(lambda c: c.execute(ENDLESS).get))
    await asyncio.sleep(0.01)
    await journal.commit(accept())
    assert not reading.done()
    with pytest.raises(ReadTooLong):
        await reading


@pytest.mark.parametrize(
    ("query", "plan"),
    [
        (
            queries.OPEN_RUNS,
            [
                "SEARCH runs USING INDEX runs_open (seq>?)",
                "SEARCH deliveries USING INTEGER PRIMARY KEY (rowid=?)",
            ],
        ),
        (
            queries.OPEN_RUNS_OF,
            [
                "CO-ROUTINE r",
                "SEARCH runs USING INDEX runs_lane (flow=? AND seq>?)",
                "CORRELATED SCALAR SUBQUERY 1",
                "SEARCH b USING INDEX runs_begun (flow=? AND serial=?)",
                "CORRELATED SCALAR SUBQUERY 2",
                "SEARCH e USING INDEX runs_serial (flow=? AND serial=? AND seq<?)",
                "SCAN r",
                "SEARCH deliveries USING INTEGER PRIMARY KEY (rowid=?)",
            ],
        ),
        (
            queries.OPEN_FLOWS,
            [
                "CO-ROUTINE flows",
                "SETUP",
                "SEARCH runs USING INDEX runs_lane",
                "RECURSIVE STEP",
                "SCAN flows",
                "CORRELATED SCALAR SUBQUERY 2",
                "SEARCH runs USING INDEX runs_lane (flow>?)",
                "SCAN flows",
            ],
        ),
        (
            queries.BEGUN_OF,
            [
                "SEARCH runs USING INDEX runs_begun (flow=? AND serial=?)",
                "SEARCH deliveries USING INTEGER PRIMARY KEY (rowid=?)",
            ],
        ),
        (
            queries.NEXT_OF,
            [
                "SEARCH runs USING INDEX runs_serial (flow=? AND serial=?)",
                "SEARCH deliveries USING INTEGER PRIMARY KEY (rowid=?)",
            ],
        ),
        (queries.DUE_RUNS, ["SEARCH runs USING INDEX runs_wake (wake_at<?)"]),
        (queries.NEXT_WAKE, ["SEARCH runs USING COVERING INDEX runs_wake"]),
        (
            queries.STEPS,
            ["SEARCH steps USING INDEX sqlite_autoindex_steps_1 (run=?)", "USE TEMP B-TREE FOR ORDER BY"],
        ),
        (queries.PLAN, ["SEARCH plans USING INDEX sqlite_autoindex_plans_1 (plan=?)"]),
        (
            queries.RUN,
            [
                "SEARCH runs USING INDEX sqlite_autoindex_runs_1 (id=?)",
                "SEARCH deliveries USING INTEGER PRIMARY KEY (rowid=?)",
            ],
        ),
        (queries.runs_query(None, None), ["SCAN runs"]),  # from its end, as far as the limit
        (queries.runs_query(None, RunState.DONE), ["SCAN runs"]),
        (queries.runs_query(None, RunState.RUNNING), ["SCAN runs USING INDEX runs_open"]),
        (queries.runs_query(None, RunState.DEAD), ["SEARCH runs USING INDEX runs_rare (state=?)"]),
        (queries.runs_query("f", None), ["SEARCH runs USING INDEX runs_flow (flow=?)"]),
        (queries.runs_query("f", RunState.DONE), ["SEARCH runs USING INDEX runs_flow (flow=?)"]),
        (queries.runs_query("f", RunState.ACCEPTED), ["SCAN runs USING INDEX runs_open"]),
        (queries.runs_query("f", RunState.PARKED), ["SEARCH runs USING INDEX runs_rare (state=?)"]),
    ],
)
async def test_no_query_looks_through_all_runs(journal: SqliteJournal, query: str, plan: list[str]) -> None:
    bindings: Any = {"limit": 1, "flow": "f"} if ":limit" in query else (1,) * query.count("?")
    rows = await journal.read(lambda c: list(c.execute(f"EXPLAIN QUERY PLAN {query}", bindings)))
    assert [row[3] for row in rows] == plan
