"""The keys that other systems know persons by, such as the number of a customer: one person a key, one key a system."""

from collections.abc import Iterable
from typing import Final

import apsw

from runtime.connections.person import ForeignKey

TABLES: Final = """
    CREATE TABLE person_keys (
        name TEXT NOT NULL,  -- of the key, as flows call it
        value TEXT NOT NULL,
        person INTEGER NOT NULL,
        PRIMARY KEY (name, value)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX person_keys_person ON person_keys (person, name);
"""

# The keys of a row of `persons`, as a JSON record.
OF_PERSON: Final = "(SELECT json_group_object(name, value) FROM person_keys WHERE person = persons.n)"

_FIND: Final = "SELECT person FROM person_keys WHERE name = ? AND value = ?"
_HAS: Final = "SELECT EXISTS (SELECT 1 FROM person_keys WHERE person = ? AND name = ?)"
_KEEP: Final = """
    INSERT INTO person_keys (name, value, person) SELECT ?, ?, n FROM persons WHERE id = ? ON CONFLICT DO NOTHING
"""
_DROP: Final = "DELETE FROM person_keys WHERE person = ?"


def find(connection: apsw.Connection, key: ForeignKey) -> int | None:
    """The number of the person of a key."""
    found: int | None = connection.execute(_FIND, key).get
    return found


def has(connection: apsw.Connection, person: int, name: str) -> bool:
    """Whether a person, by its number, has any key of that name."""
    return bool(connection.execute(_HAS, (person, name)).get)


def keep(connection: apsw.Connection, person_id: str, key: ForeignKey) -> None:
    """Keep a key with the person of an id, who has none of that name or this one."""
    connection.execute(_KEEP, (*key, person_id))


def drop(connection: apsw.Connection, persons: Iterable[int]) -> None:
    """Forget the keys of persons, by their numbers."""
    connection.executemany(_DROP, [(number,) for number in persons])
