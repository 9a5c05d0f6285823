"""`send hsm` puts a template message into the outbox."""

from collections.abc import Callable
from typing import Any

import apsw
import httpx
import msgspec
import pytest

from runtime.connections.hablla import Hablla
from runtime.connections.http import HttpClient
from runtime.connections.local import list_outbox
from runtime.connections.pace import Pace
from runtime.connections.person import Person
from runtime.connections.whatsapp_cloud import WhatsAppCloud
from runtime.context import Call, Template
from runtime.failures import Kind, StepFailure
from runtime.steps import upsert_person
from runtime.steps.send_hsm import VERB, over_hablla, over_whatsapp
from tests.runtime.steps.conftest import Service

MakeCall = Callable[..., Call]
ANA = Person("ana", "Ana", "+5511987654321")


@pytest.mark.parametrize(("to", "person"), [(ANA, "ana"), ("+5511987654321", None)])
def test_a_message_goes_to_a_person_or_a_phone(
    connection: apsw.Connection, call: MakeCall, to: Person | str, person: str | None
) -> None:
    sent = VERB.apply(connection, call(to, {"nome": "Ana"}, literal=("retomada",)))

    [message] = list_outbox(connection, 10)
    assert (message.id, message.to, message.template, message.params, message.person, message.at) == (
        VERB.result(msgspec.json.encode(sent)),
        "+5511987654321",
        "retomada",
        {"nome": "Ana"},
        person,
        1_700_000_000_500,
    )


@pytest.mark.parametrize("params", [None, {}])
def test_a_template_may_have_no_parameters(connection: apsw.Connection, call: MakeCall, params: Any) -> None:
    VERB.apply(connection, call(ANA, params, literal=("retomada",)))

    assert list_outbox(connection, 10)[0].params == {}


def test_the_same_key_sends_one_message(connection: apsw.Connection, call: MakeCall) -> None:
    first, again = (VERB.apply(connection, call(ANA, None, literal=("retomada",))) for _ in range(2))

    assert first == again
    assert len(list_outbox(connection, 10)) == 1


@pytest.mark.parametrize("by_person", [True, False])
def test_who_wants_no_messages_gets_none(connection: apsw.Connection, call: MakeCall, by_person: bool) -> None:  # noqa: FBT001  # a case
    person = upsert_person.VERB.apply(connection, call("+5511987654321", {"opt_out": True}))
    to = person if by_person else "+551187654321"

    with pytest.raises(StepFailure) as failed:
        VERB.apply(connection, call(to, None, literal=("retomada",)))

    assert str(failed.value) == "opted_out: the person wants no messages"
    assert failed.value.kind is Kind.PERMANENT
    assert list_outbox(connection, 10) == []


def test_who_wants_messages_again_gets_them(connection: apsw.Connection, call: MakeCall) -> None:
    before = upsert_person.VERB.apply(connection, call("+5511987654321", {"opt_out": True}, key="a"))
    upsert_person.VERB.apply(connection, call("+5511987654321", {"name": "Ana"}, key="b"))
    with pytest.raises(StepFailure, match="opted_out"):
        VERB.apply(connection, call(before, None, literal=("retomada",)))
    upsert_person.VERB.apply(connection, call("+5511987654321", {"opt_out": False}, key="c"))
    VERB.apply(connection, call(before, None, literal=("retomada",)))

    assert [message.person for message in list_outbox(connection, 10)] == [before.id]


# Over services ------------------------------------------------------------------------------------

LISTED = Template("en_US", ("imagem", "nome", "codigo"), ("header.image", "", "button.0.url"))


async def test_a_listed_template_goes_in_its_language_and_every_parameter_where_it_belongs(
    http: HttpClient, service: Service, call: MakeCall
) -> None:
    service.answer = httpx.Response(200, json={"contacts": [{"wa_id": "5511"}], "messages": [{"id": "wamid.1"}]})
    verb = over_whatsapp(WhatsAppCloud(http, "1", "token"), "pt_BR", Pace())
    given = {"codigo": "A1", "nome": "Ana", "imagem": "https://x.example/a.png"}
    await verb.perform(call(ANA, given, literal=("oferta",), template=LISTED))

    template = msgspec.json.decode(service.requests[-1].content)["template"]
    assert template == {
        "name": "oferta",
        "language": {"code": "en_US"},
        "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://x.example/a.png"}}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "A1"}]},
            {"type": "body", "parameters": [{"type": "text", "parameter_name": "nome", "text": "Ana"}]},
        ],
    }


async def test_hablla_gets_header_and_body_and_no_buttons(http: HttpClient, service: Service, call: MakeCall) -> None:
    service.answer = httpx.Response(200, json={"id": "m1", "results": [{"id": "t1", "name": "oferta"}]})
    verb = over_hablla(Hablla(http, "w", "token"), "crm", "c1", "s1")
    to = Person("p1", "Ana", "+5511987654321", via="crm")
    listed = Template("pt_BR", ("imagem", "nome"), ("header.image", ""))
    given = {"nome": "Ana", "imagem": "https://x.example/a.png"}
    await verb.perform(call(to, given, literal=("oferta",), template=listed))
    with pytest.raises(StepFailure) as failed:
        await verb.perform(call(to, {**given, "codigo": "A1"}, literal=("oferta",), template=LISTED))

    assert msgspec.json.decode(service.requests[-1].content)["examples"] == {
        "body": ["Ana"],
        "header": ["https://x.example/a.png"],
    }
    assert str(failed.value) == "template: Hablla takes no parameters of buttons and locations"


async def test_messages_over_whatsapp_take_their_turn_by_number_and_by_recipient_in_either_form(
    http: HttpClient, call: MakeCall
) -> None:
    verb = over_whatsapp(WhatsAppCloud(http, "1", "token"), "pt_BR", Pace(1))
    assert verb.turn is not None
    told = [verb.turn(call(to, None, key=key)) for key, to in (("a", ANA), ("b", "+5511911112222"))]
    assert told == [0, 1000]

    slow = over_whatsapp(WhatsAppCloud(http, "1", "token"), "pt_BR", Pace(1000))
    assert slow.turn is not None
    forms = ("+5511987654321", "+551187654321")
    waits = [slow.turn(call(forms[n % 2], None, key=f"k{n}")) for n in range(46)]
    assert waits == [0] * 45 + [45 * 6_000]


def test_a_person_without_phone_gets_none(connection: apsw.Connection, call: MakeCall) -> None:
    with pytest.raises(StepFailure) as failed:
        VERB.apply(connection, call(Person("ana", email="ana@example.com"), None, literal=("retomada",)))

    assert (failed.value.code, failed.value.kind) == ("no_phone", Kind.PERMANENT)
    assert failed.value.message == "person ana has no phone to send to"
    assert list_outbox(connection, 10) == []
