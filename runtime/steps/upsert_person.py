"""`upsert person by KEY with {…}`: find the person of that phone or email, or make one."""

from typing import Final, Literal

import apsw
import msgspec

from compiler.catalog import EffectClass, Field, Slot, Verb
from runtime.connections.local import upsert_person
from runtime.connections.person import Person
from runtime.context import Call, LocalVerb

SIGNATURE: Final = Verb(
    "upsert",
    "person",
    EffectClass.IDEMPOTENT,
    doc=(
        "Gives the person of a phone or an email, and makes one where there is none. What is given replaces what is "
        "known; what is absent leaves it. Both forms of a Brazilian mobile, with and without the ninth digit, are one "
        "person's. The key fills its own field."
    ),
    slots=(Slot("by", ("phone", "email"), fills=True),),
    with_="fields",
    fields=(
        Field("name", "text", aliases=("nome", "nome_completo", "name")),
        Field("phone", "phone", aliases=("telefone", "celular", "whatsapp", "fone", "phone")),
        Field("email", "email", aliases=("email", "e_mail")),
        Field("opt_out", "bool", doc="True for who wants no messages, false for who wants them again.", inferred=False),
    ),
    result="person",
    infers_fields=True,
    key_field="phone",
    connection="persons",
)


def apply(connection: apsw.Connection, call: Call) -> Person:
    """Do it in the journal's transaction. Arguments: the key, then the given fields or None."""
    key, fields = call.args
    known_by: Literal["phone", "email"] = "email" if "@" in key else "phone"  # a phone is digits after a plus sign
    given = {**(fields or {}), known_by: key}
    return upsert_person(connection, call.key, at=call.at, known_by=known_by, **given)


VERB: Final = LocalVerb(apply, msgspec.json.Decoder(Person).decode)
