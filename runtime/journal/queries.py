"""What is asked of the tables: each a function of a connection that reads."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import apsw
import msgspec

from runtime.journal.rows import Kind, OpenRun, PastRun, RunDetail, RunRow, RunState, StepRow

_OPEN_RUN: Final = """
    SELECT seq, id, key, flow, plan, state, received_at, body, context, attempt, step, wake_at, serial, FALSE,
        deaths
    FROM runs JOIN deliveries ON run = seq
"""
OPEN_RUNS: Final = f"""
    {_OPEN_RUN} WHERE state IN ('accepted', 'running') AND seq > ? ORDER BY seq LIMIT ?
"""
OPEN_RUN: Final = f"{_OPEN_RUN} WHERE seq = ? AND state IN ('accepted', 'running')"
OPEN_RUNS_OF: Final = """
    SELECT r.seq, id, key, flow, plan, state, received_at, iif(busy, x'', body), context, attempt, step, wake_at,
        serial, busy, deaths
    FROM (
        SELECT *, serial IS NOT NULL AND (
            EXISTS (
                SELECT 1 FROM runs AS b
                WHERE b.flow = runs.flow AND b.serial = runs.serial AND b.serial IS NOT NULL
                  AND (b.state IN ('running', 'waiting') OR (b.state = 'accepted' AND b.begun))
                  AND (runs.state = 'accepted' AND NOT runs.begun OR b.seq < runs.seq)
            ) OR runs.state = 'accepted' AND NOT runs.begun AND EXISTS (
                SELECT 1 FROM runs AS e
                WHERE e.flow = runs.flow AND e.serial = runs.serial AND e.serial IS NOT NULL
                  AND e.state IN ('accepted', 'running', 'waiting') AND e.seq < runs.seq
            )
        ) AS busy
        FROM runs INDEXED BY runs_lane  -- another one has all runs of the flow
        WHERE state IN ('accepted', 'running') AND flow = ? AND seq > ? AND (deaths = 0 OR state = 'running')
        ORDER BY seq LIMIT ?
    ) AS r JOIN deliveries ON run = r.seq ORDER BY r.seq
"""
# From flow to flow, so that a long backlog is not looked through.
OPEN_FLOWS: Final = """
    WITH RECURSIVE flows (flow) AS (
        SELECT min(flow) FROM runs WHERE state IN ('accepted', 'running')
        UNION ALL
        SELECT (SELECT min(flow) FROM runs WHERE state IN ('accepted', 'running') AND flow > flows.flow)
        FROM flows WHERE flow IS NOT NULL
    )
    SELECT flow FROM flows WHERE flow IS NOT NULL
"""
BEGUN_OF: Final = f"""
    {_OPEN_RUN} WHERE flow = ? AND serial = ? AND serial IS NOT NULL
        AND (state IN ('running', 'waiting') OR (state = 'accepted' AND begun))
    ORDER BY seq LIMIT 1
"""
NEXT_OF: Final = f"""
    {_OPEN_RUN} WHERE flow = ? AND serial = ? AND serial IS NOT NULL AND state IN ('accepted', 'running', 'waiting')
    ORDER BY seq LIMIT 1
"""
DUE_RUNS: Final = """
    SELECT seq, id, key, flow, plan, state, received_at, x'', x'', attempt, step, wake_at, serial, FALSE, deaths
    FROM runs WHERE state = 'waiting' AND wake_at <= ? ORDER BY wake_at, seq LIMIT ?
"""
NEXT_WAKE: Final = "SELECT min(wake_at) FROM runs WHERE state = 'waiting'"
STEPS: Final = "SELECT step, kind, args, value, attempt, at FROM steps WHERE run = ? ORDER BY n"
PLAN: Final = "SELECT bundle FROM plans WHERE plan = ?"
GENERATION: Final = "SELECT value FROM meta WHERE name = 'generation'"
RUN: Final = """
    SELECT seq, id, flow, plan, state, received_at, ended_at, step, error, key, body, notes, wake_at, serial,
        deaths, strikes
    FROM runs JOIN deliveries ON run = seq WHERE id = ?
"""
_SHOWN: Final = "seq, id, flow, plan, state, received_at, ended_at, step, error"
_RECEIVED: Final = "SELECT received_at FROM runs WHERE seq >= ? ORDER BY seq LIMIT 1"
_SET_BACK: Final = 2 * 3_600_000  # ms by which a clock may have been set back
MOST_COUNTED: Final = 100_000  # runs of one state: beyond them a number says only that there are as many
_OPEN_COUNT: Final = "SELECT count(*) FROM (SELECT 1 FROM runs WHERE state IN ('accepted', 'running') LIMIT ?)"
_RARE_COUNT: Final = """
    SELECT count(*) FROM (
        SELECT 1 FROM runs
        WHERE state = ? AND state IN ('waiting', 'parked', 'dead', 'stopped', 'cancelled') LIMIT ?
    )
