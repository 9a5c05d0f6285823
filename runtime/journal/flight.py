"""Which runs are in memory, as the journal knows it, and what a process leaves that dies with them.

A delivery that runs at once is `running` before it begins. What is begun from the journal is put on one list before it
begins: a row for all of it. What is still open of both when a process takes the folder was in flight when the one
before it died, and one of these runs may be what killed it.
"""

import logging
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import apsw
import msgspec

from runtime.journal.rows import Poisoned, Suspect
from runtime.journal.writes import Claim, KeepClock, LetGo, Try, Wake

log = logging.getLogger("seta.journal")

POISON: Final = "poison"  # the code of what makes a run a dead letter that killed the process
STRIKES: Final = 3  # deaths, at which the run alone was in flight, that it is given

_WAKE: Final = """
    UPDATE runs SET state = 'accepted', begun = 1, wake_at = NULL, error = x''
    WHERE seq IN (SELECT value FROM json_each(?)) AND state = 'waiting'
"""
_CLAIM: Final = (
    "INSERT INTO meta (name, value) VALUES ('flight', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_TRY: Final = "UPDATE runs SET state = 'running' WHERE seq = ? AND state IN ('accepted', 'running')"
_KEEP_CLOCK: Final = (
    "INSERT INTO meta (name, value) VALUES ('clock', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
# The first condition is an index's.
_IN_FLIGHT: Final = """
    state IN ('accepted', 'running') AND (
        state = 'running' OR seq IN (SELECT value FROM json_each((SELECT value FROM meta WHERE name = 'flight')))
    )
"""
_COUNT: Final = f"SELECT count(*) FROM runs WHERE {_IN_FLIGHT}"  # noqa: S608  # our own words
_LET_GO: Final = f"UPDATE runs SET state = 'accepted', begun = 1 WHERE {_IN_FLIGHT}"  # noqa: S608  # our own words
_DIED: Final = f"""
    UPDATE runs SET state = 'accepted', begun = 1, deaths = deaths + 1, strikes = strikes + (?1 AND deaths > 0)
    WHERE {_IN_FLIGHT}
"""  # noqa: S608  # our own words
_GIVE_UP: Final = """
    UPDATE runs SET state = 'dead', ended_at = ?, wake_at = NULL, error = ?
    WHERE state IN ('accepted', 'running') AND strikes >= ? RETURNING id, flow, ended_at - received_at
"""
_SUSPECTS: Final = """
    SELECT seq, flow, deaths FROM runs WHERE state IN ('accepted', 'running') AND deaths > 0 ORDER BY deaths DESC, seq
"""


class Deaths(NamedTuple):
    """What came of the deaths of processes: who is suspected, and who was given up at the last one."""

    suspects: tuple[Suspect, ...]
    poisoned: tuple[Poisoned, ...]


def apply(connection: apsw.Connection, write: Wake | Claim | Try | LetGo) -> None:
    """Write down which runs come into memory or leave it."""
    match write:
        case Wake():
            connection.execute(_WAKE, (_numbers(write.runs),))
        case Claim():
            connection.execute(_CLAIM, (_numbers(write.runs),))
        case Try():
            connection.execute(_TRY, (write.run,))
            write.lost = not connection.changes()
        case LetGo():
            connection.execute(_LET_GO)
            connection.execute(_CLAIM, (_numbers(()),))


def keep_clock(connection: apsw.Connection, write: KeepClock) -> None:
    """Keep the steady clock, and let those that wait look again."""
    connection.execute(_KEEP_CLOCK, (write.document,))
    if write.wake:
        connection.execute("UPDATE runs SET wake_at = 0 WHERE state = 'waiting' AND wake_at > 0")


def count_deaths(connection: apsw.Connection, now: int) -> Deaths:
    """Suspect what was in flight when the process before this one died.

    One that was suspected before, and was the only one in flight, gets a strike; the third makes it a dead letter.
    """
    alone = connection.execute(_COUNT).get == 1
    connection.execute(_DIED, (alone,))
    connection.execute(_CLAIM, (_numbers(()),))
    given_up: Any = connection.execute(_GIVE_UP, (now, _poison(), STRIKES))
    poisoned = tuple(Poisoned(*row) for row in given_up)
    found: Any = connection.execute(_SUSPECTS)
    return Deaths(tuple(Suspect(*row) for row in found), poisoned)


def tell(poisoned: Iterable[Poisoned]) -> None:
    """Log the dead letters that deaths made, as an engine logs those of its own."""
    for run in poisoned:
        log.error("run is dead", extra={"flow": run.flow, "run": run.id, "code": POISON})


def _numbers(runs: tuple[int, ...]) -> str:
    return msgspec.json.encode(runs).decode()


def _poison() -> bytes:
    message = f"the server died {STRIKES} times while this run was the only one in memory"
    return msgspec.json.encode({"step": "", "code": POISON, "message": message, "attempt": 0})
