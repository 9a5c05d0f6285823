"""A person as flows see one, whichever system keeps it."""

from typing import NamedTuple

import msgspec


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person as flows see it."""

    id: str
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    tags: list[str] | None = None  # in the order in which they came; None where there is none
    opt_out: bool | None = None  # true: wants no messages
    via: str | None = None  # the connection whose id that is; None: the server's own persons


class ForeignKey(NamedTuple):
    """What another system knows a person by: the key's name, as flows call it, and its value."""

    name: str
    value: str
