"""`tag person "TAG" by PERSON|PHONE|EMAIL`: give a person who is known a tag."""

from collections.abc import Mapping
from typing import Final

import apsw
import msgspec

from compiler.catalog import EffectClass, Slot, Verb
from runtime.connections.hablla import Hablla
from runtime.connections.local import tag_person
from runtime.connections.person import Person
from runtime.context import Call, LocalVerb, RemoteVerb
from runtime.failures import StepFailure
from runtime.steps._failures import PERSONS
from runtime.steps._who import foreign_key

SIGNATURE: Final = Verb(
    "tag",
    "person",
    EffectClass.IDEMPOTENT,
    doc=(
        "Gives a person a tag, which is there once however often it is given. Both forms of a Brazilian mobile are one "
        "person's; `by {erp: id}` is a key of another system's. Where nobody is known by it, it fails; and over Hablla "
        "where the workspace has no such tag."
    ),
    literal="static",
    slots=(Slot("by", ("person", "phone", "email"), fills=True, keys=True),),
    connection="tags",
    failures=("bad_key", "no_person"),
    service_failures=("no_tag", *PERSONS),
)


def apply(connection: apsw.Connection, call: Call) -> str:
    """Do it in the journal's transaction and give the person's id. Arguments: the key."""
    (given,) = call.args
    who = foreign_key(given) if isinstance(given, Mapping) else given
    return tag_person(connection, who, str(call.spec.literal[0]), at=call.at).id


VERB: Final = LocalVerb(apply, msgspec.json.Decoder(str).decode)


def over_hablla(hablla: Hablla, name: str) -> RemoteVerb:
    """The verb over a workspace of Hablla, which is the connection of that name."""

    async def perform(call: Call) -> str:
        person = await _known_there(hablla, name, call.args[0])
        await hablla.tag_person(person, str(call.spec.literal[0]))
        return person

    return RemoteVerb(perform, VERB.result)


async def _known_there(hablla: Hablla, name: str, who: Person | str) -> str:
    """The id of somebody in Hablla. Raises StepFailure: `no_person` where it does not know them."""
    if isinstance(who, Person) and who.via == name:
        return who.id
    key = who if isinstance(who, str) else who.phone or who.email or ""
    found = await (hablla.find_person(email=key) if "@" in key else hablla.find_person(phone=key)) if key else None
    if found is None:
        raise StepFailure("no_person", "Hablla knows nobody by that, so nobody gets the tag")
    return found.id
