"""`send hsm "TEMPLATE" to PERSON|PHONE with {…}`: a WhatsApp template message, into the local outbox or for real."""

from collections.abc import Mapping
from typing import Any, Final

import apsw
import msgspec

from compiler.catalog import EffectClass, Slot, Verb
from runtime.connections.hablla import Hablla
from runtime.connections.local import keep_opt_out, keep_wa_id, opted_out, put_message
from runtime.connections.lost import nothing_sent_yet
from runtime.connections.pace import Pace
from runtime.connections.person import Person
from runtime.connections.whatsapp_cloud import OPTED_OUT, UNDELIVERABLE, NotThere, Sent, WhatsAppCloud
from runtime.context import Call, LocalVerb, RemoteVerb, Template
from runtime.failures import Kind, StepFailure
from runtime.functions.format_phone import both_forms, match_key
from runtime.steps._failures import MESSAGES

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
    failures=("no_person", "no_phone", OPTED_OUT),
    service_failures=MESSAGES,
)


# Into the local outbox ----------------------------------------------------------------------------


def apply(connection: apsw.Connection, call: Call) -> str:
    """Put the message into the outbox and give its id. Arguments: the recipient, then the parameters or None."""
    to, params = call.args
    refuse_opted_out(connection, call)
    message = put_message(
        connection,
        call.key,
        to=_phone(to),
        template=_name(call),
        params=params or {},
        at=call.at,
        person_id=to.id if isinstance(to, Person) else None,
    )
    return message.id


def refuse_opted_out(connection: apsw.Connection, call: Call) -> None:
    """Raise StepFailure where the server itself knows that the recipient wants no messages."""
    to = call.args[0]
    own = isinstance(to, Person) and to.via is None
    if opted_out(connection, to if own else _phone(to)):
        raise StepFailure(OPTED_OUT, "the person wants no messages")


def _phone(to: Person | str) -> str:
    if isinstance(to, str):
        return to
    if to.phone is None:
        raise StepFailure("no_phone", f"person {to.id} has no phone to send to")
    return to.phone


def _name(call: Call) -> str:
    return str(call.spec.literal[0])


_read: Final = msgspec.json.Decoder(str | Sent | None).decode


def _id(data: bytes) -> str | None:
    """The message's id, from whatever it went over; None for one that a person says was sent."""
    recorded = _read(data)
    return recorded.id if isinstance(recorded, Sent) else recorded


VERB: Final = LocalVerb(apply, _id)


# For real -----------------------------------------------------------------------------------------

_AREAS_OF_OLD_ACCOUNTS: Final = "31"  # and above


def over_whatsapp(cloud: WhatsAppCloud, language: str, pace: Pace, *, other_form: bool = False) -> RemoteVerb:
    """The verb over a number of a business; `language` is that of templates that the catalog file does not list.

    With `other_form` a message that no account takes under a Brazilian mobile goes in the next attempt to its form with
    or without the ninth digit: nobody else can have that. Which form it is, the journal tells.
    """

    async def perform(call: Call) -> Sent:
        phone = _phone(call.args[0])
        other = _other_form(phone) if other_form else None
        if other is None:
            return await _send(cloud, call, language, phone)
        if call.after == UNDELIVERABLE:
            return await _send(cloud, call, language, other)
        try:
            return await _send(cloud, call, language, phone)
        except NotThere as failure:
            failure.kind = Kind.NOT_DONE
            raise

    def turn(call: Call) -> int:
        to = call.args[0]
        recipient = to if isinstance(to, str) else to.phone or ""
        return pace.turn(call.key, match_key(recipient), call.at)

    return RemoteVerb(perform, _id, before=refuse_opted_out, after=_keep_account, refused=_keep_refusal, turn=turn)


async def _send(cloud: WhatsAppCloud, call: Call, language: str, phone: str) -> Sent:
    listed = call.spec.template or Template(language, ())
    given = _in_order(call, call.args[1] or {})
    parts = {name: listed.part(name) for name in given}
    return await cloud.send_template(phone, _name(call), listed.language, given, parts)


def _keep_account(connection: apsw.Connection, call: Call, sent: Sent) -> None:
    keep_wa_id(connection, _phone(call.args[0]), sent.wa_id)


def _keep_refusal(connection: apsw.Connection, call: Call, failure: StepFailure) -> None:
    if failure.code == OPTED_OUT:
        keep_opt_out(connection, _phone(call.args[0]), call.at)


def _other_form(phone: str) -> str | None:
    """The form of a Brazilian mobile under which an account may be known instead.

    Accounts of the areas 11 to 28 have the ninth digit; those of others often were made before there was one.
    """
    forms = both_forms(phone)
    return forms[1] if len(forms) > 1 and phone[3:5] >= _AREAS_OF_OLD_ACCOUNTS else None


def over_hablla(hablla: Hablla, name: str, channel: str, sector: str) -> RemoteVerb:
    """The verb over a channel of Hablla's, from one of its sectors; the connection has that name."""

    async def perform(call: Call) -> str:
        to, params = call.args
        person = await _known_there(hablla, name, to)
        body, header = _for_hablla(call, _in_order(call, params or {}))
        return await hablla.send_template(person, _name(call), body, header=header, connection=channel, sector=sector)

    return RemoteVerb(perform, _id, before=refuse_opted_out)


def _for_hablla(call: Call, params: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """The parameters of the body and those of the header. Raises StepFailure for those of buttons and locations."""
    parts = {name: call.spec.template.part(name) if call.spec.template else "" for name in params}
    if any(part.startswith(("button.", "header.location.")) for part in parts.values()):
        raise StepFailure("template", "Hablla takes no parameters of buttons and locations")
    return (
        {name: value for name, value in params.items() if not parts[name]},
        [value for name, value in params.items() if parts[name]],
    )


async def _known_there(hablla: Hablla, name: str, to: Person | str) -> Person:
    """The recipient as Hablla knows it. Raises StepFailure: `no_person` where it does not."""
    if isinstance(to, Person) and to.via == name:
        return to
    phone = _phone(to)
    with nothing_sent_yet():
        found = await hablla.find_person(phone=phone)
    if found is None:
        raise StepFailure("no_person", f"Hablla knows nobody of that phone: -> upsert person via {name} before this")
    return msgspec.structs.replace(found, phone=phone)


def _in_order(call: Call, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters in the order of the template, where the catalog file has it, else as they are written."""
    listed = call.spec.template
    return params if listed is None else {name: params[name] for name in listed.params if name in params}
