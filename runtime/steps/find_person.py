"""`find person by KEY`: the person of that phone or email, or nothing."""

from typing import Final

import apsw
import msgspec

from compiler.catalog import EffectClass, Slot, Verb
from runtime.connections.hablla import Hablla
from runtime.connections.person import Person
from runtime.context import Call, LocalVerb, RemoteVerb
from runtime.steps._failures import PERSONS
from runtime.steps._who import known_here

SIGNATURE: Final = Verb(
    "find",
    "person",
    EffectClass.IDEMPOTENT,
    doc=(
        "Gives the person of a phone, an email or a key (`by {erp: id}`), if there is one: its result may be absent, "
        "and its `else` runs when nothing is found. Both forms of a Brazilian mobile find the same person."
    ),
    slots=(Slot("by", ("phone", "email"), fills=True, keys=True),),
    result="person",
    finds=True,
    connection="persons",
    failures=("bad_key",),
    service_failures=PERSONS,
)


def apply(connection: apsw.Connection, call: Call) -> Person | None:
    """Look in the journal's own database. Arguments: the key."""
    (who,) = call.args
    return known_here(connection, who)


VERB: Final = LocalVerb(apply, msgspec.json.Decoder(Person | None).decode)


def over_hablla(hablla: Hablla, name: str) -> RemoteVerb:
    """The verb over a workspace of Hablla, which is the connection of that name."""

    async def perform(call: Call) -> Person | None:
        (key,) = call.args
        found = await (hablla.find_person(email=key) if "@" in key else hablla.find_person(phone=key))
        return None if found is None else msgspec.structs.replace(found, via=name)

    return RemoteVerb(perform, VERB.result)
