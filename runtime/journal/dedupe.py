"""Which deliveries are repeats of one that was accepted before."""

from typing import Any, Final

import apsw

from runtime.journal.writes import Accept, KeepAnswer

_FIRST: Final = "SELECT run, answer FROM dedupe WHERE flow = ? AND key = ? AND expires_at > ?"
_CLAIM: Final = """
    INSERT INTO dedupe (flow, key, run, expires_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (flow, key) DO UPDATE SET run = excluded.run, expires_at = excluded.expires_at, answer = x''
"""
_RELEASE: Final = "DELETE FROM dedupe WHERE flow = ? AND key = ? AND run = ?"
_ANSWER: Final = "UPDATE dedupe SET answer = ? WHERE run = ?"
_PRUNE: Final = """
    DELETE FROM dedupe WHERE (flow, key) IN (
        SELECT flow, key FROM dedupe WHERE expires_at <= ? ORDER BY expires_at LIMIT ?
    )
"""


def is_repeat(connection: apsw.Connection, accept: Accept) -> bool:
    """Whether a run of this key is remembered; then the write names it. Otherwise the key is this run's."""
    first: Any = connection.execute(_FIRST, (accept.flow, accept.dedupe, accept.received_at)).fetchone()
    if first is not None:
        accept.first, accept.answer = first
        return True
    connection.execute(_CLAIM, (accept.flow, accept.dedupe, accept.run_id, accept.dedupe_until))
    return False


def release(connection: apsw.Connection, accept: Accept) -> None:
    """Let the key go of a run that could not be kept."""
    connection.execute(_RELEASE, (accept.flow, accept.dedupe, accept.run_id))


def keep_answer(connection: apsw.Connection, write: KeepAnswer) -> None:
    """Remember what a run answered, where its delivery can be repeated."""
    connection.execute(_ANSWER, (write.answer, write.run_id))


def prune(connection: apsw.Connection, at: int, limit: int) -> int:
    """Forget keys whose window is over, at most so many; how many it were."""
    connection.execute(_PRUNE, (at, limit))
    return connection.changes()
