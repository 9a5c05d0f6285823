"""Keys of deliveries: which one is a repeat, and which one waits for another."""

import pytest

from runtime.journal import SqliteJournal
from runtime.journal.rows import RunState
from runtime.journal.writes import Accept, KeepAnswer, Prune
from tests.runtime.journal.made import NOW, accept, move, record


def keyed(run_id: str, key: bytes, *, until: int = NOW + 5, at: int = NOW) -> Accept:
    """A delivery with a key for repeats."""
    return Accept(run_id, run_id, "f", "plan1", at, b"{}", dedupe=key, dedupe_until=until)


def serial(run_id: str, key: bytes, flow: str = "f") -> Accept:
    """A delivery that may have to wait for another."""
    return Accept(run_id, run_id, flow, "plan1", NOW, b"{}", serial=key)


@pytest.mark.parametrize("together", [False, True])
async def test_a_repeat_names_the_first_run_and_is_not_kept(journal: SqliteJournal, *, together: bool) -> None:
    writes = [keyed("a", b"1"), keyed("b", b"1"), keyed("c", b"2"), keyed("d", b"1")]
    if together:
        await journal.commit(*writes)
    else:
        for write in writes:
            await journal.commit(write)
    assert [(write.seq, write.first, write.lost) for write in writes] == [
        (1, "", False),
        (0, "a", False),
        (2, "", False),
        (0, "a", False),
    ]
    assert [run.id for run in await journal.runs(limit=9)] == ["c", "a"]


async def test_a_window_ends(journal: SqliteJournal) -> None:
    await journal.commit(keyed("a", b"1", until=NOW + 5))
    await journal.commit(within := keyed("b", b"1", at=NOW + 4))
    await journal.commit(after := keyed("c", b"1", at=NOW + 5, until=NOW + 9))
    await journal.commit(repeat := keyed("d", b"1", at=NOW + 6))
    assert [write.first for write in (within, after, repeat)] == ["a", "", "c"]


async def test_an_answer_goes_to_repeats_and_not_to_the_next_window(journal: SqliteJournal) -> None:
    await journal.commit(keyed("a", b"1"))
    await journal.commit(KeepAnswer("a", b'{"status":200}'), KeepAnswer("nobody", b"1"))
    await journal.commit(repeat := keyed("b", b"1"))
    assert (repeat.first, repeat.answer) == ("a", b'{"status":200}')
    await journal.commit(keyed("c", b"1", at=NOW + 5, until=NOW + 9))
    await journal.commit(repeat := keyed("d", b"1", at=NOW + 6))
    assert (repeat.first, repeat.answer) == ("c", b"")


async def test_a_delivery_that_cannot_be_kept_lets_its_key_go(journal: SqliteJournal) -> None:
    wrong = keyed("a", b"1")
    wrong.body = "text"  # type: ignore[assignment]
    await journal.commit(wrong)
    await journal.commit(good := keyed("b", b"1"))
    assert (wrong.lost, wrong.seq, good.first, good.lost) == (True, 0, "", False)


async def test_pruning_forgets_what_is_over_and_says_whether_there_may_be_more(journal: SqliteJournal) -> None:
    await journal.commit(*(keyed(f"r{n}", b"%d" % n, until=NOW + n) for n in range(10)))
    writes = [Prune(NOW + 7, slice=3) for _ in range(4)]
    left = []
    for write in writes:
        await journal.commit(write)
        left.append(await journal.read(lambda c: c.execute("SELECT count(*) FROM dedupe").get))
    assert [write.more for write in writes] == [True, True, False, False]
    assert left == [7, 4, 2, 2]


async def test_an_equal_serial_key_of_an_open_run_keeps_the_next_waiting(journal: SqliteJournal) -> None:
    writes = [serial("a", b"1"), serial("b", b"1"), serial("c", b"2"), serial("d", b"1", "g"), accept("e", flow="f")]
    await journal.commit(*writes)
    assert [(write.seq, write.busy) for write in writes] == [(1, False), (2, True), (3, False), (4, False), (5, False)]
    found = await journal.open_runs_of("f", 0, 9, 1000)
    assert [(run.run_id, run.state, run.busy) for run in found] == [
        ("a", RunState.RUNNING, False),
        ("b", RunState.ACCEPTED, True),
        ("c", RunState.RUNNING, False),
        ("e", RunState.RUNNING, False),
    ]
    assert [run.body for run in found] == [b"{}", b"", b"{}", b"{}"]


async def test_the_next_of_a_key_is_the_first_that_is_open(journal: SqliteJournal) -> None:
    await journal.commit(*(serial(name, b"1") for name in "abc"), serial("x", b"2"))

    async def next_one() -> str | None:
        found = await journal.next_of("f", b"1")
        return None if found is None else found.run_id

    assert await next_one() == "a"
    await journal.commit(move(1, RunState.WAITING, wake_at=NOW))
    assert await next_one() is None
    await journal.commit(move(1, RunState.PARKED), record(2))
    found = await journal.next_of("f", b"1")
    assert found is not None
    assert (found.run_id, [row.step for row in found.steps], found.serial) == ("b", ["a"], b"1")
    await journal.commit(move(2, RunState.DONE), move(3, RunState.DONE))
    assert await next_one() is None
    await journal.commit(last := serial("d", b"1"))
    assert not last.busy
