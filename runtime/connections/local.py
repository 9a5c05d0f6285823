"""The connection `local`: persons and sent messages as tables of the journal's own database.

Everything here runs inside a transaction that the journal commits, together with the record of the step.
"""

from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, Literal

import apsw
import msgspec

from runtime.connections import opt_outs, person_keys
from runtime.connections.person import ForeignKey, Person
from runtime.failures import StepFailure
from runtime.functions.format_phone import match_key
from runtime.journal import Tables
from runtime.journal.texts import Place

TABLES: Final = Tables(
    "local",
    (
        """
        CREATE TABLE persons (
            n INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            name TEXT,
            phone TEXT,
            phone_match TEXT UNIQUE,  -- one for both forms of a number, with and without the ninth digit
            email TEXT COLLATE NOCASE,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX persons_email ON persons (email) WHERE email IS NOT NULL;

        CREATE TABLE outbox (
            n INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            key TEXT NOT NULL UNIQUE,
            "to" TEXT NOT NULL,
            template TEXT NOT NULL,
            params BLOB NOT NULL,  -- JSON
            person TEXT,
            at INTEGER NOT NULL
        ) STRICT;
        """,
        """
        ALTER TABLE persons ADD COLUMN tags TEXT;  -- a JSON list of texts; NULL for none
        ALTER TABLE persons ADD COLUMN opt_out INTEGER;  -- 1 for who wants no messages
        """,
        "ALTER TABLE persons ADD COLUMN wa_id TEXT;  -- WhatsApp's id of the account, which may lack the ninth digit",
        opt_outs.TABLES,
        person_keys.TABLES,
    ),
)

_PERSON: Final = "id, name, phone, email, tags, opt_out"
_BY_KEY: Final = "SELECT n FROM persons WHERE id = ?"
_BY_PHONE: Final = "SELECT n FROM persons WHERE phone_match = ?"
_BY_EMAIL: Final = "SELECT n FROM persons WHERE email = ? ORDER BY n LIMIT 1"
_UPDATE: Final = f"""
    UPDATE persons SET
        name = coalesce(:name, name), email = coalesce(:email, email), phone = coalesce(:phone, phone),
        phone_match = coalesce(:phone_match, phone_match), opt_out = coalesce(:opt_out, opt_out), updated_at = :at
    WHERE n = :n RETURNING {_PERSON}
"""  # noqa: S608  # our own words
_INSERT: Final = f"""
    INSERT INTO persons (id, name, phone, phone_match, email, opt_out, created_at, updated_at)
    VALUES (:id, :name, :phone, :phone_match, :email, :opt_out, :at, :at) RETURNING {_PERSON}
"""  # noqa: S608  # our own words
_FIND: Final = f"SELECT {_PERSON} FROM persons WHERE n = ?"  # noqa: S608  # our own words
_TAG: Final = f"""
    UPDATE persons SET tags = json_insert(coalesce(tags, '[]'), '$[#]', :tag), updated_at = :at
    WHERE n = :n AND NOT EXISTS (SELECT 1 FROM json_each(persons.tags) WHERE value = :tag) RETURNING {_PERSON}
"""  # noqa: S608  # our own words
_KEEP_WA_ID: Final = "UPDATE persons SET wa_id = ? WHERE phone_match = ?"
_KEEP_OPT_OUT: Final = "UPDATE persons SET opt_out = 1, updated_at = ? WHERE phone_match = ?"
_OPTED_OUT: Final = "SELECT phone, email FROM persons WHERE n = ? AND opt_out"
_ROW: Final = f"{_PERSON}, wa_id, created_at, updated_at, {person_keys.OF_PERSON}"
_LIST_PERSONS: Final = f"SELECT {_ROW} FROM persons ORDER BY n DESC LIMIT ?"  # noqa: S608  # our own words
_PERSON_OF: Final = f"SELECT {_ROW} FROM persons WHERE n = ?"  # noqa: S608  # our own words

_MESSAGE: Final = 'id, "to", template, params, person, at'
_PUT: Final = """
    INSERT INTO outbox (id, key, "to", template, params, person, at) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO NOTHING
"""
_GET: Final = f"SELECT {_MESSAGE} FROM outbox WHERE key = ?"  # noqa: S608  # our own words
_LIST_OUTBOX: Final = f"SELECT {_MESSAGE} FROM outbox ORDER BY n DESC LIMIT ?"  # noqa: S608  # our own words
_MESSAGE_OF: Final = f"SELECT {_MESSAGE} FROM outbox WHERE n = ?"  # noqa: S608  # our own words


