"""The tables of the database, and how an older file becomes a newer one.

Rooms above the journal keep tables in the same file: they hand over a `Tables` of their own, whose version is
counted apart.
"""

from dataclasses import dataclass
from typing import Final

import apsw

APPLICATION_ID: Final = 0x53455441  # "SETA": tells `file` and us whose database this is


class JournalTooNew(Exception):  # noqa: N818  # what is wrong with the file, said as people say it
    """The file was written by a newer version, whose tables this one does not know."""

    def __init__(self, name: str, found: int, known: int) -> None:
        super().__init__(
            f"the database was written by a newer version: its tables {name!r} are at version"
            f" {found}, this version knows {known}"
        )
        self.name = name
        self.found = found
        self.known = known


class NotAJournal(Exception):  # noqa: N818  # what is wrong with the file, said as people say it
    """The file is a database of something else."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one room. The n-th script leads from version n to n + 1; a released one never changes."""

    name: str
    migrations: tuple[str, ...]


JOURNAL: Final = Tables(
    "journal",
    (
        """
        CREATE TABLE meta (
            name TEXT PRIMARY KEY,
            value ANY NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE plans (
            plan TEXT PRIMARY KEY,
            flow TEXT NOT NULL,
            bundle BLOB NOT NULL,
            kept_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE runs (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            key TEXT NOT NULL,
            flow TEXT NOT NULL,
            plan TEXT NOT NULL,
            state TEXT NOT NULL,
            received_at INTEGER NOT NULL,
            ended_at INTEGER,
            wake_at INTEGER,
            attempt INTEGER NOT NULL DEFAULT 0,
            step TEXT NOT NULL DEFAULT '',
            error BLOB NOT NULL DEFAULT x'',
            keep INTEGER,
            serial BLOB
        ) STRICT;

        -- What is open is little beside what is done: these stay small.
        CREATE INDEX runs_open ON runs (seq) WHERE state IN ('accepted', 'running');
        CREATE INDEX runs_lane ON runs (flow, seq) WHERE state IN ('accepted', 'running');
        CREATE INDEX runs_serial ON runs (flow, serial, seq)
            WHERE serial IS NOT NULL AND state IN ('accepted', 'running', 'waiting');
        CREATE INDEX runs_wake ON runs (wake_at) WHERE state = 'waiting';
        CREATE INDEX runs_flow ON runs (flow);
        -- Lists by state: done runs are found by walking back through all, the rarer ones here.
        CREATE INDEX runs_rare ON runs (state)
            WHERE state IN ('waiting', 'parked', 'dead', 'stopped', 'cancelled');

        -- Apart from runs, so that a run that changes its state does not write its body again.
        CREATE TABLE deliveries (
            run INTEGER PRIMARY KEY,
            body BLOB NOT NULL,
            context BLOB NOT NULL,
            notes BLOB NOT NULL
        ) STRICT;

        CREATE TABLE steps (
            n INTEGER PRIMARY KEY,
            run INTEGER NOT NULL,
            step TEXT NOT NULL,
            kind TEXT NOT NULL,
            args BLOB NOT NULL,
            value BLOB NOT NULL,
            attempt INTEGER NOT NULL,
            at INTEGER NOT NULL,
            UNIQUE (run, step)
        ) STRICT;

        -- Deliveries that are repeats. By the run's id, not its number: it outlives the run.
        CREATE TABLE dedupe (
            flow TEXT NOT NULL,
            key BLOB NOT NULL,
            run TEXT NOT NULL,
            expires_at INTEGER NOT NULL,
            answer BLOB NOT NULL DEFAULT x'',
            PRIMARY KEY (flow, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX dedupe_expires ON dedupe (expires_at);
        CREATE INDEX dedupe_run ON dedupe (run);

        -- A number is never given twice: who took an event remembers it by that.
        CREATE TABLE events (
            n INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            key TEXT NOT NULL,
            value BLOB NOT NULL,
            at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            last_run INTEGER NOT NULL  -- the youngest that there was: for later ones the event is too old
        ) STRICT;
        CREATE INDEX events_key ON events (name, key, n);
        CREATE INDEX events_expires ON events (expires_at);

        CREATE TABLE waiters (
            run INTEGER NOT NULL,
            step TEXT NOT NULL,
            event TEXT NOT NULL,
            key TEXT NOT NULL,
            since INTEGER NOT NULL,
            until INTEGER NOT NULL,
            after INTEGER NOT NULL,
            PRIMARY KEY (run, step)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX waiters_event ON waiters (event, key);
        """,
        # Retention: which runs are over, and which plan has no run any more.
        """
        CREATE INDEX runs_over
            ON runs (ended_at + coalesce(keep, CASE state WHEN 'dead' THEN 7776000000 ELSE 2592000000 END))
            WHERE ended_at IS NOT NULL;

        -- The youngest run there was when the plan was found to be no longer in use; NULL while it is.
        ALTER TABLE plans ADD COLUMN last_run INTEGER;
        """,
        # A run that people let go on may be older than the one of its serial key that has begun.
        """
        CREATE INDEX runs_begun ON runs (flow, serial, seq)
            WHERE serial IS NOT NULL AND state IN ('running', 'waiting');
        """,
        # Deliveries that did not fit. The body stands last, so that a list need not read it.
        """
        CREATE TABLE rejected (
            n INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            flow TEXT NOT NULL,
            plan TEXT NOT NULL,
            received_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            size INTEGER NOT NULL,
            problems BLOB NOT NULL,
            context BLOB NOT NULL,
            body BLOB NOT NULL
        ) STRICT;
        CREATE INDEX rejected_flow ON rejected (flow, n, size);
        CREATE INDEX rejected_expires ON rejected (expires_at);
        """,
        # A run is `running` only while it is in memory, so that it is known which were there when the process died.
        """
        ALTER TABLE runs ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;  -- it was in memory before, and is accepted again
        ALTER TABLE runs ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN strikes INTEGER NOT NULL DEFAULT 0;
        DROP INDEX runs_begun;
        CREATE INDEX runs_begun ON runs (flow, serial, seq)
            WHERE serial IS NOT NULL AND (state IN ('running', 'waiting') OR (state = 'accepted' AND begun));
        """,
        # That what was kept of a person has been erased; who it was is a hash.
        """
        CREATE TABLE tombstones (
            n INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            hash BLOB NOT NULL,
            counts BLOB NOT NULL
        ) STRICT;
        CREATE INDEX tombstones_hash ON tombstones (kind, hash);
        """,
    ),
)


