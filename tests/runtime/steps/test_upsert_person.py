"""`upsert person` finds the person of a phone or an email, or makes one."""

from collections.abc import Callable

import apsw
import msgspec
import pytest

from runtime.connections.local import list_persons
from runtime.connections.person import Person
from runtime.context import Call
from runtime.failures import StepFailure
from runtime.steps.upsert_person import VERB

MakeCall = Callable[..., Call]


def test_a_phone_makes_a_person_with_what_is_given(connection: apsw.Connection, call: MakeCall) -> None:
    person = VERB.apply(connection, call("+5511987654321", {"name": "Ana", "email": "ana@example.com"}))

    assert person == Person(person.id, "Ana", "+5511987654321", "ana@example.com")


def test_both_forms_of_a_mobile_are_one_person(connection: apsw.Connection, call: MakeCall) -> None:
    first = VERB.apply(connection, call("+5511987654321", {"name": "Ana"}, key="a"))
    again = VERB.apply(connection, call("+551187654321", {"email": "ana@example.com"}, key="b"))

    assert again.id == first.id
    assert (again.name, again.email) == ("Ana", "ana@example.com")
    assert len(list_persons(connection, 10)) == 1


@pytest.mark.parametrize("email", ["ana@example.com", "+tag@example.com"])
def test_an_email_is_a_key_too(connection: apsw.Connection, call: MakeCall, email: str) -> None:
    first = VERB.apply(connection, call(email, {"name": "Ana"}, key="a"))
    again = VERB.apply(connection, call(email, {"name": "Ana Lima"}, key="b"))

    assert again == Person(first.id, "Ana Lima", None, email)


def test_a_person_known_by_email_is_not_made_twice_when_a_phone_comes_too(
    connection: apsw.Connection, call: MakeCall
) -> None:
    first = VERB.apply(connection, call("ana@example.com", {"name": "Ana"}, key="a"))
    again = VERB.apply(connection, call("ana@example.com", {"phone": "+5511987654321"}, key="b"))

    assert again == Person(first.id, "Ana", "+5511987654321", "ana@example.com")


def test_a_person_known_by_email_never_takes_the_phone_of_another(connection: apsw.Connection, call: MakeCall) -> None:
    VERB.apply(connection, call("+5511987654321", {}, key="a"))

    with pytest.raises(StepFailure, match="phone_taken"):
        VERB.apply(connection, call("ana@example.com", {"phone": "+551187654321"}, key="b"))


def test_the_key_fills_its_own_field(connection: apsw.Connection, call: MakeCall) -> None:
    person = VERB.apply(connection, call("+5511987654321", {"phone": "+5511911112222"}))

    assert person.phone == "+5511987654321"


def test_a_key_alone_is_enough(connection: apsw.Connection, call: MakeCall) -> None:
    assert VERB.apply(connection, call("+5511987654321", None)).phone == "+5511987654321"


def test_the_record_of_a_person_reads_back(connection: apsw.Connection, call: MakeCall) -> None:
    person = VERB.apply(connection, call("+5511987654321", {}))

    assert VERB.result(msgspec.json.encode(person)) == person


# Keys of other systems ----------------------------------------------------------------------------


@pytest.mark.parametrize("key", [{"erp": 42}, {"erp": "42"}])
def test_key_of_another_system_is_text_or_a_number(
    connection: apsw.Connection, call: MakeCall, key: dict[str, str | int]
) -> None:
    first = VERB.apply(connection, call({"erp": "42"}, {"name": "Ana"}, key="a"))
    again = VERB.apply(connection, call(key, None, key="b"))

    assert again == first == Person(first.id, "Ana")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "bad_key: the key `erp` is empty"),
        (" ", "bad_key: the key `erp` is empty"),
        ("x" * 201, "bad_key: the key `erp` has more than 200 characters"),
    ],
)
def test_key_that_is_nobody_s_fails_for_good(
    connection: apsw.Connection, call: MakeCall, value: str, message: str
) -> None:
    with pytest.raises(StepFailure) as failed:
        VERB.apply(connection, call({"erp": value}, {"name": "Ana"}))

    assert str(failed.value) == message
    assert list_persons(connection, 10) == []
