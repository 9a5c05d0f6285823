"""`tag person "TAG" by PERSON|PHONE|EMAIL`: give a person who is known a tag."""

from typing import Final

import apsw
import msgspec

from compiler.catalog import EffectClass, Slot, Verb
from runtime.connections.local import tag_person
from runtime.context import Call, LocalVerb

SIGNATURE: Final = Verb(
    "tag",
    "person",
    EffectClass.IDEMPOTENT,
    doc=(
        "Gives a person a tag, which is there once however often it is given. Both forms of a Brazilian mobile are one "
        "person's. Where nobody is known by the key, it fails."
    ),
    literal="static",
    slots=(Slot("by", ("person", "phone", "email"), fills=True),),
    connection="tags",
    failures=("no_person",),
)


def apply(connection: apsw.Connection, call: Call) -> str:
    """Do it in the journal's transaction and give the person's id. Arguments: the key."""
    (who,) = call.args
    return tag_person(connection, who, str(call.spec.literal[0]), at=call.at).id


VERB: Final = LocalVerb(apply, msgspec.json.Decoder(str).decode)
