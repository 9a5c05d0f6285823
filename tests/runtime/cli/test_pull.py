"""`seta catalog pull` writes what WhatsApp has approved, from a Cloud API that really listens."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from compiler.catalog import Template, TemplateParam
from runtime.cli.pull import together
from runtime.connections.whatsapp_templates import Listed, Param, read_page
from runtime.steps import catalog
from tests.fakes.service import Reply
from tests.fakes.whatsapp import ACCOUNT, NUMBER, TOKEN, WhatsApp, refusal, template
from tests.runtime.cli.conftest import Seta

BODY = {"type": "BODY", "text": "Olá {{1}}, o pedido {{2}} saiu"}
IMAGE = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["https://x.example/a.png"]}}
BUTTONS = {
    "type": "BUTTONS",
    "buttons": [
        {"type": "QUICK_REPLY", "text": "Quero"},
        {"type": "URL", "text": "Ver", "url": "https://x.example/{{1}}", "example": ["https://x.example/1"]},
        {"type": "URL", "text": "Site", "url": "https://x.example"},
        {"type": "COPY_CODE", "example": "ABC"},
    ],
}


@pytest.fixture
async def service() -> AsyncIterator[WhatsApp]:
    async with WhatsApp() as running:
        running.listed = [
            template("retomada", {"type": "BODY", "text": "Ainda quer?"}, {"type": "FOOTER", "text": "Loja"}),
            template("pedido", IMAGE, BODY, BUTTONS),
            template("rascunho", BODY, status="PENDING"),
            template("mapa", {"type": "HEADER", "format": "LOCATION"}),
            template("vitrine", BODY, {"type": "CAROUSEL", "cards": [{"components": [BODY]}]}),
            template(
                "produto", {"type": "HEADER", "format": "PRODUCT"}, {"type": "BUTTONS", "buttons": [{"type": "MPM"}]}
            ),
            template("saudacao", {"type": "BODY", "text": "Oi {{nome}}, {{loja}} e {{nome}}"}, language="en_US"),
            template("saudacao", {"type": "BODY", "text": "Oi {{nome}}"}),
        ]
        yield running


def settings(service: WhatsApp, **more: str) -> str:
    """A seta.toml with a number of a business."""
    table = {"number_id": NUMBER, "token": "env:ZAP", "url": f"{service.url}/v23.0", "account": ACCOUNT, **more}
    return "[connections.zap]\nkind = 'whatsapp_cloud'\n" + "".join(f"{key} = '{one}'\n" for key, one in table.items())


async def pulled(seta: Seta, service: WhatsApp, *more: str, toml: str = "", **variables: str) -> Result:
    put("seta.toml", toml or settings(service))
    opened = service.url.removeprefix("http://")
    call = ("catalog", "pull", "--allow-outbound", opened, *more)
    return await asyncio.to_thread(seta, *call, **{"ZAP": TOKEN, **variables})


def put(name: str, text: str) -> None:
    (Path("flows") / name).write_text(text)


def entries() -> dict[str, Any]:
    """What the file lists, by name; nothing where there is no file."""
    file = Path("flows/seta.catalog.json")
    listed = json.loads(file.read_text())["entries"] if file.exists() else []
    return {one["name"]: one for one in listed}


async def test_approved_templates_are_written_with_what_each_asks_for(seta: Seta, service: WhatsApp) -> None:
    result = await pulled(seta, service)

    assert (result.exit_code, result.stdout) == (
        0,
        "wrote flows/seta.catalog.json: 4 templates\nnew: mapa, pedido, retomada, saudacao\n",
    )
    assert result.stderr == (
        'not written: the template "produto": its header is of the kind PRODUCT; it has a button of the kind MPM\n'
        'not written: the template "vitrine": it has a part of the kind CAROUSEL\n'
    )
    assert entries() == {
        "mapa": {
            "type": "template",
            "name": "mapa",
            "language": "pt_BR",
            "params": [
                {"name": "location_latitude", "type": "decimal", "part": "header.location.latitude"},
                {"name": "location_longitude", "type": "decimal", "part": "header.location.longitude"},
                {"name": "location_name", "type": "text", "part": "header.location.name"},
                {"name": "location_address", "type": "text", "part": "header.location.address"},
            ],
        },
        "pedido": {
            "type": "template",
            "name": "pedido",
            "language": "pt_BR",
            "params": [
                {"name": "image", "type": "url", "part": "header.image"},
                {"name": "1", "type": "text"},
                {"name": "2", "type": "text"},
                {"name": "button_1", "type": "text", "part": "button.1.url"},
                {"name": "code", "type": "text", "part": "button.3.code"},
            ],
            "doc": "Olá {{1}}, o pedido {{2}} saiu",
        },
        "retomada": {"type": "template", "name": "retomada", "language": "pt_BR", "doc": "Ainda quer?"},
        "saudacao": {
            "type": "template",
            "name": "saudacao",
            "language": "pt_BR",
            "params": [{"name": "nome", "type": "text"}],
            "doc": "Oi {{nome}}",
        },
    }


async def test_all_pages_are_asked_for_from_the_connection_s_own_host(seta: Seta, service: WhatsApp) -> None:
    await pulled(seta, service)

    assert [asked.query.partition("after=")[2] for asked in service.asked] == ["", "2", "4", "6"]
    assert {asked.headers["authorization"] for asked in service.asked} == {f"Bearer {TOKEN}"}


async def test_check_then_finds_a_parameter_that_is_missing(seta: Seta, service: WhatsApp) -> None:
    put(
        "retomada.seta",
        'on webhook {t: phone, foto: url} -> send hsm "pedido" to t with '
        '{image: foto, "1": "Ana", button_1: "A1", code: "X"}\n',
    )
    assert "note[N203]" in seta("check").output
    await pulled(seta, service)
    checked = seta("check")

    assert checked.exit_code == 1
    assert 'error[E220]: hsm "pedido" needs `2`\n' in checked.output
    assert 'fix (choose): with {"2": …}' in checked.output


async def test_a_second_time_nothing_is_written(seta: Seta, service: WhatsApp) -> None:
    await pulled(seta, service)
    again = await pulled(seta, service)

    assert (again.exit_code, again.stdout) == (0, "nothing to write: 4 templates\n")


async def test_what_people_wrote_stays_and_what_changed_is_told(seta: Seta, service: WhatsApp) -> None:
    await pulled(seta, service)
    before = entries()
    before["pedido"]["doc"], before["pedido"]["params"][2]["type"] = "Avisa.", "int"
    old = {"type": "template", "name": "velha", "language": "pt_BR"}
    put("seta.catalog.json", json.dumps({"schema": "seta.catalog-file/1", "entries": [*before.values(), old]}))
    service.listed[0]["components"] = [BODY]
    result = await pulled(seta, service)

    assert result.stdout == (
        "wrote flows/seta.catalog.json: 5 templates\nchanged: retomada\n"
        "in the file, but not approved for `zap`: velha\n"
    )
    assert (entries()["pedido"]["doc"], entries()["pedido"]["params"][2]) == ("Avisa.", {"name": "2", "type": "int"})
    assert entries()["retomada"]["params"] == [{"name": "1", "type": "text"}, {"name": "2", "type": "text"}]


async def test_a_refusal_is_told_and_nothing_written(seta: Seta, service: WhatsApp) -> None:
    result = await pulled(seta, service, ZAP="another-secret-token")

    assert (result.exit_code, result.stderr) == (
        1,
        "seta: WhatsApp refused to list its templates: Invalid OAuth access token (code 190)\n",
    )
    assert entries() == {}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Reply(200, b"garbage"), "WhatsApp's answer is not understood: JSON is malformed: invalid character (byte 0)"),
        (Reply(503, b"<html>"), "answered 503"),
        (refusal(100, "no such account"), "WhatsApp refused to list its templates: no such account (code 100)"),
    ],
)
async def test_an_answer_that_is_no_list_writes_nothing(
    seta: Seta, service: WhatsApp, fault: Reply, message: str
) -> None:
    service.faults.append(fault)
    result = await pulled(seta, service)

    assert result.exit_code == 1
    assert message in result.stderr
    assert entries() == {}


async def test_what_is_missing_is_said_before_anything_is_asked(seta: Seta, service: WhatsApp) -> None:
    two = settings(service) + settings(service).replace("connections.zap", "connections.outro")
    without = settings(service).replace(f"account = '{ACCOUNT}'\n", "")
    for toml, variables, message in (
        (
            "timezone = 'UTC'\n",
            {},
            "templates come from a connection of kind whatsapp_cloud in seta.toml: one, and there is none",
        ),
        (two, {}, "say with --via which of `zap` and `outro` is asked"),
        (without, {}, "[connections.zap] in seta.toml needs `account`: Meta's id of the WhatsApp Business account"),
        (settings(service), {"ZAP": ""}, "a secret of the connection zap is missing: set the environment variable ZAP"),
    ):
        result = await pulled(seta, service, toml=toml, **variables)
        assert (result.exit_code, result.stderr) == (1, f"seta: {message}\n")
    assert service.asked == []
    chosen = await pulled(seta, service, "--via", "outro", toml=two)
    assert chosen.exit_code == 0


def test_of_several_languages_the_file_s_own_counts() -> None:
    listed = [Listed("a", language, (Param("1"),)) for language in ("de", "en_US", "pt_BR")]
    old = Template("a", "en_US", (TemplateParam("1", "int"),))
    assert together(listed, [old], "pt_BR", catalog()).entries == [old]
    assert together(listed, [], "pt_BR", catalog()).entries == [Template("a", "pt_BR", (TemplateParam("1", "text"),))]
    assert together(listed[:2], [], "pt_BR", catalog()).entries == [Template("a", "de", (TemplateParam("1", "text"),))]


def test_names_that_would_stand_twice_are_no_template_of_the_file() -> None:
    listed = Listed("a", "pt_BR", (Param("code"), Param("code", "button.0.code")))
    assert together([listed], [], "pt_BR", catalog()).unusable == ['the template "a" has the parameter `code` twice']


@pytest.mark.parametrize(
    ("component", "params"),
    [
        ({"type": "BODY", "text": "{{10}} {{2}} {{1}} {{2}}"}, (Param("1"), Param("2"), Param("10"))),
        ({"type": "HEADER", "format": "TEXT", "text": "Oi {{1}}"}, (Param("header", "header.text"),)),
        ({"type": "HEADER", "format": "TEXT", "text": "Oi {{nome}}"}, (Param("nome", "header.text"),)),
        ({"type": "HEADER", "format": "TEXT", "text": "Oi"}, ()),
        ({"type": "HEADER", "format": "DOCUMENT"}, (Param("document", "header.document"),)),
        ({"type": "BUTTONS", "buttons": [{"type": "FLOW", "flow_id": 1}, {"type": "PHONE_NUMBER"}]}, ()),
        ({"type": "CAROUSEL", "cards": []}, ()),
    ],
)
def test_parameters_are_the_holes_of_a_template(component: dict[str, Any], params: tuple[Param, ...]) -> None:
    [listed], _ = read_page(json.dumps({"data": [template("a", component)]}).encode())
    assert listed.params == params