class PersonRow(msgspec.Struct, frozen=True):
    """A person as lists show it."""

    id: str
    name: str | None
    phone: str | None
    email: str | None
    created_at: int
    updated_at: int
    tags: list[str] = []
    opt_out: bool = False
    wa_id: str | None = None  # of the WhatsApp account, once a message was sent to it
    keys: dict[str, str] = {}  # that other systems know the person by


class Message(msgspec.Struct, frozen=True):
    """A message in the outbox. `person` is the id of whom it is for, where that is known."""

    id: str
    to: str
    template: str
    params: dict[str, Any]
    person: str | None
    at: int


def upsert_person(  # noqa: PLR0913  # columns, each given by name
    connection: apsw.Connection,
    key: str,
    *,
    at: int,
    phone: str | None = None,
    email: str | None = None,
    name: str | None = None,
    opt_out: bool | None = None,
    known_by: Literal["phone", "email"] | ForeignKey = "phone",
) -> Person:
    """Give the person of that phone (E.164, in either form), or of that email where there is no phone.

    `known_by="email"` looks by email even where a phone is given too, and a key looks by that. A key that nobody has
    goes to the person of the phone, or else to a new one. What is given replaces what is known; None leaves it. A new
    person's id comes from `key`, so that the same key means the same person even when its phone is no longer the one
    it was made with. A person that wanted no messages and was erased wants none either when it comes again, until
    `opt_out` is False. Fails as `no_identity` when it is known by nothing, and as `phone_taken` when the person of an
    email or a key would get another's phone.
    """
    foreign = known_by if isinstance(known_by, ForeignKey) else None
    if phone is None and email is None and foreign is None:
        raise StepFailure("no_identity", "a person is known by phone or email, and neither is given")
    values = {
        "id": _id(key),
        "name": name,
        "phone": phone,
        "phone_match": None if phone is None else match_key(phone),
        "email": email,
        "opt_out": opt_out,
        "at": at,
    }
    by_phone = None if foreign is not None or (known_by == "email" and email is not None) else phone
    n = _of_key(connection, foreign, phone) if foreign is not None else _find(connection, by_phone, email)
    n = n or connection.execute(_BY_KEY, (values["id"],)).get
    if by_phone is None and phone is not None and _find(connection, phone, None) not in (None, n):
        what = "email" if foreign is None else f"its key `{foreign.name}`"
        raise StepFailure("phone_taken", f"the person is known by {what}, and the phone is another person's")
    if opt_outs.hold(connection, phone, email):
        values["opt_out"] = opt_out is not False
        opt_outs.drop(connection, phone, email)
    person = _one_person(connection, _INSERT if n is None else _UPDATE, {**values, "n": n})
    if foreign is not None:
        person_keys.keep(connection, person.id, foreign)
    return person


def find_person(
    connection: apsw.Connection, *, phone: str | None = None, email: str | None = None, key: ForeignKey | None = None
) -> Person | None:
    """The person of a key, or of that phone (E.164, in either form), or of that email where there is no phone."""
    n = _find(connection, phone, email) if key is None else person_keys.find(connection, key)
    return None if n is None else _one_person(connection, _FIND, (n,))


def tag_person(connection: apsw.Connection, who: Person | ForeignKey | str, tag: str, *, at: int) -> Person:
    """Give a person a tag, once: the one of an id, a key, a phone (E.164, in either form) or an email.

    Raises StepFailure: `no_person` where there is none.
    """
    n = _known(connection, who)
    if n is None:
        raise StepFailure("no_person", "nobody is known by that, so nobody gets the tag")
    tagged: Any = connection.execute(_TAG, {"n": n, "tag": tag, "at": at}).get
    return _person(tagged) if tagged is not None else _one_person(connection, _FIND, (n,))


def opted_out(connection: apsw.Connection, who: Person | str) -> bool:
    """Whether the person of an id, phone or email is known to want no messages."""
    n = _known(connection, who)
    if n is not None:
        return bool(_one_person(connection, _FIND, (n,)).opt_out)
    phone, email = (who.phone, who.email) if isinstance(who, Person) else (None, who) if "@" in who else (who, None)
    return opt_outs.hold(connection, phone, email)


def keep_wa_id(connection: apsw.Connection, phone: str, wa_id: str) -> None:
    """Keep WhatsApp's id of an account with the person of its phone, if one is known here."""
    connection.execute(_KEEP_WA_ID, (wa_id, match_key(phone)))


def keep_opt_out(connection: apsw.Connection, phone: str, at: int) -> None:
    """Keep with the person of a phone, if one is known here, that it wants no messages."""
    connection.execute(_KEEP_OPT_OUT, (at, match_key(phone)))


