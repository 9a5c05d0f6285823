"""`seta run`: one run in the foreground, with nothing sent."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runtime.connections import local
from runtime.journal import open_journal
from runtime.journal.writes import Accept
from tests.runtime.cli.conftest import Seta

FLOWS = """\
flow pedido
on webhook answer within 5s {id: text, telefone: phone}
  -> upsert person by telefone
  -> post "https://erp.example/pedidos/{id}" with {pessoa: person.phone} as resposta
  -> respond 200 {id, n: resposta.n}
  -> log "respondido"
  -> wait 2d
  -> send hsm "pesquisa" to person

flow preco
on webhook {id: text}
  -> get "https://erp.example/precos/{id}" as p: {valor: decimal}
  -> log p.valor
"""


@pytest.fixture
def flows(seta: Seta, tmp_path: Path) -> Path:  # noqa: ARG001  # the folder is made first
    """A file of two flows, and bodies for them."""
    file = tmp_path / "flows" / "pedido.seta"
    file.write_text(FLOWS)
    (tmp_path / "pedido.json").write_text('{"id": "a b", "telefone": "11999998888"}\n')
    (tmp_path / "preco.json").write_text('{"id": "7"}')
    return file


def plain(text: str) -> str:
    """A text without what is another each time."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<time>", re.sub(r"[0-9a-f]{24}", "<id>", text))


@pytest.mark.usefixtures("flows")
def test_run_tells_its_end_its_answer_and_what_it_would_send(seta: Seta, tmp_path: Path) -> None:
    result = seta("run", "flows/pedido.seta", "--flow", "pedido", "--payload", "pedido.json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (
        plain(result.stdout)
        == """\
pedido: it went through to its end

Answer
  200 {id: "a b"}

Would be sent
  upsert person by "+5511999998888"
  post "https://erp.example/pedidos/a%20b" with {pessoa: "+5511999998888"}
  send hsm "pesquisa" to {id: "<id>", phone: "+5511999998888"}

Waits that passed at once
  wait, until <time> UTC

Log
  "respondido"
"""
    )
    assert not (tmp_path / ".seta").exists()


@pytest.mark.usefixtures("flows")
def test_run_is_a_document_too(seta: Seta) -> None:
    result = seta("run", "flows", "--flow", "pedido", "--payload", "pedido.json", "--json")
    document = json.loads(result.stdout)
    assert (document["schema"], document["run"]["state"]) == ("seta.rehearsal/1", "done")
    assert document["answer"] == {"status": 200, "body": {"id": "a b"}}
    assert [(sent["step"], sent["verb"]) for sent in document["sent"]] == [
        ("upsert_person", "upsert person"),
        ("post_resposta", "post"),
        ("send_hsm", "send hsm"),
    ]
    assert [wait["step"] for wait in document["waits"]] == ["wait"]


@pytest.mark.usefixtures("flows")
def test_run_that_needs_a_result_fails_there(seta: Seta) -> None:
    result = seta("run", "flows/pedido.seta", "--flow", "preco", "--payload", "preco.json")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        1,
        "preco: it failed at get_p as not_mocked: the step needs a result, and nobody was asked for one",
    )


@pytest.mark.usefixtures("flows")
def test_payload_that_does_not_fit_is_refused_with_every_problem(seta: Seta) -> None:
    result = seta("run", "flows/pedido.seta", "--flow", "pedido", "--payload", "preco.json")
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        "seta: the payload does not fit pedido:\n  at /telefone: expected phone, got nothing\n",
    )


@pytest.mark.usefixtures("flows")
def test_payload_that_is_not_json_is_refused(seta: Seta) -> None:
    result = seta("run", "flows/pedido.seta", "--flow", "pedido", "--payload", "flows/pedido.seta")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("seta: It is neither an object nor an array")


@pytest.mark.usefixtures("flows")
def test_flow_has_to_be_chosen_among_several(seta: Seta) -> None:
    several = seta("run", "flows/pedido.seta", "--payload", "preco.json")
    assert several.exit_code == 2
    assert several.output.endswith("Error: flows/pedido.seta has pedido, preco: choose one with --flow\n")
    unknown = seta("run", "flows/pedido.seta", "--flow", "precos", "--payload", "preco.json")
    assert unknown.exit_code == 2
    assert unknown.output.endswith("Error: flows/pedido.seta has pedido, preco, and no flow precos\n")


def test_only_flow_of_a_file_need_not_be_named(seta: Seta, tmp_path: Path) -> None:
    (tmp_path / "lead.json").write_text('{"telefone": "11999998888"}')
    result = seta("run", "flows/retomada.seta", "--payload", "lead.json")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "retomada: it went through to its end")


