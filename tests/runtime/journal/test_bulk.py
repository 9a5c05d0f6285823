"""Many writes at once mean the same as one by one."""

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.failures import Kind as FailureKind
from runtime.failures import StepFailure
from runtime.journal import bulk
from runtime.journal.apply import apply
from runtime.journal.database import make_file, open_writing
from runtime.journal.rows import Kind, RunState
from runtime.journal.schema import migrate
from runtime.journal.writes import Accept, Await, Emit, KeepAnswer, Move, Prune, Record, Write
from tests.runtime.journal.made import NOW, keep_plan


def touch(connection: apsw.Connection) -> object:
    """An effect that shows in the tables."""
    connection.execute("INSERT INTO meta VALUES ('touched', 1) ON CONFLICT DO UPDATE SET value = value + 1")
    return connection.execute("SELECT value FROM meta WHERE name = 'touched'").get


def fail(connection: apsw.Connection) -> object:
    """An effect that is undone."""
    touch(connection)
    raise StepFailure("no", "never", FailureKind.PERMANENT)


RUNS = st.integers(1, 5)
TIMES = st.integers(NOW - 2, NOW + 3)
WRONG = st.sampled_from(["not bytes", "\ud800"])
ACCEPTS = st.builds(
    Accept,
    st.sampled_from("abcdefghijk"),
    st.just("key"),
    st.sampled_from(["f", "g"]),
    st.just("plan"),
    st.just(NOW),
    st.binary(max_size=3) | WRONG,
    running=st.booleans(),
    keep=st.sampled_from([None, 5]),
    serial=st.sampled_from([None, None, None, b"s"]),
    dedupe=st.sampled_from([None, None, b"d", b"e"]),
    dedupe_until=st.integers(NOW - 1, NOW + 1),
)
RECORDS = st.builds(
    Record,
    RUNS,
    st.sampled_from(["s", "t"]),
    st.sampled_from(Kind),
    st.binary(max_size=2) | WRONG,
    st.just(NOW),
    st.integers(1, 2),
    effect=st.sampled_from([None, None, None, touch, fail]),
)
MOVES = st.builds(
    Move,
    RUNS,
    st.sampled_from([RunState.RUNNING, RunState.WAITING, RunState.WAITING, RunState.DONE, RunState.PARKED]),
    st.integers(NOW, NOW + 3) | st.just(1 << 70),
    wake_at=st.none() | st.just(NOW),
)
NAMES = st.sampled_from(["paid", "sent", "\ud800"])
AWAITS = st.builds(
    Await, RUNS, st.sampled_from(["w", "s"]), st.just(b""), NAMES, st.just("k"), TIMES, TIMES, st.integers(0, 2)
)
EMITS = st.builds(Emit, RUNS, st.sampled_from("uvwxyz"), st.just(b""), NAMES, st.just("k"), st.just(b"1"), TIMES, TIMES)
RARE = st.builds(KeepAnswer, st.sampled_from("abc"), st.just(b"1") | WRONG) | st.builds(Prune, TIMES, st.just(1))
BATCHES = st.lists(
    ACCEPTS | ACCEPTS | RECORDS | RECORDS | RECORDS | MOVES | MOVES | AWAITS | EMITS | RARE | st.just(keep_plan()),
    max_size=90,
)


@given(BATCHES)
def test_as_one_and_one_by_one_give_the_same(writes: list[Write]) -> None:
    several, single = [copy(each) for each in writes], [copy(each) for each in writes]
    one, other = apsw.Connection(":memory:"), apsw.Connection(":memory:")
    together = commit(one, lambda: as_one(one, several))
    in_turn = commit(other, lambda: one_by_one(other, single))
    assert together == in_turn
    assert [marks(each) for each in several] == [marks(each) for each in single]


def test_what_succeeds_is_done_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = apsw.Connection(":memory:")
    fill(connection)
    first: list[Write] = [Record(run, "s", Kind.STARTED, b"", NOW) for run in range(1, 6)]
    first += [Accept(key, "key", "f", "plan", NOW, b"", dedupe=key.encode(), dedupe_until=NOW) for key in "abc"]
    second: list[Write] = [Record(run, "s", Kind.RESULT, b"", NOW) for run in range(1, 6)]
    second += [Move(run, RunState.DONE, NOW) for run in range(1, 6)]
    monkeypatch.delattr(bulk, "apply")
    connection.execute("BEGIN")
    assert bulk.apply_all(connection, first)
    assert bulk.apply_all(connection, second)
    assert [write.lost for write in second] == [False] * 10


def test_the_statements_of_a_batch_stay_prepared_while_its_effects_run_theirs(tmp_path: Path) -> None:
    make_file(tmp_path / "seta.db")
    connection = open_writing(tmp_path / "seta.db", ())
    fill(connection)

    def parsed_by_a_batch(step: str) -> int:
        before = int(connection.cache_stats()["misses"])
        connection.execute("BEGIN")
        effects: list[Write] = [Record(1, f"{step}{n}", Kind.RESULT, b"", NOW, effect=touch) for n in range(64)]
        assert bulk.apply_all(connection, effects)
        connection.execute("COMMIT")
        return int(connection.cache_stats()["misses"]) - before

    assert [parsed_by_a_batch("a") > 0, parsed_by_a_batch("b")] == [True, 0]
    connection.close()


def fill(connection: apsw.Connection) -> None:
    migrate(connection, ())
    for seq in range(1, 6):
        apply(connection, Accept(f"run{seq}", "key", "f", "plan", NOW, b"", running=seq > 2))


def as_one(connection: apsw.Connection, writes: list[Write]) -> None:
    """What the writer does with a batch."""
    if not bulk.apply_all(connection, writes):
        connection.execute("ROLLBACK; BEGIN")
        one_by_one(connection, writes)


def one_by_one(connection: apsw.Connection, writes: list[Write]) -> None:
    for write in writes:
        apply(connection, write)


def commit(connection: apsw.Connection, work: Callable[[], Any]) -> list[Any]:
    """Run a batch over five runs and give all that is then in the tables."""
    fill(connection)
    connection.execute("BEGIN")
    work()
    connection.execute("COMMIT")
    return [
        list(connection.execute(f"SELECT * FROM {table}"))  # noqa: S608
        for table in ("runs", "deliveries", "plans", "meta", "dedupe", "events", "waiters")
    ] + [list(connection.execute("SELECT run, step, kind, args, value FROM steps ORDER BY run, n"))]


def marks(write: Write) -> tuple[object, ...]:
    """What a commit says of a write."""
    failure = getattr(write, "failure", None)
    names = ("seq", "first", "answer", "busy", "outcome", "number", "value", "until", "woken", "more")
    return (write.lost, failure and failure.code, *(getattr(write, name, None) for name in names))
