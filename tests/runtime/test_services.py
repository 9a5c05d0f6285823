"""A server whose seta.toml names real services: a lead is sent by HTTP, and the fakes say what reached them."""

import asyncio
import json
import signal
from collections import deque
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
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


FINAL = {  # docs/running.md, Messages over WhatsApp
    "undeliverable": (131026, 130472, 131049),
    "opted_out": (131050,),
    "template": (132000, 132001, 132005, 132007, 132012, 132015, 132016),
    "account": (0, 3, 10, 190, 200, 299, 368, 130497, 131031, 131042, 131048, 133016),
}
OTHERS = (33, 100, 131008, 131009, 131047, 131051, 131052, 131053)
WHATSAPP_SAYS = [
    *((refusal(code), dead(name)) for name, codes in FINAL.items() for code in codes),
    *((refusal(code), dead(f"whatsapp_{code}")) for code in OTHERS),
    (refusal(190, status=401), dead("account")),
    (refusal(132001, status=404), dead("template")),
    (Reply(400, b"<html>"), dead("http_400")),
    (Reply(403, {"error": "no code"}), dead("http_403")),
]
# Answers that say nothing: a page of a proxy, half of one of Meta's, another one's, none, too much, damaged, lost.
GARBAGE = [
    Reply(200, b"<html>", headers={"content-type": "text/html"}),
    Reply(200, b'{"messages": [{"id": "wam'),
    Reply(200, {"messages": [], "contacts": []}),
    Reply(200, []),
    Reply(200, b""),
    Reply(204, b""),
    Reply(200, b"\xff\xfe\x00"),
    Reply(200, b"x" * 1_100_000),
    Reply(200, b"no gzip", headers={"content-encoding": "gzip"}),
    Reply(200, b"{}", headers={"content-encoding": "br"}),
    Reply(200, {}, cut=True),
    Reply(200, {}, late=2.0),
    Reply(500, b"oops"),
    Reply(502, b"<html>"),
]


async def test_what_whatsapp_refuses_for_good_is_told_by_its_code(tmp_path: Path, whatsapp: WhatsApp) -> None:
    whatsapp.faults.extend(fault for fault, _ in WHATSAPP_SAYS)
    async with at(tmp_path, SEND, over_whatsapp(whatsapp)) as server:
        ends = [await failure(server, lead(number)) for number in range(len(WHATSAPP_SAYS))]
    assert ends == [end for _, end in WHATSAPP_SAYS]
    assert len(whatsapp.asked) == len(WHATSAPP_SAYS)


async def test_what_whatsapp_may_have_sent_is_not_sent_again(tmp_path: Path, whatsapp: WhatsApp) -> None:
    whatsapp.faults.extend(GARBAGE)
    async with at(tmp_path, SEND, over_whatsapp(whatsapp, timeout="800ms")) as server:
        ends = [await failure(server, lead(number)) for number in range(len(GARBAGE))]
    assert ends == [DOUBT] * len(GARBAGE)
    assert len(whatsapp.asked) == len(GARBAGE)


async def test_answer_of_whatsapp_counts_whatever_it_says_that_it_is(tmp_path: Path, whatsapp: WhatsApp) -> None:
    whatsapp.always = {"content-type": "text/html; charset=utf-16"}
    async with at(tmp_path, SEND, over_whatsapp(whatsapp)) as server:
        assert (await run(server))["state"] == "done"


@pytest.mark.parametrize(("code", "seconds"), [(4, 120), (80007, 120), (131056, 6)])
async def test_what_whatsapp_takes_later_waits_in_the_journal(
    tmp_path: Path, whatsapp: WhatsApp, code: int, seconds: int
) -> None:
    whatsapp.faults.append(refusal(code))
    async with at(tmp_path, SEND, over_whatsapp(whatsapp)) as server:
        waiting = await run(server)
    due, begun = (datetime.fromisoformat(waiting[name]) for name in ("wake_at", "received_at"))
    assert (waiting["state"], waiting["error"]["code"]) == ("waiting", f"whatsapp_{code}")
    assert timedelta(seconds=seconds) <= due - begun < timedelta(seconds=seconds + 5)
    assert len(whatsapp.asked) == 1


SENT_AGAIN = [
    *(refusal(code) for code in (1, 2, 130429, 131000, 131016, 131057)),
    Reply(429, {}),
    Reply(503, {}, headers={"retry-after": "0"}),
]


async def test_what_whatsapp_has_surely_not_sent_is_sent_again(tmp_path: Path, whatsapp: WhatsApp) -> None:
    async with at(tmp_path, SEND, over_whatsapp(whatsapp)) as server:
        for number, fault in enumerate(SENT_AGAIN):
            whatsapp.faults.append(fault)
            await until_done(server, lead(number))
    assert (len(whatsapp.asked), len(whatsapp.sent)) == (2 * len(SENT_AGAIN), len(SENT_AGAIN))


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
    *((Reply(status, {"message": "no", "errorCode": 7}), dead(f"http_{status}")) for status in (400, 403, 404, 422)),
    (Reply(403, b"<html>"), dead("http_403")),
]
HABLLA_GARBAGE = [
    Reply(201, b"<html>", headers={"content-type": "text/html"}),
    Reply(201, b'{"id": "mess'),
    Reply(201, []),
    Reply(201, b""),
    Reply(201, b"x" * 1_100_000),
    Reply(201, b"no gzip", headers={"content-encoding": "gzip"}),
    Reply(201, {}, cut=True),
    Reply(201, {}, late=2.0),
    Reply(500, {"message": "oops"}),
]


