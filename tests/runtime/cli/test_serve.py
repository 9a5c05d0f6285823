"""`seta serve` for real: what is printed works, and what came of it is shown by the other commands."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.receiver import Received, Receiver
from tests.runtime.cli.process import LEAD, RETOMADA, ROOT, ServerProcess, seta


def until(found: Callable[[], Any]) -> Any:
    """Ask again until there is something."""
    end = time.monotonic() + 20
    while not (value := found()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return value


def test_delivery_becomes_a_person_and_a_message(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "retomada.seta").write_text(RETOMADA)

    def listed(*args: str) -> Any:
        return json.loads(seta(tmp_path, *args, "--json").stdout)

    with ServerProcess(tmp_path) as server:
        head, _, body = server.curl("retomada").partition("\n\n")
        assert head.startswith("HTTP/1.1 200 OK\n")
        run_id = json.loads(body)["run"]
        until(lambda: listed("runs", "--state", "done")["runs"])
        assert [(run["id"], run["flow"]) for run in listed("runs")["runs"]] == [(run_id, "retomada")]
        assert [person["phone"] for person in listed("persons")["persons"]] == ["+5511999998888"]
        assert [(sent["to"], sent["template"]) for sent in listed("outbox")["outbox"]] == [
            ("+5511999998888", "retomada")
        ]
        assert [url["url"] for url in listed("urls")["urls"]] == [server.flows["retomada"].url]
        steps = listed("runs", "show", run_id[:18])["run"]["steps"]
        assert [step["kind"] for step in steps] == ["result", "result"]


KINDS = """\
flow json on webhook {n: int, quando: date} -> x = n + 1 -> log x
flow form on webhook accept form {n: int, cliente: {nome: text, tags: [text]}} -> x = n + 1 -> log {x}
flow partes on webhook accept multipart {n: int, cliente: {nome: text}} -> x = n + 1 -> log {x, quem: cliente.nome}
flow texto on webhook accept text corpo: text -> log corpo
"""


def test_printed_line_works_for_every_kind_of_body(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "kinds.seta").write_text(KINDS)

    def done() -> set[str]:
        return {run["flow"] for run in json.loads(seta(tmp_path, "runs", "--state", "done", "--json").stdout)["runs"]}

    with ServerProcess(tmp_path) as server:
        for flow in server.flows:
            assert server.curl(flow).startswith("HTTP/1.1 200 OK"), flow
        until(lambda: done() == {"json", "form", "partes", "texto"})


GUARDED = """\
flow token on webhook token header "X-Token" (secret.CHAVE) {n: int} -> log n
flow basic on webhook basic(secret.USER, secret.CHAVE) {n: int} -> log n
flow hotmart on webhook signed hotmart(secret.FILED) {n: int} -> log n
flow github on webhook signed github(secret.CHAVE) {n: int} -> log n
flow hubspot on webhook signed hubspot(secret.CHAVE) {n: int} -> log n
"""


def test_printed_line_of_a_guarded_flow_works_where_the_secrets_are_or_says_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "guarded.seta").write_text(GUARDED)
    (tmp_path / "flows" / "seta.toml").write_text('[secrets]\nUSER = "env:MINHA"\nFILED = "file:h o t"\n')
    (tmp_path / "flows" / "h o t").write_text("hottok\n")
    secrets = {"SETA_SECRET_CHAVE": "ch4ve $x", "MINHA": "eu"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with ServerProcess(tmp_path, **secrets) as server:
        lines = {flow.name: flow.curl.partition(" -d ")[2] for flow in server.flows.values()}
        assert lines == {
            "token": """'{"n":1}' -H "X-Token: $SETA_SECRET_CHAVE\"""",
            "basic": """'{"n":1}' -u "$MINHA:$SETA_SECRET_CHAVE\"""",
            "hotmart": """'{"n":1}' -H "X-HOTMART-HOTTOK: $(cat 'flows/h o t')\"""",
            "github": """'{"n":1}'""",
            "hubspot": """'{"n":1}'""",
        }
        for flow in ("token", "basic", "hotmart"):
            assert server.curl(flow).startswith("HTTP/1.1 200 OK"), flow
        assert server.curl("github").startswith("HTTP/1.1 401 Unauthorized")
        wants = "  wants HMAC-SHA256 of the body in X-Hub-Signature-256: without it the answer is 401\n"
        assert f"{server.flows['github'].curl}\n{wants}" in server.printed


def test_server_that_does_not_know_the_address_that_senders_sign_warns(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "guarded.seta").write_text(GUARDED)
    secrets = {f"SETA_SECRET_{name}": "x" for name in ("CHAVE", "USER", "FILED")}
    with ServerProcess(tmp_path, **secrets) as server:
        [told] = [json.loads(line) for line in server.errors.splitlines()]
        assert (told["level"], told["flow"], told["message"]) == (
            "warning",
            "hubspot",
            f"senders sign the address that they call: unless it is http://127.0.0.1:{server.port},"
            " `serve --public-url` has to say it",
        )
    with ServerProcess(tmp_path, "--public-url", "https://hooks.example.com", **secrets) as server:
        assert server.errors == ""