# --- for real


class Erp(BaseHTTPRequestHandler):
    """Another system, which answers every POST with a number."""

    bodies: list[bytes]

    def do_POST(self) -> None:
        """Keep the body and answer."""
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "7")
        self.end_headers()
        self.wfile.write(b'{"n":5}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Say nothing."""


@pytest.fixture
def erp() -> Iterator[tuple[int, list[bytes]]]:
    """The port of another system, and the bodies that it gets."""
    bodies: list[bytes] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneErp", (Erp,), {"bodies": bodies}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, bodies
    server.shutdown()
    server.server_close()
    thread.join()


def test_live_run_sends_and_leaves_what_waits_in_the_data_folder(
    seta: Seta, flows: Path, erp: tuple[int, list[bytes]]
) -> None:
    port, bodies = erp
    flows.write_text(FLOWS.replace("https://erp.example", f"http://127.0.0.1:{port}"))
    opened = ("--live", "--allow-outbound", f"127.0.0.1:{port}")
    result = seta("run", "flows/pedido.seta", "--flow", "pedido", "--payload", "pedido.json", *opened)
    assert (result.exit_code, result.stderr) == (0, "")
    assert bodies == [b'{"pessoa":"+5511999998888"}']
    assert (
        plain(result.stdout)
        == f"""\
pedido: it waits at wait until <time> UTC

Answer
  200 {{id: "a b", n: 5}}

Sent
  upsert person by "+5511999998888"
  post "http://127.0.0.1:{port}/pedidos/a%20b" with {{pessoa: "+5511999998888"}}

Log
  "respondido"
"""
    )
    assert [run["state"] for run in json.loads(seta("runs", "--json").stdout)["runs"]] == ["waiting"]
    assert [person["phone"] for person in json.loads(seta("persons", "--json").stdout)["persons"]] == ["+5511999998888"]


def test_live_run_goes_via_the_connections_of_the_folder(
    seta: Seta, flows: Path, erp: tuple[int, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, bodies = erp
    flows.write_text(FLOWS.replace('"https://erp.example/pedidos/{id}"', '"/pedidos/{id}" via erp'))
    auth = '{kind = "bearer", token = "env:ERP"}'
    (flows.parent / "seta.toml").write_text(
        f'[connections.erp]\nkind = "http"\nurl = "http://127.0.0.1:{port}"\nauth = {auth}\n'
    )
    monkeypatch.delenv("ERP", raising=False)
    opened = ("--live", "--allow-outbound", f"127.0.0.1:{port}")
    given = ("run", "flows/pedido.seta", "--flow", "pedido", "--payload", "pedido.json", *opened)
    missing = "seta: a secret of the connection erp is missing: set the environment variable ERP\n"
    assert (seta(*given).exit_code, seta(*given).stderr) == (1, missing)
    monkeypatch.setenv("ERP", "canary")
    assert 'post "/pedidos/a%20b" via erp with {pessoa: "+5511999998888"}' in seta(*given).stdout.splitlines()[7]
    assert bodies == [b'{"pessoa":"+5511999998888"}']


def test_live_run_reaches_only_what_is_opened(seta: Seta, flows: Path, erp: tuple[int, list[bytes]]) -> None:
    port, bodies = erp
    flows.write_text(FLOWS.replace("https://erp.example", f"http://127.0.0.1:{port}"))
    result = seta("run", "flows/pedido.seta", "--flow", "pedido", "--payload", "pedido.json", "--live")
    assert result.exit_code == 1
    assert result.stdout.startswith("pedido: it failed at post_resposta as address_refused: ")
    assert bodies == []


@pytest.mark.usefixtures("flows")
def test_live_run_leaves_a_folder_with_open_runs_alone(seta: Seta, tmp_path: Path) -> None:
    async def begin() -> None:
        journal = await open_journal(tmp_path / ".seta", clock=lambda: 0, tables=(local.TABLES,))
        await journal.commit(Accept("r1", "r1", "pedido", "plan", 0, b"{}"))
        await journal.close()

    asyncio.run(begin())
    result = seta("run", "flows/pedido.seta", "--flow", "pedido", "--payload", "pedido.json", "--live")
    assert (result.exit_code, result.stderr) == (
        1,
        "seta: runs are under way in .seta: let `seta serve` end them, or choose another --data\n",
    )
    assert [run["id"] for run in json.loads(seta("runs", "--json").stdout)["runs"]] == ["r1"]
