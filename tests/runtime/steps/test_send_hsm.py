"""`send hsm` puts a template message into the outbox."""

from collections.abc import Callable
from typing import Any

import apsw
import msgspec
import pytest

from runtime.connections.local import list_outbox
from runtime.connections.person import Person
from runtime.context import Call
from runtime.failures import Kind, StepFailure
from runtime.steps import upsert_person
from runtime.steps.send_hsm import VERB

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


def test_a_person_without_phone_gets_none(connection: apsw.Connection, call: MakeCall) -> None:
    with pytest.raises(StepFailure) as failed:
        VERB.apply(connection, call(Person("ana", email="ana@example.com"), None, literal=("retomada",)))

    assert (failed.value.code, failed.value.kind) == ("no_phone", Kind.PERMANENT)
    assert failed.value.message == "person ana has no phone to send to"
    assert list_outbox(connection, 10) == []