async def test_second_example_reaches_the_other_system(tmp_path: Path) -> None:
    flow = (ROOT / "flows" / "erp.seta").read_text()
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "erp.seta").write_text(flow)
    async with Receiver() as receiver:
        (tmp_path / "flows" / "seta.toml").write_text(f'[config]\nerp = "{receiver.url}"\n')
        await asyncio.to_thread(_send_and_wait, tmp_path, receiver)
        [request] = receiver.requests
    assert (request.method, request.path) == ("POST", "/pedidos")
    assert request.json() == {"id": "A-1", "nome": "João Silva", "valor": 10.5, "score": 0, "faixa": "b"}
    assert _key(request)


def _send_and_wait(folder: Path, receiver: Receiver) -> None:
    with ServerProcess(folder, "--allow-outbound", f"127.0.0.1:{receiver.port}") as server:
        assert server.curl("erp").startswith("HTTP/1.1 200 OK")
        until(lambda: receiver.requests)
        until(lambda: json.loads(seta(folder, "runs", "--state", "done", "--json").stdout)["runs"])


def _key(request: Received) -> str:
    return request.headers["idempotency-key"]


def test_proxies_and_the_age_of_the_queue_come_from_options_and_the_environment(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "retomada.seta").write_text(RETOMADA)
    options = ("--max-queue-age", "90s", "--log-level", "debug", "--log-format", "json")
    with ServerProcess(tmp_path, *options, SETA_TRUSTED_PROXY="10.0.0.0/8 127.0.0.1") as server:
        for name, value in (
            ("X-Forwarded-For", "1.1.1.1, 198.51.100.7, 10.1.2.3"),
            ("Forwarded", 'for="[2001:db8:1:2::3]:4711"'),
        ):
            answer = httpx.post(server.flows["retomada"].url, content=LEAD, headers={name: value}, trust_env=False)
            assert answer.status_code == 200
        lines = [json.loads(line) for line in server.errors.splitlines()]
    told = [line["client"] for line in lines if line["message"] == "delivery accepted"]
    assert told == ["198.51.100.0/24", "2001:db8:1::/48"]


def test_opening_that_is_none_is_a_wrong_call(tmp_path: Path) -> None:
    done = seta(tmp_path, "serve", "--allow-outbound", "localhost:8401")
    assert done.returncode == 2
    assert "'localhost:8401' is not IP[/N]:PORT, such as 127.0.0.1:8401, 10.0.0.0/8:443" in done.stderr


def test_step_that_posts_to_this_machine_fails_for_good_unless_that_is_opened(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "eco.seta").write_text('on webhook {id: text} -> post "http://127.0.0.1:9/x" with {id}')
    with ServerProcess(tmp_path) as server:
        assert server.curl("eco").startswith("HTTP/1.1 200 OK")
        [run] = until(lambda: json.loads(seta(tmp_path, "runs", "--state", "dead", "--json").stdout)["runs"])
        shown = json.loads(seta(tmp_path, "runs", "show", run["id"], "--json").stdout)["run"]
    assert (shown["error"]["code"], shown["error"]["message"]) == (
        "address_refused",
        "127.0.0.1:9 is not called: 127.0.0.1 is this machine, not public; "
        "`seta serve --allow-outbound 127.0.0.1:9` lets steps reach it",
    )


# What keeps a server from starting ----------------------------------------------------------------

VIA = 'flow a\non webhook {telefone: phone}\n  -> tag person "vip" by telefone via crm\n'
CRM = """\
[connections.crm]
kind = "hablla"
workspace = "66aa00000000000000000001"
auth = {kind = "token", token = "env:CRM_TOKEN"}
"""


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            "",
            """\
error[E241]: there is no connection `crm`
 --> flows/a.seta:3:39
  |
3 |   -> tag person "vip" by telefone via crm
  |                                       ^^^ unknown connection
  |
  = seta.toml has none
  = a connection is written [connections.crm] in seta.toml
  = seta help E241

seta: 1 error in 1 file
""",
        ),
        (CRM, "seta: a secret of the connection crm is missing: set the environment variable CRM_TOKEN\n"),
    ],
    ids=["no connection", "no secret"],
)
def test_server_does_not_start_without_a_connection_that_a_flow_goes_via(
    tmp_path: Path, settings: str, said: str
) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "a.seta").write_text(VIA)
    (tmp_path / "flows" / "seta.toml").write_text(settings)
    ended = seta(tmp_path, "serve", "--port", "0")

    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)
    assert not (tmp_path / ".seta").exists()


async def test_doctor_looks_at_connections_and_sends_nothing(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "a.seta").write_text(VIA.replace("telefone via crm", 'telefone via crm -> post "/x" via erp'))
    async with Receiver() as receiver:
        erp = f'[connections.erp]\nkind = "http"\nurl = "{receiver.url}"\n'
        (tmp_path / "flows" / "seta.toml").write_text(f'{CRM}url = "{receiver.url}"\n{erp}')
        ended = await asyncio.to_thread(seta, tmp_path, "doctor", "--json", CRM_TOKEN="t0k3n")  # noqa: S106  # of a fake

    told = {one["name"]: (one["ok"], one["detail"]) for one in json.loads(ended.stdout)["checks"]}
    assert ended.returncode == 0
    assert told["connections"] == (True, f"crm ({receiver.url}), erp ({receiver.url})")
    assert (receiver.count, "t0k3n" in ended.stdout + ended.stderr) == (0, False)
