"""The file: its settings, its versions, who may read it."""

import re
from pathlib import Path

import apsw
import pytest

from runtime.journal import JournalTooNew, NotAJournal, Tables
from runtime.journal.database import SqliteTooOld, check_library, make_file, open_writing
from runtime.journal.protocol import JournalError
from runtime.journal.schema import JOURNAL
from runtime.journal.writes import Prune
from tests.runtime.journal.conftest import Open
from tests.runtime.journal.made import NOW, accept

VERSION = len(JOURNAL.migrations)
COPY = f"seta-{VERSION}.1.db"  # of a file with version 1 of the tables of another room

ONE = Tables("cars", ("CREATE TABLE cars (plate TEXT) STRICT",))
TWO = Tables("cars", (*ONE.migrations, "ALTER TABLE cars ADD COLUMN colour TEXT; CREATE INDEX plates ON cars (plate)"))
BROKEN = Tables("cars", (*ONE.migrations, "ALTER TABLE cars ADD COLUMN colour TEXT; CREATE TABLE runs (x TEXT)"))


VERSION = len(JOURNAL.migrations)
COPY = f"seta-{VERSION}.1.db"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def modes(folder: Path) -> dict[str, int]:
    return {file.name: mode(file) for file in folder.iterdir()}


async def test_only_the_owner_may_look(opened: Open, folder: Path) -> None:
    journal = await opened()
    await journal.commit(accept())
    assert mode(folder) == 0o700
    assert modes(folder) == {
        "lock": 0o600,
        "seta.db": 0o600,
        "seta.db-shm": 0o600,
        "seta.db-wal": 0o600,
    }


async def test_a_file_that_others_could_read_is_closed_to_them(opened: Open, folder: Path) -> None:
    await (await opened()).close()
    (folder / "seta.db").chmod(0o644)
    await opened()
    assert mode(folder / "seta.db") == 0o600


async def test_the_file_keeps_its_promises(opened: Open) -> None:
    journal = await opened()
    connection = open_writing(journal.path, ())
    settings = {
        "application_id": 0x53455441,
        "user_version": VERSION,
        "journal_mode": "wal",
        "synchronous": 2,
        "auto_vacuum": 2,
        "secure_delete": 1,
        "wal_autocheckpoint": 0,
    }
    assert {name: connection.pragma(name) for name in settings} == settings
    assert (
        connection.execute("SELECT name FROM pragma_table_list WHERE NOT strict AND name NOT LIKE 'sqlite_%'").get
        is None
    )
    connection.close()


async def test_a_file_that_need_not_last_is_not_synced(opened: Open) -> None:
    journal = await opened()
    connection = open_writing(journal.path, (), durable=False)
    assert (connection.pragma("synchronous"), connection.pragma("journal_mode")) == (0, "wal")
    connection.close()


async def test_the_url_key_is_made_once(opened: Open, tmp_path: Path) -> None:
    keys = []
    for folder in (tmp_path / "one", tmp_path / "one", tmp_path / "two"):
        journal = await opened(folder)
        keys.append(journal.url_key)
        await journal.close()
    assert keys[0] == keys[1] != keys[2]
    assert [len(key) for key in keys] == [32, 32, 32]


async def test_a_file_of_a_newer_version_is_refused_and_left_alone(opened: Open, folder: Path) -> None:
    await (await opened()).close()
    with apsw.Connection(str(folder / "seta.db")) as connection:
        connection.pragma("user_version", VERSION + 1)
    before = (folder / "seta.db").read_bytes()
    message = (
        "the database was written by a newer version:"
        f" its tables 'journal' are at version {VERSION + 1}, this version knows {VERSION}"
    )
    with pytest.raises(JournalTooNew, match=f"^{re.escape(message)}$"):
        await opened()
    assert (folder / "seta.db").read_bytes() == before


def other_database(folder: Path) -> bytes:
    folder.mkdir()
    with apsw.Connection(str(folder / "seta.db")) as connection:
        connection.execute("CREATE TABLE songs (title)")
    connection.close()
    return (folder / "seta.db").read_bytes()


async def test_a_database_of_something_else_is_refused_and_left_alone(opened: Open, folder: Path) -> None:
    before = other_database(folder)
    with pytest.raises(NotAJournal, match=r"seta\.db is a database, but not one of Seta's$"):
        await opened()
    assert (folder / "seta.db").read_bytes() == before


