"""A server whose seta.toml names real services: a lead is sent by HTTP, and the fakes say what reached them."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.hablla import TOKEN as HABLLA_TOKEN
from tests.fakes.hablla import WORKSPACE, Hablla
from tests.fakes.service import OPENED, Reply, Service
from tests.fakes.whatsapp import NUMBER, WhatsApp, refusal
from tests.fakes.whatsapp import TOKEN as META_TOKEN
from tests.runtime.cli.process import LEAD, RETOMADA, ServerProcess
from tests.runtime.served import Served, serving

PHONE = "+5511999998888"
PLACE = {"channel": "66cc00000000000000000001", "sector": "66dd00000000000000000001"}
ENVIRONMENT = {"META": META_TOKEN, "HABLLA": HABLLA_TOKEN, "PASSWORD": "right"}
BY_LOGIN = '{kind = "login", email = "ana@example.com", password = "env:PASSWORD"}'
BY_TOKEN = '{kind = "token", token = "env:HABLLA"}'  # noqa: S105  # it says where the token is
QUICKLY = "retry 2 every 1ms..1ms"


@pytest.fixture
async def whatsapp() -> AsyncIterator[WhatsApp]:
    async with WhatsApp() as running:
        yield running


@pytest.fixture
async def hablla() -> AsyncIterator[Hablla]:
    async with Hablla() as running:
        yield running


def over_whatsapp(service: Service, timeout: str = "15s") -> str:
    """The connection in seta.toml."""
    return f"""
[connections.whatsapp]
kind = "whatsapp_cloud"
number_id = "{NUMBER}"
token = "env:META"
url = "{service.url}/v23.0"
timeout = "{timeout}"
"""


def over_hablla(
    service: Service,
    auth: str,
    channel: bool = True,  # noqa: FBT001, FBT002  # a fact
    timeout: str = "15s",
) -> str:
    """The connection in seta.toml."""
    place = "".join(f'{name} = "{value}"\n' for name, value in PLACE.items()) if channel else ""
    return f"""