"""
_OLDEST: Final = "SELECT seq, received_at FROM runs WHERE state IN ('accepted', 'running') ORDER BY seq LIMIT ?"
_RUNNABLE: Final = frozenset({RunState.ACCEPTED, RunState.RUNNING})


def open_runs(connection: apsw.Connection, after: int, limit: int) -> list[OpenRun]:
    """Runs accepted or running, above a sequence number, in that order."""
    return [_open_run(row) for row in connection.execute(OPEN_RUNS, (after, limit))]


def open_runs_of(connection: apsw.Connection, flow: str, after: int, limit: int, size: int) -> list[OpenRun]:
    """Those of one flow, with their records; the one with which they come to `size` bytes is the last."""
    found: list[OpenRun] = []
    for row in connection.execute(OPEN_RUNS_OF, (flow, after, limit)):
        one = _open_run(row)
        found.append(one if one.busy else _with_steps(connection, one))
        size -= found[-1].size
        if size <= 0:
            break
    return found


def open_run(connection: apsw.Connection, number: int) -> OpenRun | None:
    """One run with its records, or None where it is neither accepted nor running."""
    row: Any = connection.execute(OPEN_RUN, (number,)).fetchone()
    return None if row is None else _with_steps(connection, _open_run(row))


def open_flows(connection: apsw.Connection) -> list[str]:
    """The flows of runs accepted or running."""
    return [str(flow) for (flow,) in connection.execute(OPEN_FLOWS)]


def next_of(connection: apsw.Connection, flow: str, serial: bytes) -> OpenRun | None:
    """The open run of a flow whose turn it is of those with this serial key, unless it waits: one that has begun."""
    row: Any = connection.execute(BEGUN_OF, (flow, serial)).fetchone()
    row = row or connection.execute(NEXT_OF, (flow, serial)).fetchone()
    found = None if row is None else _open_run(row)
    return None if found is None or found.state is RunState.WAITING else _with_steps(connection, found)


def due_runs(connection: apsw.Connection, now: int, limit: int) -> list[OpenRun]:
    """Waiting runs whose instant has come, earliest first, without what they were given."""
    return [_open_run(row) for row in connection.execute(DUE_RUNS, (now, limit))]


def next_wake(connection: apsw.Connection) -> int | None:
    """The earliest instant at which a waiting run goes on."""
    value: int | None = connection.execute(NEXT_WAKE).get
    return value


def steps(connection: apsw.Connection, run: int) -> list[StepRow]:
    """The records of a run, in the order in which they were committed."""
    rows: Any = connection.execute(STEPS, (run,))
    return [StepRow(step, Kind(kind), *rest) for step, kind, *rest in rows]


def plan(connection: apsw.Connection, name: str) -> bytes | None:
    """The bundle kept for a plan."""
    value: bytes | None = connection.execute(PLAN, (name,)).get
    return value


def generation(connection: apsw.Connection) -> bytes | None:
    """The document of the last generation that was kept."""
    value: bytes | None = connection.execute(GENERATION).get
    return value


def runs(
    connection: apsw.Connection, limit: int, flow: str | None, state: RunState | None, since: int | None
) -> list[RunRow]:
    """Runs, newest first, of a flow, in a state, or received since an instant where one is given."""
    first = 0 if since is None else _first_since(connection, since)
    bindings = {"limit": limit, "flow": flow, "since": since, "first": first}
    return [_run_row(row) for row in connection.execute(runs_query(flow, state, since=since is not None), bindings)]


def runs_by_number(connection: apsw.Connection, numbers: Sequence[int]) -> list[RunRow]:
    """The runs of these sequence numbers."""
    places = ", ".join("?" * len(numbers))
    rows = connection.execute(f"SELECT {_SHOWN} FROM runs WHERE seq IN ({places})", numbers)  # noqa: S608  # our own words
    return [_run_row(row) for row in rows]


def past_runs(
    connection: apsw.Connection, page: tuple[int, int, int], flow: str | None, state: RunState, since: int | None
) -> list[PastRun]:
    """Runs in a state in the order of their numbers: a page is (above this number, up to this one, so many)."""
    above, upto, limit = page
    first = above + 1 if since is None else max(above + 1, _first_since(connection, since))
    bindings = {"flow": flow, "first": first, "since": since or 0, "upto": upto, "limit": limit}
    found: Any = connection.execute(past_query(flow, state), bindings)
    return [PastRun(*row) for row in found]


def past_query(flow: str | None, state: RunState) -> str:
    """The query for a page of runs that are to be replayed; conditions as in a list's."""
    where = " AND ".join([*_conditions(flow, state, since=True), "seq <= :upto"])
    shown = "seq, id, key, flow, body, context, notes"
    return f"SELECT {shown} FROM runs JOIN deliveries ON run = seq WHERE {where} ORDER BY seq LIMIT :limit"  # noqa: S608  # our own words


