"""`send hsm "TEMPLATE" to PERSON|PHONE with {…}`: a WhatsApp template message, into the local outbox."""

from typing import Final

import apsw
import msgspec

from compiler.catalog import EffectClass, Slot, Verb
from runtime.connections.local import opted_out, put_message
from runtime.connections.person import Person
from runtime.context import Call, LocalVerb
from runtime.failures import StepFailure

SIGNATURE: Final = Verb(
    "send",
    "hsm",
    EffectClass.ONCE,
    doc=(
        "Sends a template that WhatsApp has approved to a person or a phone. A message is not taken back: where nobody "
        "can tell whether one was sent, the run is parked instead of sending another. Who is known to want no messages "
        "gets none."
    ),
    literal="static",
    slots=(Slot("to", ("person", "phone"), fills=True),),
    with_="params",
    connection="messages",
    failures=("no_phone", "opted_out"),
)


def apply(connection: apsw.Connection, call: Call) -> str:
    """Put the message into the outbox and give its id. Arguments: the recipient, then the parameters or None."""
    to, params = call.args
    if opted_out(connection, to):
        raise StepFailure("opted_out", "the person wants no messages")
    message = put_message(
        connection,
        call.key,
        to=_phone(to),
        template=str(call.spec.literal[0]),
        params=params or {},
        at=call.at,
        person_id=to.id if isinstance(to, Person) else None,
    )
    return message.id


def _phone(to: Person | str) -> str:
    if isinstance(to, str):
        return to
    if to.phone is None:
        raise StepFailure("no_phone", f"person {to.id} has no phone to send to")
    return to.phone


VERB: Final = LocalVerb(apply, msgspec.json.Decoder(str).decode)