def list_persons(connection: apsw.Connection, limit: int) -> list[PersonRow]:
    """Persons, newest first."""
    rows: Any = connection.execute(_LIST_PERSONS, (limit,))
    return [_person_row(row) for row in rows]


def put_message(  # noqa: PLR0913  # columns, each given by name
    connection: apsw.Connection,
    key: str,
    *,
    to: str,
    template: str,
    params: Mapping[str, object],
    at: int,
    person_id: str | None = None,
) -> Message:
    """Put a message into the outbox; for a key that was there before, give its first message and put none."""
    row = (_id(key), key, to, template, msgspec.json.encode(params), person_id, at)
    connection.execute(_PUT, row)
    return _message(connection.execute(_GET, (key,)).fetchone())


def list_outbox(connection: apsw.Connection, limit: int) -> list[Message]:
    """Messages, newest first."""
    return [_message(row) for row in connection.execute(_LIST_OUTBOX, (limit,))]


# For who looks for one person in all that is kept: persons first, because their ids lead to more.
PERSONS: Final = Place("persons", "SELECT n, n, phone, wa_id, email, name, tags FROM persons WHERE n > ? ORDER BY n")
PERSON_KEYS: Final = Place(
    "persons",
    "SELECT name, value, person, value FROM person_keys WHERE (name, value) > (?, ?) ORDER BY name, value",
    ("", ""),
)
OUTBOX: Final = Place("outbox", 'SELECT n, n, "to", params, person FROM outbox WHERE n > ? ORDER BY n')


def persons_of(connection: apsw.Connection, numbers: Iterable[int]) -> list[PersonRow]:
    """The persons of these numbers that there still are."""
    rows: Any = [connection.execute(_PERSON_OF, (number,)).fetchone() for number in numbers]
    return [_person_row(row) for row in rows if row is not None]


def messages_of(connection: apsw.Connection, numbers: Iterable[int]) -> list[Message]:
    """The messages of these numbers that there still are."""
    rows: Any = [connection.execute(_MESSAGE_OF, (number,)).fetchone() for number in numbers]
    return [_message(row) for row in rows if row is not None]


def erase(connection: apsw.Connection, persons: Collection[int], messages: Iterable[int]) -> None:
    """Forget persons and messages, by their numbers. That a person wants no messages stays, without who it is."""
    for number in persons:
        wanted_none: Any = connection.execute(_OPTED_OUT, (number,)).fetchone()
        if wanted_none is not None:
            opt_outs.keep(connection, *wanted_none)
    person_keys.drop(connection, persons)
    connection.executemany("DELETE FROM persons WHERE n = ?", [(number,) for number in persons])
    connection.executemany("DELETE FROM outbox WHERE n = ?", [(number,) for number in messages])


def _id(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:24]


def _find(connection: apsw.Connection, phone: str | None, email: str | None) -> int | None:
    found: Any = None
    if phone is not None:
        found = connection.execute(_BY_PHONE, (match_key(phone),)).get
    elif email is not None:
        found = connection.execute(_BY_EMAIL, (email,)).get
    return None if found is None else int(found)


def _of_key(connection: apsw.Connection, key: ForeignKey, phone: str | None) -> int | None:
    """The person of a key; or of the phone, where it has no other key of that name."""
    n = person_keys.find(connection, key)
    if n is not None:
        return n
    n = _find(connection, phone, None)
    return None if n is None or person_keys.has(connection, n, key.name) else n


def _known(connection: apsw.Connection, who: Person | ForeignKey | str) -> int | None:
    if isinstance(who, ForeignKey):
        return person_keys.find(connection, who)
    if isinstance(who, str):
        return _find(connection, None, who) if "@" in who else _find(connection, who, None)
    found: Any = connection.execute(_BY_KEY, (who.id,)).get
    return None if found is None else int(found)


def _one_person(connection: apsw.Connection, query: str, values: Any) -> Person:
    return _person(connection.execute(query, values).get)  # reads to the end, which RETURNING needs


def _person(row: Any) -> Person:
    person_id, name, phone, email, tags, opt_out = row
    return Person(person_id, name, phone, email, tags and msgspec.json.decode(tags), bool(opt_out) or None)


def _person_row(row: Any) -> PersonRow:
    person_id, name, phone, email, tags, opt_out, wa_id, created_at, updated_at, keys = row
    decode = msgspec.json.decode
    return PersonRow(
        person_id,
        name,
        phone,
        email,
        created_at,
        updated_at,
        decode(tags or "[]"),
        bool(opt_out),
        wa_id,
        decode(keys),
    )


def _message(row: Any) -> Message:
    message_id, to, template, params, person, at = row
    return Message(message_id, to, template, msgspec.json.decode(params), person, at)