class Standing(msgspec.Struct, frozen=True):
    """How many runs there are that have not ended well, each number up to MOST_COUNTED.

    `queued` are those in the journal alone that may be begun; the oldest of them was received at `oldest`.
    """

    queued: int
    oldest: int | None
    waiting: int
    parked: int
    dead: int


def standing(connection: apsw.Connection, in_memory: AbstractSet[int]) -> Standing:
    """Count runs, beside the numbers of those that are in memory."""
    queued = _count(connection.execute(_OPEN_COUNT, (MOST_COUNTED + len(in_memory),))) - len(in_memory)
    rare = (
        _count(connection.execute(_RARE_COUNT, (state, MOST_COUNTED)))
        for state in (RunState.WAITING, RunState.PARKED, RunState.DEAD)
    )
    return Standing(max(0, queued), oldest(connection, in_memory), *rare)


def oldest(connection: apsw.Connection, in_memory: AbstractSet[int]) -> int | None:
    """When the first of those runs was received that are in the journal alone and may be begun."""
    rows: Any = connection.execute(_OLDEST, (len(in_memory) + 1,))
    return next((received_at for seq, received_at in rows if seq not in in_memory), None)


def _count(cursor: apsw.Cursor) -> int:
    found: Any = cursor.get
    return int(found)


def last_number(connection: apsw.Connection) -> int:
    """The highest number of a run; 0 where there is none."""
    return int(connection.execute("SELECT max(seq) FROM runs").get or 0)


def _first_since(connection: apsw.Connection, since: int) -> int:
    """A number below which no run was received since then, unless the clock was set back by more than hours.

    Numbers are given in the order of time: halving what is left finds it in a few steps, and no index is kept for it.
    """
    low, high = 0, last_number(connection)
    while low < high:
        middle = (low + high) // 2
        received: Any = connection.execute(_RECEIVED, (middle,)).get
        if received < since - _SET_BACK:
            low = middle + 1
        else:
            high = middle
    return low


def runs_query(flow: str | None, state: RunState | None, *, since: bool = False) -> str:
    """The query for a list of runs.

    A partial index serves only where its own condition stands in the query. A state narrows more than a flow does,
    but for the usual one: done runs are met soon enough by walking back through all, or all of a flow.
    """
    conditions = _conditions(flow, state, since=since)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {_SHOWN} FROM runs {where} ORDER BY seq DESC LIMIT :limit"  # noqa: S608  # our own words


def _conditions(flow: str | None, state: RunState | None, *, since: bool) -> list[str]:
    conditions = []
    if state is not None:
        conditions.append(f"state = '{RunState(state)}'")
    if state in _RUNNABLE:
        conditions.append("state IN ('accepted', 'running')")
    elif state not in {None, RunState.DONE}:
        conditions.append("state IN ('waiting', 'parked', 'dead', 'stopped', 'cancelled')")
    if since:
        conditions.append("seq >= :first AND received_at >= :since")
    if flow is not None:
        column = "flow" if state in {None, RunState.DONE} else "+flow"  # + keeps its index out of the choice
        conditions.append(f"{column} = :flow")
    return conditions


def run(connection: apsw.Connection, run_id: str) -> RunDetail | None:
    """One run with all that is kept of it, or None where there is none of that id."""
    row: Any = connection.execute(RUN, (run_id,)).fetchone()
    if row is None:
        return None
    *shown, key, body, notes, wake_at, serial, deaths, strikes = row
    found = _run_row(shown)
    records = steps(connection, found.seq)
    return RunDetail(found, key, body, notes, wake_at, serial, deaths, strikes, records)


def _with_steps(connection: apsw.Connection, row: OpenRun) -> OpenRun:
    return msgspec.structs.replace(row, steps=steps(connection, row.seq))


def _open_run(row: Any) -> OpenRun:
    seq, run_id, key, flow, plan_name, state, received_at, *given, busy, deaths = row
    body, context, attempt, step, wake_at, serial = given
    return OpenRun(
        seq, run_id, key, flow, plan_name, RunState(state), received_at,
        body, context, attempt, step, wake_at, serial, bool(busy), deaths,
    )  # fmt: skip


def _run_row(row: Any) -> RunRow:
    seq, run_id, flow, plan_name, state, received_at, ended_at, step, error = row
    problem = msgspec.Raw(error) if error else None
    return RunRow(seq, run_id, flow, plan_name, RunState(state), received_at, ended_at, step, problem)