@pytest.mark.parametrize(
    "says",
    [HABLLA_SAYS, [(fault, DOUBT) for fault in HABLLA_GARBAGE]],
    ids=["refusals", "garbage"],
)
async def test_what_hablla_says_of_a_template_counts_and_what_it_may_have_sent_is_not_sent_again(
    tmp_path: Path, hablla: Hablla, says: list[tuple[Reply, tuple[str, str, str]]]
) -> None:
    hablla.sending.extend(fault for fault, _ in says)
    async with at(tmp_path, RETOMADA, over_hablla(hablla, BY_LOGIN, timeout="800ms")) as server:
        ends = [await failure(server, lead(number)) for number in range(len(says))]
    assert ends == [end for _, end in says]
    sends = [one for one in hablla.asked if one.path.endswith("messages-templates")]
    assert (len(sends), hablla.sent) == (len(says), [])


async def test_message_over_hablla_goes_once_whatever_became_of_the_requests_before_it(
    tmp_path: Path, hablla: Hablla
) -> None:
    lost = [
        Reply(201, b"<html>", headers={"content-type": "text/html"}),
        Reply(201, b'{"accessToken": "e'),
        Reply(201, {}, cut=True),
        Reply(201, {}, late=2.0),
        Reply(500, {"message": "oops"}),
        Reply(429, {"message": "slow down"}),
    ]
    hablla.add(name="João", phones=[{"phone": PHONE.removeprefix("+")}])
    async with at(tmp_path, SEND, over_hablla(hablla, BY_LOGIN, timeout="800ms")) as server:
        for fault in lost:
            hablla.expire()
            hablla.faults.extend([Reply(401, {"message": "expired"}), fault] if hablla.sent else [fault])
            await until_done(server)
    assert (len(hablla.sent), hablla.faults) == (len(lost), deque())


async def test_credentials_that_hablla_does_not_take_fail_for_good(tmp_path: Path, hablla: Hablla) -> None:
    hablla.faults.append(Reply(401, {"message": "Invalid credentials"}))
    async with at(tmp_path, SEND, over_hablla(hablla, BY_LOGIN)) as server:
        assert await failure(server) == dead("hablla")
    assert len(hablla.asked) == 1


UPSERT = f"on webhook {{telefone: phone, nome: text}} -> upsert person {QUICKLY}\n"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        *((Reply(status, {"message": "no"}), f"http_{status}") for status in (400, 403, 404, 409, 422)),
        (Reply(401, {"message": "Unauthorized"}), "hablla"),
        (Reply(200, b"x" * 1_100_000), "response_too_large"),
        (Reply(200, b"no gzip", headers={"content-encoding": "gzip"}), "response_encoding"),
    ],
)
async def test_what_hablla_refuses_of_a_person_is_told(tmp_path: Path, hablla: Hablla, fault: Reply, code: str) -> None:
    hablla.faults.append(fault)
    async with at(tmp_path, UPSERT, over_hablla(hablla, BY_TOKEN)) as server:
        assert await failure(server) == ("dead", "upsert_person", code)
    assert len(hablla.asked) == 1


async def test_person_of_hablla_is_asked_for_again_whatever_became_of_the_answer(
    tmp_path: Path, hablla: Hablla
) -> None:
    lost = [
        Reply(200, b"<html>", headers={"content-type": "text/html"}),
        Reply(200, b'{"results": [{"id"'),
        Reply(200, {"results": 7}),
        Reply(200, b""),
        Reply(200, {}, cut=True),
        Reply(200, {}, late=2.0),
        Reply(500, {"message": "oops"}),
        Reply(502, b"<html>"),
        Reply(429, {"message": "slow down"}),
    ]
    async with at(tmp_path, UPSERT, over_hablla(hablla, BY_TOKEN, timeout="800ms")) as server:
        for number, fault in enumerate(lost):
            hablla.faults.append(fault)
            await until_done(server, lead(number))
    assert len(hablla.persons) == len(lost)


async def test_no_cookie_of_a_service_comes_back(tmp_path: Path, hablla: Hablla, whatsapp: WhatsApp) -> None:
    for service in (hablla, whatsapp):
        service.always = {"set-cookie": "session=s3cr3t; Path=/"}
    settings = over_hablla(hablla, BY_LOGIN, channel=False) + over_whatsapp(whatsapp)
    async with at(tmp_path, RETOMADA, settings) as server:
        assert [(await run(server, lead(number)))["state"] for number in range(2)] == ["done", "done"]
    asked = [*hablla.asked, *whatsapp.asked]
    assert (len(hablla.asked) > 4, len(whatsapp.asked)) == (True, 2)
    assert not any("cookie" in one.headers for one in asked)


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
