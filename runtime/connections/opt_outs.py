"""That an erased person wants no messages, kept without who it is.

Of a phone or an email there is a hash, salted with a number of the folder's own. Nobody reads a phone from it; it does
not keep who has the database from trying them all.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

import apsw

from runtime.functions.format_phone import match_key

TABLES: Final = """
    CREATE TABLE opt_outs (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE opt_outs_salt AS SELECT randomblob(16) AS salt;
"""

_SALT: Final = "SELECT salt FROM opt_outs_salt"
_SALT_OF_SOME: Final = "SELECT salt FROM opt_outs_salt WHERE EXISTS (SELECT 1 FROM opt_outs)"
_KEEP: Final = "INSERT INTO opt_outs (hash) VALUES (?) ON CONFLICT DO NOTHING"
_HAS: Final = "SELECT EXISTS (SELECT 1 FROM opt_outs WHERE hash = ?)"
_DROP: Final = "DELETE FROM opt_outs WHERE hash = ?"


def keep(connection: apsw.Connection, phone: str | None, email: str | None) -> None:
    """Keep that whoever has the phone (E.164, in either form) or the email wants no messages."""
    salt: bytes = connection.execute(_SALT).get
    connection.executemany(_KEEP, [(one,) for one in _hashes(salt, phone, email)])


def hold(connection: apsw.Connection, phone: str | None, email: str | None) -> bool:
    """Whether it is kept of the phone or the email."""
    salt: bytes | None = connection.execute(_SALT_OF_SOME).get
    if salt is None:
        return False
    return any(connection.execute(_HAS, (one,)).get for one in _hashes(salt, phone, email))


def drop(connection: apsw.Connection, phone: str | None, email: str | None) -> None:
    """Keep it no more: a person that is known says it from now on."""
    salt: bytes = connection.execute(_SALT).get
    connection.executemany(_DROP, [(one,) for one in _hashes(salt, phone, email)])


def _hashes(salt: bytes, phone: str | None, email: str | None) -> Iterator[bytes]:
    for one in (phone and match_key(phone), email and email.lower()):
        if one:
            yield blake2b(one.encode(), digest_size=16, salt=salt).digest()
