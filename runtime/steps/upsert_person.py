"""`upsert person by KEY with {…}`: find the person of that phone, email or key, or make one."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import apsw
import msgspec

from compiler.catalog import EffectClass, Field, Slot, Verb
from runtime.connections.hablla import Hablla
from runtime.connections.local import upsert_person
from runtime.connections.person import Person
from runtime.context import Call, LocalVerb, RemoteVerb
from runtime.failures import StepFailure
from runtime.steps._failures import PERSONS
from runtime.steps._who import foreign_key

SIGNATURE: Final = Verb(
    "upsert",
    "person",
    EffectClass.IDEMPOTENT,
    doc=(
        "Gives the person of a phone or an email, and makes one where there is none. What is given replaces what is "
        "known; what is absent leaves it. Both forms of a Brazilian mobile, with and without the ninth digit, are one "
        "person's. Phone and email fill their own field. `by {erp: id}` is a key of another system's: where nobody has "
        "it, it goes to the person of the given phone, or else to a new one."
    ),
    slots=(Slot("by", ("phone", "email"), fills=True, keys=True),),
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
    failures=("bad_key", "opt_out", "phone_taken"),
    service_failures=PERSONS,
)


def apply(connection: apsw.Connection, call: Call) -> Person:
    """Do it in the journal's transaction. Arguments: the key, then the given fields or None."""
    who, fields = call.args
    if isinstance(who, Mapping):
        return upsert_person(connection, call.key, at=call.at, known_by=foreign_key(who), **(fields or {}))
    known_by, given = _known(who, fields)
    return upsert_person(connection, call.key, at=call.at, known_by=known_by, **given)


def _known(key: str, fields: Mapping[str, Any] | None) -> tuple[Literal["phone", "email"], dict[str, Any]]:
    """What the key is, and the given fields with the one that it fills."""
    known_by: Literal["phone", "email"] = "email" if "@" in key else "phone"  # a phone is digits after a plus sign
    return known_by, {**(fields or {}), known_by: key}


VERB: Final = LocalVerb(apply, msgspec.json.Decoder(Person).decode)


def over_hablla(hablla: Hablla, name: str) -> RemoteVerb:
    """The verb over a workspace of Hablla, which is the connection of that name."""

    async def perform(call: Call) -> Person:
        key, fields = call.args
        known_by, given = _known(key, fields)
        if given.pop("opt_out", None) is not None:
            raise StepFailure("opt_out", "Hablla keeps itself who wants no messages: `opt_out` cannot be set there")
        person = await hablla.upsert_person(known_by=known_by, **given)
        return msgspec.structs.replace(person, via=name)

    return RemoteVerb(perform, VERB.result)
