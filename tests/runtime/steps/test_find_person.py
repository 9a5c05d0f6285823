"""`find person` gives the person of a phone or an email, or nothing."""

from collections.abc import Callable

import apsw
import msgspec
import pytest

from runtime.connections.person import Person
from runtime.context import Call
from runtime.steps import find_person, upsert_person

MakeCall = Callable[..., Call]


@pytest.mark.parametrize("key", ["+5511987654321", "+551187654321", "ana@example.com"])
def test_a_person_is_found_by_each_of_its_keys(connection: apsw.Connection, call: MakeCall, key: str) -> None:
    made = upsert_person.VERB.apply(connection, call("+5511987654321", {"email": "ana@example.com"}))

    assert find_person.VERB.apply(connection, call(key)) == made


def test_nobody_is_found_where_there_is_nobody(connection: apsw.Connection, call: MakeCall) -> None:
    assert find_person.VERB.apply(connection, call("+5511987654321")) is None


def test_what_was_found_reads_back_and_so_does_nothing() -> None:
    person = Person("1", "Ana", "+5511987654321", None)

    assert find_person.VERB.result(msgspec.json.encode(person)) == person
    assert find_person.VERB.result(b"null") is None