def check(connection: apsw.Connection, tables: tuple[Tables, ...]) -> None:
    """Raise NotAJournal or JournalTooNew where this version must not touch the file."""
    owner = connection.pragma("application_id")
    if owner != APPLICATION_ID and connection.execute("SELECT EXISTS (SELECT 1 FROM sqlite_schema)").get:
        raise NotAJournal(f"{connection.filename} is a database, but not one of Seta's")
    for room in (JOURNAL, *tables):
        found = _version(connection, room)
        if found > len(room.migrations):
            raise JournalTooNew(room.name, found, len(room.migrations))


def versions(connection: apsw.Connection, tables: tuple[Tables, ...]) -> tuple[int, ...]:
    """The versions that a file has: of the journal's own tables, then of each room's; 0 for none yet."""
    return tuple(_version(connection, room) for room in (JOURNAL, *tables))


def newest(tables: tuple[Tables, ...]) -> tuple[int, ...]:
    """The versions that this version of Seta knows, in the same order."""
    return tuple(len(room.migrations) for room in (JOURNAL, *tables))


def migrate(connection: apsw.Connection, tables: tuple[Tables, ...]) -> None:
    """Bring a file that `check` let pass to the newest version of each room's tables, one transaction a step."""
    for room in (JOURNAL, *tables):
        for version in range(_version(connection, room), len(room.migrations)):
            _step(connection, room, version)


def _version(connection: apsw.Connection, room: Tables) -> int:
    if room is JOURNAL:
        return int(connection.pragma("user_version"))
    if not connection.pragma("user_version"):
        return 0  # a new file: there is no table meta yet
    query = "SELECT value FROM meta WHERE name = ?"
    return int(connection.execute(query, (_version_name(room),)).get or 0)


def _step(connection: apsw.Connection, room: Tables, version: int) -> None:
    with connection:
        connection.execute(room.migrations[version]).fetchall()
        if room is JOURNAL:
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", version + 1)
        else:
            connection.execute(
                "INSERT INTO meta (name, value) VALUES (?1, ?2)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (_version_name(room), version + 1),
            )


def _version_name(room: Tables) -> str:
    return f"tables.{room.name}"
