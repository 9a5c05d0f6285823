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


def test_a_person_without_phone_gets_none(connection: apsw.Connection, call: MakeCall) -> None:
    with pytest.raises(StepFailure) as failed:
        VERB.apply(connection, call(Person("ana", email="ana@example.com"), None, literal=("retomada",)))

    assert (failed.value.code, failed.value.kind) == ("no_phone", Kind.PERMANENT)
    assert failed.value.message == "person ana has no phone to send to"
    assert list_outbox(connection, 10) == []