async def test_tables_of_other_rooms_are_versioned_apart(opened: Open) -> None:
    for tables, columns in (((), []), ((ONE,), ["plate"]), ((TWO,), ["plate", "colour"]), ((), ["plate", "colour"])):
        journal = await opened(tables=tables)
        rows = await journal.read(lambda c: list(c.execute("SELECT name FROM pragma_table_info('cars')")))
        assert [row[0] for row in rows] == columns
        await journal.close()
    with pytest.raises(JournalTooNew, match="its tables 'cars' are at version 2, this version knows 1"):
        await opened(tables=(ONE,))


async def test_a_migration_that_fails_leaves_the_version_before_it(opened: Open) -> None:
    await (await opened(tables=(ONE,))).close()
    with pytest.raises(Exception, match="table runs already exists"):
        await opened(tables=(BROKEN,))
    journal = await opened(tables=(TWO,))
    columns = await journal.read(lambda c: list(c.execute("SELECT name FROM pragma_table_info('cars')")))
    assert columns == [("plate",), ("colour",)]


def test_a_place_without_write_ahead_log_is_refused() -> None:
    with pytest.raises(JournalError, match=r"^:memory: lies where SQLite cannot keep a write-ahead log$"):
        open_writing(Path(":memory:"), ())


def test_a_sqlite_with_the_bug_in_its_log_is_refused() -> None:
    check_library("3.51.3")
    check_library("3.54.1")
    message = "SQLite 3.51.2 can corrupt its write-ahead log; Seta needs 3.51.3 or newer"
    with pytest.raises(SqliteTooOld, match=f"^{re.escape(message)}$"):
        check_library("3.51.2")


async def test_an_older_file_is_copied_before_its_tables_change(opened: Open, folder: Path) -> None:
    journal = await opened(tables=(ONE,))
    await journal.commit(accept("kept"))
    await journal.close()
    backup = folder / COPY
    assert not backup.exists()
    await opened(tables=(TWO,))
    assert modes(folder)[COPY] == 0o600
    connection = apsw.Connection(str(backup), flags=apsw.SQLITE_OPEN_READONLY)
    columns = list(connection.execute("SELECT name FROM pragma_table_info('cars')"))
    assert (connection.execute("SELECT id FROM runs").get, columns) == ("kept", [("plate",)])
    connection.close()


async def test_a_copy_that_an_attempt_left_is_replaced(opened: Open, folder: Path) -> None:
    await (await opened(tables=(ONE,))).close()
    for name in (COPY, f"{COPY}.part"):
        (folder / name).write_text("half a copy")
    await opened(tables=(TWO,))
    assert (folder / COPY).read_bytes().startswith(b"SQLite format 3")
    assert not (folder / f"{COPY}.part").exists()


async def test_without_a_copy_nothing_is_changed(opened: Open, folder: Path) -> None:
    await (await opened(tables=(ONE,))).close()
    (folder / COPY).mkdir()
    with pytest.raises(OSError, match="directory"):
        await opened(tables=(TWO,))
    assert modes(folder).keys() & {f"{COPY}.part"} == set()
    journal = await opened(tables=(ONE,))
    assert await journal.read(lambda c: list(c.execute("SELECT name FROM pragma_table_info('cars')"))) == [("plate",)]


def first_version(folder: Path) -> None:
    """A file as the first version made it, with a run that is over and a plan."""
    folder.mkdir(mode=0o700)
    make_file(folder / "seta.db")
    with apsw.Connection(str(folder / "seta.db")) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL").fetchall()
        connection.execute(JOURNAL.migrations[0]).fetchall()
        connection.pragma("application_id", 0x53455441)
        connection.pragma("user_version", 1)
        columns = "id, key, flow, plan, state, received_at, ended_at"
        connection.execute(f"INSERT INTO runs ({columns}) VALUES ('a', '', '', '', 'done', 1, 2)")  # noqa: S608  # our own
        connection.execute("INSERT INTO plans (plan, flow, bundle, kept_at) VALUES ('p', 'f', x'', 1)")
    connection.close()


async def test_the_first_version_of_the_journal_becomes_the_newest_and_keeps_its_runs(
    opened: Open, folder: Path
) -> None:
    first_version(folder)
    journal = await opened()
    assert [run.id for run in await journal.runs(limit=9)] == ["a"]
    await journal.commit(Prune(NOW, frozenset()))
    assert await journal.runs(limit=9) == []
    assert await journal.plan("p") is None
    assert (folder / "seta-1.db").exists()
