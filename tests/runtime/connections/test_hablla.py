"""Persons and templates of a Hablla that really listens, and what its refusals mean."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from runtime.connections.hablla import Hablla, Login
from runtime.connections.http import HttpClient
from runtime.connections.person import Person
from runtime.failures import Kind, StepFailure
from tests.fakes.hablla import TOKEN, WORKSPACE
from tests.fakes.hablla import Hablla as Service
from tests.fakes.service import Reply

LONG, SHORT = "+5511987654321", "+551187654321"
LOGIN = Login("ana@example.com", "right")
PLACE = {"connection": "c1", "sector": "s1"}


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with Service() as running:
        yield running


@pytest.fixture
def hablla(service: Service, http: HttpClient) -> Hablla:
    return Hablla(http, WORKSPACE, TOKEN, service.url)


async def test_a_person_is_made_with_the_shape_that_the_sdk_sends(service: Service, hablla: Hablla) -> None:
    made = await hablla.upsert_person(phone=LONG, email="joao@example.com", name="João")
    assert made == Person(made.id, "João", LONG, "joao@example.com")
    assert service.persons[made.id] == {
        "id": made.id,
        "name": "João",
        "phones": [{"phone": "5511987654321", "is_whatsapp": True, "type": "personal"}],
        "emails": [{"email": "joao@example.com"}],
    }


async def test_the_other_form_of_a_phone_is_the_same_person(service: Service, hablla: Hablla) -> None:
    known = service.add(name="Ana", phones=[{"phone": "551187654321", "type": "work"}])
    made = await hablla.upsert_person(phone=LONG, name="Ana Maria")
    assert (made.id, made.phone) == (known, SHORT)
    assert service.persons[known]["phones"] == [{"phone": "551187654321", "type": "work"}]
    assert await hablla.find_person(phone=LONG) == Person(known, "Ana Maria", SHORT)


async def test_what_is_absent_leaves_what_is_known(service: Service, hablla: Hablla) -> None:
    known = service.add(name="Ana", phones=[{"phone": "5511987654321"}], emails=[{"email": "ana@example.com"}])
    made = await hablla.upsert_person(phone=LONG)
    assert made == Person(known, "Ana", LONG, "ana@example.com")
    assert len(service.persons) == 1


async def test_a_new_person_without_a_name_is_called_by_the_phone(hablla: Hablla) -> None:
    assert (await hablla.upsert_person(phone=LONG)).name == LONG


async def test_a_person_is_found_by_email_whatever_its_capitals(service: Service, hablla: Hablla) -> None:
    known = service.add(name="Ana", emails=[{"email": "ana@example.com"}])
    assert await hablla.find_person(email="ana@example.com") == Person(known, "Ana", None, "ana@example.com")
    assert await hablla.find_person(email="rui@example.com") is None


async def test_a_person_gets_a_tag_of_the_workspace_by_its_id(service: Service, hablla: Hablla) -> None:
    service.tags = {"vip gold": "66ee00000000000000000002", **service.tags}
    for _ in range(2):
        await hablla.tag_person("p1", "vip")
    assert service.tagged == 2 * [("p1", ["66ee00000000000000000001"])]
    assert [asked.method for asked in service.asked] == ["GET", "PUT", "PUT"]  # the id is remembered


async def test_a_tag_that_the_workspace_does_not_have_is_none_for_good(service: Service, hablla: Hablla) -> None:
    with pytest.raises(StepFailure) as failed:
        await hablla.tag_person("p1", "vi")
    assert (str(failed.value), failed.value.kind) == (
        'no_tag: Hablla has no tag "vi": make it there',
        Kind.PERMANENT,
    )
    assert service.tagged == []


async def test_a_template_is_sent_by_its_id_in_the_order_of_its_parameters(service: Service, hablla: Hablla) -> None:
    sent = await hablla.send_template(Person("p1", "Ana", LONG), "retomada", {"nome": "Ana", "n": 2}, **PLACE)
    assert sent == "message-1"
    assert service.sent == [
        {
            "template": service.templates["retomada"],
            "sector": "s1",
            "examples": {"body": ["Ana", "2"], "header": []},
            "to": {"key": "5511987654321", "type": "whatsapp", "person": "p1"},
        }
    ]


async def test_an_unknown_template_is_no_template_for_good(hablla: Hablla) -> None:
    with pytest.raises(StepFailure) as failed:
        await hablla.send_template(Person("p1", "Ana", LONG), "outra", {}, **PLACE)
    assert str(failed.value) == 'template: Hablla has no template "outra" for the connection c1'
    assert failed.value.kind is Kind.PERMANENT


@pytest.mark.parametrize(
    "refused", [Reply(409, {"message": "em atendimento"}), Reply(400, {"errorCode": 136, "message": "em atendimento"})]
)
async def test_a_person_in_a_service_is_told_apart(service: Service, hablla: Hablla, refused: Reply) -> None:
    await hablla.send_template(Person("p1", "Ana", LONG), "retomada", {}, **PLACE)
    service.faults.append(refused)
    with pytest.raises(StepFailure) as failed:
        await hablla.send_template(Person("p1", "Ana", LONG), "retomada", {}, **PLACE)
    assert (failed.value.code, failed.value.kind) == ("in_service", Kind.PERMANENT)
    assert failed.value.message == "Hablla refused: em atendimento"


async def test_a_lost_list_of_templates_leaves_no_doubt_but_a_lost_message_does(
    service: Service, hablla: Hablla
) -> None:
    service.faults.append(Reply(502, b"<html>bad gateway"))
    with pytest.raises(StepFailure) as before:
        await hablla.send_template(Person("p1", "Ana", LONG), "retomada", {}, **PLACE)
    assert before.value.kind is Kind.NOT_DONE
    await hablla.send_template(Person("p1", "Ana", LONG), "retomada", {}, **PLACE)
    service.faults.append(Reply(201, {"id": "m"}, cut=True))
    with pytest.raises(StepFailure) as after:
        await hablla.send_template(Person("p1", "Ana", LONG), "retomada", {}, **PLACE)
    assert (after.value.code, after.value.kind) == ("no_answer", Kind.TRANSIENT)


async def test_a_login_is_made_once_and_again_when_its_token_has_run_out(service: Service, http: HttpClient) -> None:
    hablla = Hablla(http, WORKSPACE, LOGIN, service.url)
    await hablla.upsert_person(phone=LONG)
    assert service.sessions == 1
    service.expire()
    assert await hablla.find_person(phone=LONG) is not None
    assert service.sessions == 102


async def test_all_that_wait_for_a_login_share_one(service: Service, http: HttpClient) -> None:
    hablla = Hablla(http, WORKSPACE, LOGIN, service.url)
    await asyncio.gather(*(hablla.find_person(email=f"{number}@example.com") for number in range(5)))
    assert service.sessions == 1
    service.expire()
    await asyncio.gather(*(hablla.find_person(email=f"{number}@example.com") for number in range(5)))
    assert service.sessions == 102


async def test_person_of_an_email_does_not_get_the_phone_of_another(service: Service, hablla: Hablla) -> None:
    ana = service.add(name="Ana", emails=[{"email": "ana@example.com"}])
    service.add(name="Rui", phones=[{"phone": "5511987654321"}])
    with pytest.raises(StepFailure) as failed:
        await hablla.upsert_person(phone=LONG, email="ana@example.com", known_by="email")
    assert str(failed.value) == "phone_taken: the person is known by email, and the phone is another person's"
    assert service.persons[ana]["phones"] == []


async def test_conflict_of_persons_is_no_person_in_a_service(service: Service, hablla: Hablla) -> None:
    service.faults.append(Reply(409, {"message": "conflict"}))
    with pytest.raises(StepFailure) as failed:
        await hablla.find_person(phone=LONG)
    assert failed.value.code == "http_409"


@pytest.mark.parametrize("access", ["wrong", Login("ana@example.com", "wrong")])
async def test_wrong_credentials_fail_for_good_and_are_not_told(
    service: Service, http: HttpClient, access: str | Login
) -> None:
    with pytest.raises(StepFailure) as failed:
        await Hablla(http, WORKSPACE, access, service.url).find_person(phone=LONG)
    assert (failed.value.code, failed.value.kind) == ("hablla", Kind.PERMANENT)
    assert "wrong" not in str(failed.value)


@pytest.mark.parametrize(
    ("reply", "code", "kind"),
    [
        (Reply(429, {"message": "slow down"}), "http_429", Kind.NOT_DONE),
        (Reply(500, {"message": "oops"}), "http_500", Kind.TRANSIENT),
        (Reply(400, {"message": "invalid"}), "http_400", Kind.PERMANENT),
        (Reply(200, b"garbage"), "no_answer", Kind.TRANSIENT),
        (Reply(200, {"rows": []}), "no_answer", Kind.TRANSIENT),
        (Reply(200, {"results": []}, cut=True), "no_answer", Kind.TRANSIENT),
        (Reply(200, {"results": []}, late=2.0), "no_answer", Kind.TRANSIENT),
    ],
)
async def test_what_an_answer_means(service: Service, http: HttpClient, reply: Reply, code: str, kind: Kind) -> None:
    service.faults.append(reply)
    with pytest.raises(StepFailure) as failed:
        await Hablla(http, WORKSPACE, TOKEN, service.url, limit=0.8).find_person(phone=LONG)
    assert (failed.value.code, failed.value.kind) == (code, kind)