[connections.hablla]
kind = "hablla"
workspace = "{WORKSPACE}"
auth = {auth}
url = "{service.url}"
timeout = "{timeout}"
{place}"""


def at(folder: Path, flow: str, settings: str, catalog: str = "", **changes: Any) -> Any:
    """A server of one flow."""
    files = {"a.seta": flow, "seta.toml": settings} | ({"seta.catalog.json": catalog} if catalog else {})
    return serving(folder, files, allow_outbound=OPENED, environment=ENVIRONMENT, **changes)


def lead(number: int) -> str:
    """One of many leads, each with a phone of its own."""
    return json.dumps({"telefone": f"119999988{number:02}", "nome": "Ana"})


async def run(server: Served, body: str = LEAD.decode()) -> dict[str, Any]:
    """Send a lead; its run, once it is not open any more."""
    (flow,) = server.paths
    return await server.ended((await server.post(flow, body)).json()["run"])


async def failure(server: Served, body: str = LEAD.decode()) -> tuple[str, str, str]:
    """Send a lead whose run fails: its state, and step and code of the failure."""
    ended = await run(server, body)
    return ended["state"], ended["error"]["step"], ended["error"]["code"]


async def test_template_goes_to_whatsapp_and_its_account_is_kept_with_the_person(
    tmp_path: Path, whatsapp: WhatsApp
) -> None:
    whatsapp.accounts[PHONE] = "551199998888"
    async with at(tmp_path, RETOMADA, over_whatsapp(whatsapp)) as server:
        assert (await run(server))["state"] == "done"
        (person,) = (await server.admin("/persons")).json()["persons"]
        assert (person["phone"], person["wa_id"]) == (PHONE, "551199998888")
        assert (await server.admin("/outbox")).json()["outbox"] == []
    assert whatsapp.sent == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": PHONE,
            "type": "template",
            "template": {"name": "retomada", "language": {"code": "pt_BR"}, "components": []},
        }
    ]


TEMPLATES = """\
{
  "schema": "seta.catalog-file/1",
  "entries": [
    {"type": "template", "name": "pedido", "language": "es", "params": [
      {"name": "1", "type": "text"}, {"name": "2", "type": "decimal"}
    ]}
  ]
}
"""


@pytest.mark.parametrize(
    ("flow", "catalog", "language", "parameters"),
    [
        (
            'send hsm "pedido" to telefone with {total: 10.50, nome}',
            "",
            "pt_BR",
            [("total", "10.50"), ("nome", "João Silva")],
        ),
        (
            'send hsm "pedido" to telefone with {"2": 10.50, "1": nome}',
            TEMPLATES,
            "es",
            [(None, "João Silva"), (None, "10.50")],
        ),
    ],
)
async def test_parameters_are_named_or_numbered_and_the_language_is_the_templates_own(  # noqa: PLR0913, PLR0917  # pytest's
    tmp_path: Path, whatsapp: WhatsApp, flow: str, catalog: str, language: str, parameters: list[tuple[str | None, str]]
) -> None:
    whatsapp.counts[("pedido", "es")] = 2
    text = f"on webhook {{telefone: phone, nome: text}} -> {flow}\n"
    async with at(tmp_path, text, over_whatsapp(whatsapp), catalog) as server:
        assert (await run(server))["state"] == "done"
    (body,) = whatsapp.sent
    assert body["template"]["language"] == {"code": language}
    (component,) = body["template"]["components"]
    assert [(one.get("parameter_name"), one["text"]) for one in component["parameters"]] == parameters


@pytest.mark.parametrize("auth", [BY_LOGIN, BY_TOKEN])
async def test_person_and_template_go_to_hablla_with_either_kind_of_authentication(
    tmp_path: Path, hablla: Hablla, auth: str
) -> None:
    async with at(tmp_path, RETOMADA, over_hablla(hablla, auth)) as server:
        assert [(await run(server))["state"] for _ in range(2)] == ["done", "done"]
        assert (await server.admin("/persons")).json()["persons"] == []
    ((number, person),) = hablla.persons.items()
    assert (person["name"], [one["phone"] for one in person["phones"]]) == ("João Silva", [PHONE.removeprefix("+")])
    message = {
        "template": hablla.templates["retomada"],
        "sector": PLACE["sector"],
        "examples": {"body": [], "header": []},
        "to": {"key": PHONE.removeprefix("+"), "type": "whatsapp", "person": number},
    }
    assert hablla.sent == [message, message]
    assert {one.path for one in hablla.asked if one.path.endswith("messages-templates")} == {
        f"/v1/workspaces/{WORKSPACE}/connections/{PLACE['channel']}/messages-templates"
    }
    assert hablla.sessions == (1 if auth == BY_LOGIN else 0)


async def test_persons_may_be_of_one_service_and_messages_of_another(
    tmp_path: Path, hablla: Hablla, whatsapp: WhatsApp
) -> None:
    settings = over_hablla(hablla, BY_TOKEN, channel=False) + over_whatsapp(whatsapp)
    async with at(tmp_path, RETOMADA, settings) as server:
        assert (await run(server))["state"] == "done"
    assert len(hablla.persons) == 1
    assert [one["to"] for one in whatsapp.sent] == [PHONE]
    assert hablla.sent == []


async def test_phone_that_hablla_does_not_know_gets_no_template(tmp_path: Path, hablla: Hablla) -> None:
    flow = 'on webhook {telefone: phone} -> send hsm "retomada" to telefone\n'
    async with at(tmp_path, flow, over_hablla(hablla, BY_LOGIN)) as server:
        assert await failure(server) == ("dead", "send_hsm", "no_person")
        hablla.add(name="João", phones=[{"phone": "551199998888"}])  # kept without the ninth digit
        assert (await run(server))["state"] == "done"
    assert [one["to"]["key"] for one in hablla.sent] == [PHONE.removeprefix("+")]


async def test_who_wants_no_messages_gets_none_over_a_service_either(tmp_path: Path, whatsapp: WhatsApp) -> None:
    flow = 'on webhook {telefone: phone} -> upsert person with {opt_out: true} -> send hsm "retomada"\n'
    async with at(tmp_path, flow, over_whatsapp(whatsapp)) as server:
        assert await failure(server) == ("dead", "send_hsm", "opted_out")
    assert whatsapp.asked == []


async def test_who_has_told_whatsapp_to_stop_is_known_from_then_on_until_a_flow_says_otherwise(
    tmp_path: Path, whatsapp: WhatsApp
) -> None:
    flow = (
        "on webhook {telefone: phone, volta: bool?} -> upsert person"
        ' -> if volta ?? false { -> upsert person with {opt_out: false} } -> send hsm "retomada"\n'
    )
    whatsapp.faults.append(refusal(131050))
    async with at(tmp_path, flow, over_whatsapp(whatsapp)) as server:
        assert [await failure(server) for _ in range(2)] == 2 * [("dead", "send_hsm", "opted_out")]
        (person,) = (await server.admin("/persons")).json()["persons"]
        assert (person["opt_out"], len(whatsapp.asked)) == (True, 1)
        assert (await run(server, json.dumps({"telefone": PHONE, "volta": True})))["state"] == "done"
    assert (len(whatsapp.asked), len(whatsapp.sent)) == (2, 1)


async def test_hablla_is_not_told_who_wants_no_messages_because_it_has_no_place_for_it(
    tmp_path: Path, hablla: Hablla
) -> None:
    flow = "on webhook {telefone: phone} -> upsert person with {opt_out: true}\n"
    async with at(tmp_path, flow, over_hablla(hablla, BY_TOKEN)) as server:
        assert await failure(server) == ("dead", "upsert_person", "opt_out")
    assert hablla.asked == []


# Failures -----------------------------------------------------------------------------------------

SEND = f'on webhook {{telefone: phone}} -> send hsm "retomada" to telefone {QUICKLY}\n'
DOUBT = ("parked", "send_hsm", "unknown")


def dead(code: str) -> tuple[str, str, str]:
    """How a run ends whose message is refused."""
    return "dead", "send_hsm", code


WHATSAPP_SAYS = [
    (refusal(131026), dead("undeliverable")),
    (refusal(131050), dead("opted_out")),
    (refusal(190, status=401), dead("account")),
    (refusal(132001, status=404), dead("template")),
    (refusal(131009), dead("whatsapp_131009")),
    (Reply(200, b"<html>"), DOUBT),
    (Reply(200, b"x" * 1_100_000), DOUBT),
    (Reply(500, b"oops"), DOUBT),
    (Reply(200, {}, cut=True), DOUBT),
    (Reply(200, {}, late=2.0), DOUBT),
]


async def test_what_whatsapp_refuses_is_told_by_its_code_and_what_it_may_have_sent_is_not_sent_again(
    tmp_path: Path, whatsapp: WhatsApp
) -> None:
    whatsapp.faults.extend(fault for fault, _ in WHATSAPP_SAYS)
    async with at(tmp_path, SEND, over_whatsapp(whatsapp, timeout="800ms")) as server:
        ends = [await failure(server, lead(number)) for number in range(len(WHATSAPP_SAYS))]
    assert ends == [end for _, end in WHATSAPP_SAYS]
    assert len(whatsapp.asked) == len(WHATSAPP_SAYS)


async def test_what_whatsapp_has_surely_not_sent_is_sent_again(tmp_path: Path, whatsapp: WhatsApp) -> None:
    async with at(tmp_path, SEND, over_whatsapp(whatsapp)) as server:
        for number, fault in enumerate([refusal(130429), refusal(131016), Reply(429, {})]):
            whatsapp.faults.append(fault)
            await until_done(server, lead(number))
    assert (len(whatsapp.asked), len(whatsapp.sent)) == (6, 3)


async def until_done(server: Served, body: str = LEAD.decode()) -> None:
    """Send a lead, and wait through the pauses of its run until it is done."""
    (flow,) = server.paths
    number = (await server.post(flow, body)).json()["run"]
    async with asyncio.timeout(10):
        while (await server.ended(number))["state"] != "done":
            await asyncio.sleep(0.01)


async def test_hablla_is_asked_again_no_sooner_than_it_says(tmp_path: Path, hablla: Hablla) -> None:
    hablla.faults.append(Reply(429, {"message": "slow down"}, headers={"retry-after": "1"}))
    flow = f"on webhook {{telefone: phone}} -> upsert person {QUICKLY}\n"
    async with at(tmp_path, flow, over_hablla(hablla, BY_TOKEN)) as server:
        begun = asyncio.get_running_loop().time()
        await until_done(server)
        assert asyncio.get_running_loop().time() - begun >= 1.0


HABLLA_SAYS = [
    (Reply(409, {"message": "em atendimento"}), dead("in_service")),
    (Reply(400, {"message": "em atendimento", "errorCode": 136}), dead("in_service")),
    (Reply(403, {"message": "no"}), dead("http_403")),
    (Reply(201, b"<html>"), DOUBT),
    (Reply(201, {}, cut=True), DOUBT),
    (Reply(201, {}, late=2.0), DOUBT),
]


async def test_what_hablla_says_of_a_template_counts_and_what_it_may_have_sent_is_not_sent_again(
    tmp_path: Path, hablla: Hablla
) -> None:
    hablla.sending.extend(fault for fault, _ in HABLLA_SAYS)
    async with at(tmp_path, RETOMADA, over_hablla(hablla, BY_LOGIN, timeout="800ms")) as server:
        ends = [await failure(server, lead(number)) for number in range(len(HABLLA_SAYS))]
    assert ends == [end for _, end in HABLLA_SAYS]
    sends = [one for one in hablla.asked if one.path.endswith("messages-templates")]
    assert (len(sends), hablla.sent) == (len(HABLLA_SAYS), [])


async def test_no_record_holds_a_secret_that_a_service_repeats(tmp_path: Path, hablla: Hablla) -> None:
    hablla.faults.append(Reply(403, {"message": f"{HABLLA_TOKEN} may not"}))
    async with at(tmp_path, RETOMADA, over_hablla(hablla, BY_TOKEN)) as server:
        ended = await run(server)
    assert ended["error"]["message"].endswith("answered 403: ••• may not")
    assert not [
        file for file in (tmp_path / "data").iterdir() if file.is_file() and HABLLA_TOKEN in file.read_text("latin-1")
    ]


# The other form of a mobile -----------------------------------------------------------------------

NORTH = "+5582999998888"  # of an area whose accounts may lack the ninth digit
NORTH_SHORT = "+558299998888"


def asked_for(service: WhatsApp) -> list[str]:
    """The recipients that WhatsApp was asked for."""
    return [str(one.json()["to"]) for one in service.asked]


def either_form(service: Service) -> str:
    """The connection in seta.toml that tries both."""
    return over_whatsapp(service) + "other_form = true\n"


async def until_ended(server: Served, body: str) -> dict[str, Any]:
    """Send a lead, and wait through the pauses of its run until it has ended."""
    (flow,) = server.paths
    number = (await server.post(flow, body)).json()["run"]
    async with asyncio.timeout(10):
        while (ended := await server.ended(number))["state"] == "waiting":
            await asyncio.sleep(0.01)
    return ended


async def test_what_is_undeliverable_goes_to_the_other_form_once_and_its_account_is_kept(
    tmp_path: Path, whatsapp: WhatsApp
) -> None:
    flow = f'on webhook {{telefone: phone}} -> upsert person -> send hsm "retomada" {QUICKLY}\n'
    whatsapp.faults.append(refusal(131026))
    async with at(tmp_path, flow, either_form(whatsapp)) as server:
        ended = await until_ended(server, json.dumps({"telefone": NORTH}))
        (person,) = (await server.admin("/persons")).json()["persons"]
    assert ended["state"] == "done"
    assert asked_for(whatsapp) == [NORTH, NORTH_SHORT]
    assert (person["phone"], person["wa_id"]) == (NORTH, NORTH_SHORT.removeprefix("+"))


@pytest.mark.parametrize(
    ("phone", "code", "asked"),
    [
        (NORTH, 131026, [NORTH, NORTH_SHORT]),
        (PHONE, 131026, [PHONE]),  # of an area whose accounts have the ninth digit
        ("+558233334444", 131026, ["+558233334444"]),  # fixed
        ("+351912345678", 131026, ["+351912345678"]),
        (NORTH, 131049, [NORTH]),  # its account is there
    ],
)
async def test_who_is_reached_under_neither_form_is_undeliverable(
    tmp_path: Path, whatsapp: WhatsApp, phone: str, code: int, asked: list[str]
) -> None:
    whatsapp.faults.extend([refusal(code)] * 3)
    async with at(tmp_path, SEND, either_form(whatsapp)) as server:
        ended = await until_ended(server, json.dumps({"telefone": phone}))
    assert (ended["state"], ended["error"]["code"]) == ("dead", "undeliverable")
    assert asked_for(whatsapp) == asked


async def test_without_the_option_no_other_form_is_tried(tmp_path: Path, whatsapp: WhatsApp) -> None:
    whatsapp.faults.append(refusal(131026))
    async with at(tmp_path, SEND, over_whatsapp(whatsapp)) as server:
        assert await failure(server, json.dumps({"telefone": NORTH})) == dead("undeliverable")
    assert asked_for(whatsapp) == [NORTH]


async def test_lost_answer_under_the_other_form_parks_the_run(tmp_path: Path, whatsapp: WhatsApp) -> None:
    whatsapp.faults.extend([refusal(131026), Reply(200, {}, cut=True)])
    async with at(tmp_path, SEND, either_form(whatsapp)) as server:
        ended = await until_ended(server, json.dumps({"telefone": NORTH}))
    assert (ended["state"], ended["error"]["code"]) == ("parked", "unknown")
    assert asked_for(whatsapp) == [NORTH, NORTH_SHORT]


async def test_restart_between_the_two_forms_goes_on_with_the_other(tmp_path: Path, whatsapp: WhatsApp) -> None:
    slowly = SEND.replace(QUICKLY, "retry 2 every 1s..1s")
    whatsapp.faults.append(refusal(131026))
    async with at(tmp_path, slowly, either_form(whatsapp)) as server:
        (flow,) = server.paths
        number = (await server.post(flow, json.dumps({"telefone": NORTH}))).json()["run"]
        assert (await server.ended(number))["state"] == "waiting"
    async with at(tmp_path, slowly, either_form(whatsapp)) as server:
        async with asyncio.timeout(10):
            while (await server.ended(number))["state"] != "done":
                await asyncio.sleep(0.02)
    assert asked_for(whatsapp) == [NORTH, NORTH_SHORT]


# The server dies -----------------------------------------------------------------------------------


async def test_death_between_effect_and_record_parks_the_run_until_a_person_says_what_happened(
    tmp_path: Path, whatsapp: WhatsApp
) -> None:
    whatsapp.faults.append(Reply(200, {}, late=60))
    settings = over_whatsapp(whatsapp)
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "a.seta").write_text(RETOMADA)
    (tmp_path / "flows" / "seta.toml").write_text(settings)
    opened = ("--allow-outbound", whatsapp.url.removeprefix("http://"))
    with await asyncio.to_thread(ServerProcess, tmp_path, *opened, META=META_TOKEN) as process:
        async with httpx.AsyncClient() as client:
            number = (await client.post(process.flows["a"].url, content=LEAD)).json()["run"]
        async with asyncio.timeout(10):
            while not whatsapp.asked:
                await asyncio.sleep(0.01)
        process.signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait)
    async with at(tmp_path, RETOMADA, settings, data=tmp_path / ".seta") as server:
        parked = await server.ended(number)
        assert (parked["state"], parked["error"]["message"]) == (
            "parked",
            "nobody can tell whether it happened: the process ended while the step was under way",
        )
        await server.change(f"/runs/{number}/resolve?outcome=sent")
        assert (await server.ended(number))["state"] == "done"
    assert len(whatsapp.asked) == 1
