"""Secrets and bodies are sent wherever they can be, and looked for wherever they must not be."""

import base64
import json
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.runtime.cli.process import ServerProcess, seta

FLOWS = """\
flow token on webhook token header "X-Token" (secret.CHAVE) {n: int, nome: text?}
  -> fone = format_phone(nome ?? "")
  -> log "never"
flow basic on webhook basic(secret.USER, secret.CHAVE) {n: int} -> log "linha {n}"
flow github on webhook signed github(secret.CHAVE) {n: int} -> log n
flow fala on webhook {n: int, nome: text?} -> log "linha {n}"
  -> put "http://127.0.0.1:9/x" with {nome, assinado: hmac_sha256(secret.CHAVE, nome ?? "")}
"""
SECRET = "c4n4ry-of-a-secret"  # noqa: S105  # what is looked for
USER = "c4n4ry-of-a-user"
BODY = "c4n4ry-of-a-body"
ELSEWHERE = "c4n4ry-elsewhere"  # in headers, queries and paths that no flow reads
BASIC = base64.b64encode(f"{USER}:{SECRET}".encode()).decode()


@dataclass(frozen=True)
class Scene:
    """A server that all of this was sent to, and what it answered."""

    server: ServerProcess
    answers: tuple[str, ...]
    kept: int

    def log(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.server.errors.splitlines()]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("secrecy")
    (folder / "flows").mkdir()
    (folder / "flows" / "a.seta").write_text(FLOWS)
    secrets = {"SETA_SECRET_CHAVE": SECRET, "SETA_SECRET_USER": USER}
    with ServerProcess(folder, "--log-level", "debug", "--log-format", "json", **secrets) as server:
        answers, kept = send(server)
        yield Scene(server, tuple(answers), kept)


def send(server: ServerProcess) -> tuple[list[str], int]:
    """Send good and bad deliveries, with canaries in every place; what came back, and how many were kept."""
    answers, kept = [], 0
    bodies = (
        f'{{"n": 1, "nome": "{BODY}"}}',
        f'{{"n": "{BODY}", "{BODY}": 1}}',
        f'{{"n": 1, "nome": ["{BODY}"]',
        f"<{BODY}/>",
        f'"{BODY}"',
    )
    proofs: tuple[dict[str, str], ...] = (
        {},
        {"X-Token": SECRET},
        {"X-Token": ELSEWHERE},
        {"Authorization": f"Basic {BASIC}"},
        {"X-Hub-Signature-256": f"sha256={SECRET}"},
        {"Content-Encoding": ELSEWHERE},
        {"Content-Type": ELSEWHERE},
    )
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        for flow in server.flows.values():
            for proof in proofs:
                for body in bodies:
                    headers = {**proof, "X-Elsewhere": ELSEWHERE, "Cookie": ELSEWHERE}
                    answer = client.post(f"{flow.path}?q={ELSEWHERE}", content=body, headers=headers)
                    answers.append(f"{answer.headers} {answer.text}")
                    kept += answer.status_code == 200
            answers.append(client.get(f"{flow.path}?hub.verify_token={SECRET}&hub.mode=subscribe").text)
        answers.append(client.post(f"/{ELSEWHERE}%0a%1b[2J", content=BODY).text)
        answers.append(client.get("/readyz").text)
    answers.append(raw(server, f"POST /{ELSEWHERE} HTTP/1.1\r\nHost: {ELSEWHERE}\r\nX: \0{SECRET}\r\n\r\n"))
    return answers, kept


def raw(server: ServerProcess, text: str) -> str:
    with closing(server.connect()) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(65_536).decode()


CANARIES = (SECRET, USER, BODY, ELSEWHERE, BASIC)


def found_in(text: str, canaries: tuple[str, ...] = CANARIES) -> list[str]:
    return [canary for canary in canaries if canary in text]


def test_the_scene_is_a_real_one(scene: Scene) -> None:
    assert scene.kept == 1 + 1 + 0 + 6  # token, basic, github; fala of all but what is encoded
    told = [entry["message"] for entry in scene.log()]
    for message in ("delivery refused", "delivery accepted", "run is dead", "log"):
        assert message in told


def test_the_log_holds_ids_and_no_secret_no_body_and_no_address(scene: Scene) -> None:
    assert found_in(scene.server.errors) == []
    for flow in scene.server.flows.values():
        assert flow.path not in scene.server.errors
    accepted = [entry for entry in scene.log() if entry["message"] == "delivery accepted"]
    assert len(accepted) == scene.kept
    ids = {entry["run"] for entry in accepted}
    dead = [entry for entry in scene.log() if entry["message"] == "run is dead"]
    assert {entry["run"] for entry in dead} <= ids
    assert {(entry["flow"], entry["step"], entry["code"]) for entry in dead} == {
        ("token", "format_phone_fone", "bad_length"),
        ("fala", "put", "address_refused"),
    }


def test_a_line_that_a_flow_logs_is_told_with_flow_run_and_step(scene: Scene) -> None:
    lines = [entry for entry in scene.log() if entry["logger"] == "seta.flow"]
    assert {(entry["flow"], entry["step"], entry["text"]) for entry in lines} == {
        ("basic", "log", "linha 1"),
        ("fala", "log", "linha 1"),
    }
    assert all(entry["run"] for entry in lines)


def test_answers_repeat_nothing_that_was_sent(scene: Scene) -> None:
    assert found_in("\n".join(scene.answers)) == []


def inside(scene: Scene, *paths: str) -> str:
    """What the socket gives."""
    transport = httpx.HTTPTransport(uds=str(scene.server.folder / ".seta" / "admin.sock"))
    with httpx.Client(transport=transport, base_url="http://seta") as client:
        return "\n".join(client.get(path).raise_for_status().text for path in paths)


def test_metrics_and_readiness_hold_none_of_it(scene: Scene) -> None:
    text = inside(scene, "/metrics", "/readyz", "/openapi.json")
    assert "webhook_received_total" in text
    assert found_in(text) == []


def test_lists_of_the_socket_hold_no_secret(scene: Scene) -> None:
    assert found_in(inside(scene, "/runs", "/rejected", "/urls", "/outbox"), (SECRET, USER, ELSEWHERE, BASIC)) == []


def test_the_journal_holds_bodies_that_were_kept_and_no_secret_and_nothing_that_no_flow_reads(scene: Scene) -> None:
    database = scene.server.folder / ".seta" / "seta.db"
    copy = scene.server.folder / "copy.db"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as one, closing(sqlite3.connect(copy)) as other:
        one.backup(other)
    held = copy.read_bytes() + database.with_name("seta.db-wal").read_bytes()
    assert BODY.encode() in held
    for canary in (SECRET, USER, ELSEWHERE, BASIC):
        assert canary.encode() not in held


def test_explain_and_doctor_name_secrets_and_tell_none(scene: Scene) -> None:
    folder = scene.server.folder
    secrets = {"SETA_SECRET_CHAVE": SECRET, "SETA_SECRET_USER": USER}
    told = [
        seta(folder, "explain", "flows/a.seta", **secrets).stdout,
        seta(folder, "doctor", **secrets).stdout,
    ]
    assert all(told), told
    assert found_in(os.linesep.join(told), (SECRET, USER, ELSEWHERE, BASIC)) == []


def test_nothing_of_it_is_beside_the_journal(scene: Scene) -> None:
    files = [path for path in Path(scene.server.folder / ".seta").iterdir() if path.is_file()]
    for path in files:
        for canary in (SECRET, USER, ELSEWHERE, BASIC):
            assert canary.encode() not in path.read_bytes(), path
