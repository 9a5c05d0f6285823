"""A person as flows see one, whichever system keeps it."""

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
