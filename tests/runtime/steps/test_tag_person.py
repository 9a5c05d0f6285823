"""`tag person` gives a person who is known a tag, once."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import apsw
import msgspec
import pytest

from runtime.connections.hablla import Hablla
from runtime.connections.http import HttpClient, aiohttp_transport
from runtime.connections.local import PersonRow, find_person, list_persons
from runtime.connections.person import Person
from runtime.context import Call, RemoteVerb
from runtime.failures import Kind, StepFailure
from runtime.steps import upsert_person
from runtime.steps.tag_person import VERB, over_hablla
from tests.fakes.hablla import TOKEN, WORKSPACE
from tests.fakes.hablla import Hablla as Service
from tests.fakes.service import LOOPBACK

MakeCall = Callable[..., Call]
LONG = "+5511987654321"
SHORT = "+551187654321"


@pytest.fixture
def ana(connection: apsw.Connection, call: MakeCall) -> Person:
    return upsert_person.VERB.apply(connection, call(LONG, {"email": "ana@example.com"}, key="a"))  # type: ignore[no-any-return]  # a verb gives any


@pytest.mark.parametrize("key", [LONG, SHORT, "ana@example.com", "ANA@example.com", None])
def test_a_person_is_tagged_by_each_of_its_keys(
    connection: apsw.Connection, call: MakeCall, ana: Person, key: str | None
) -> None:
    given = VERB.apply(connection, call(key or ana, literal=("vip",)))

    assert VERB.result(msgspec.json.encode(given)) == ana.id
    assert find_person(connection, phone=LONG) == Person(ana.id, None, LONG, "ana@example.com", ["vip"])


def test_a_tag_is_there_once_and_tags_keep_their_order(
    connection: apsw.Connection, call: MakeCall, ana: Person
) -> None:
    for tag in ("vip", 'lead "quente"', "vip", "á"):
        VERB.apply(connection, call(ana, literal=(tag,)))

    [row] = list_persons(connection, 10)
    assert row.tags == ["vip", 'lead "quente"', "á"]


def test_a_tag_that_is_there_already_changes_nothing(connection: apsw.Connection, call: MakeCall, ana: Person) -> None:
    VERB.apply(connection, call(ana, literal=("vip",)))
    before = list_persons(connection, 10)
    later = msgspec.structs.replace(call(ana, literal=("vip",)), at=1_800_000_000_000)
    VERB.apply(connection, later)

    assert list_persons(connection, 10) == before


def test_tags_outlive_what_is_learned_later(connection: apsw.Connection, call: MakeCall, ana: Person) -> None:
    VERB.apply(connection, call(ana, literal=("vip",)))

    again = upsert_person.VERB.apply(connection, call(LONG, {"name": "Ana"}, key="b"))
    assert again == Person(ana.id, "Ana", LONG, "ana@example.com", ["vip"])


@pytest.mark.parametrize("key", [LONG, "ana@example.com", Person("gone", phone=LONG)])
def test_nobody_is_made_by_a_tag(connection: apsw.Connection, call: MakeCall, key: str | Person) -> None:
    with pytest.raises(StepFailure) as failed:
        VERB.apply(connection, call(key, literal=("vip",)))

    assert str(failed.value) == "no_person: nobody is known by that, so nobody gets the tag"
    assert failed.value.kind is Kind.PERMANENT
    assert list_persons(connection, 10) == []


def test_others_are_left_alone(connection: apsw.Connection, call: MakeCall, ana: Person) -> None:
    other = upsert_person.VERB.apply(connection, call("+5511911112222", {}, key="b"))
    VERB.apply(connection, call(ana, literal=("vip",)))

    assert [(row.id, row.tags) for row in list_persons(connection, 10)] == [(other.id, []), (ana.id, ["vip"])]
    assert isinstance(list_persons(connection, 1)[0], PersonRow)


# Over Hablla --------------------------------------------------------------------------------------


@pytest.fixture
async def hablla() -> AsyncIterator[Service]:
    async with Service() as running:
        yield running


@pytest.mark.parametrize("key", [LONG, SHORT, "ana@example.com", "itself", Person("other", phone=SHORT)])
async def test_hablla_tags_whom_it_knows_by_each_of_its_keys(
    hablla: Service, call: MakeCall, key: str | Person
) -> None:
    known = hablla.add(phones=[{"phone": LONG.removeprefix("+")}], emails=[{"email": "ana@example.com"}])
    who = Person(known, via="crm") if key == "itself" else key
    async with reaching(hablla) as verb:
        given = await verb.perform(call(who, literal=("vip",)))

    assert (given, hablla.tagged) == (known, [(known, [hablla.tags["vip"]])])


@pytest.mark.parametrize("key", [LONG, Person("other", phone=SHORT), Person("other")])
async def test_whom_hablla_does_not_know_it_does_not_tag(hablla: Service, call: MakeCall, key: str | Person) -> None:
    async with reaching(hablla) as verb:
        with pytest.raises(StepFailure) as failed:
            await verb.perform(call(key, literal=("vip",)))

    assert str(failed.value) == "no_person: Hablla knows nobody by that, so nobody gets the tag"
    assert hablla.tagged == []


@asynccontextmanager
async def reaching(service: Service) -> AsyncIterator[RemoteVerb]:
    """The verb over the connection `crm`."""
    http = HttpClient(aiohttp_transport(LOOPBACK))
    yield over_hablla(Hablla(http, WORKSPACE, TOKEN, service.url), "crm")
    await http.close()
