"""By what a step knows a person: a phone, an email, or the key of another system's."""

from collections.abc import Mapping
from typing import Final

import apsw

from runtime.connections.local import find_person
from runtime.connections.person import ForeignKey, Person
from runtime.failures import StepFailure

_LONGEST: Final = 200  # characters of a key

Who = str | Mapping[str, str | int]


def foreign_key(who: Mapping[str, str | int]) -> ForeignKey:
    """The key that a record of one name and one value is.

    Raises StepFailure: `bad_key` for one that is empty, which would be everybody's, or longer than any key.
    """
    ((name, value),) = who.items()
    text = str(value)
    if not text.strip():
        raise StepFailure("bad_key", f"the key `{name}` is empty")
    if len(text) > _LONGEST:
        raise StepFailure("bad_key", f"the key `{name}` has more than {_LONGEST} characters")
    return ForeignKey(name, text)


def known_here(connection: apsw.Connection, who: Who) -> Person | None:
    """The server's own person of a phone, an email or a key."""
    match who:
        case str() if "@" in who:  # a phone is digits after a plus sign
            return find_person(connection, email=who)
        case str():
            return find_person(connection, phone=who)
        case _:
            return find_person(connection, key=foreign_key(who))
