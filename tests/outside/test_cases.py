"""What strangers send to a real server, over sockets: the rows of the case table that no other test sends from outside.

Framing, limits and slow senders are in tests/runtime/test_serve.py, signatures in test_signatures.py, full disks and
syncs that hang in tests/faults.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.outside.serving import SECRETS, server
from tests.runtime.cli.process import ServerProcess, listed
from tests.runtime.door.test_json import BODIES, STATUSES
from tests.runtime.served import serving

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server(tmp_path_factory.mktemp("outside")) as serving:
        yield serving
        assert "Traceback" not in serving.errors


def ask(served: ServerProcess, raw: bytes) -> httpx.Response:
    """Send a request as it is, on a connection of its own that ends with it, and read the answer."""
    with closing(served.connect()) as connection:
        connection.sendall(raw)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return httpx.Response(int(first.split(" ")[1]), headers=headers, content=body)


def post(path: bytes, *headers: bytes, body: bytes = b'{"id":"a"}') -> bytes:
    own = (b"Host: a", b"Connection: close", b"Content-Length: %d" % len(body))
    lines = (b"POST %s HTTP/1.1" % path, *own, *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_each_body_is_taken_or_refused_as_json_has_it_and_only_what_is_taken_is_a_run(served: ServerProcess) -> None:
    before = len(listed(served.folder, "runs"))
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", trust_env=False, timeout=20) as client:
        found = {name: client.post("/qualquer", content=body) for name, body in BODIES.items()}
    of_a_flow = {200: 201}  # it says so itself
    statuses = {name: of_a_flow.get(status, status) for name, status in STATUSES.items()}
    assert {name: answer.status_code for name, answer in found.items()} == statuses
    refused = [answer for answer in found.values() if answer.status_code != 201]
    assert {answer.headers["content-type"] for answer in refused} == {PROBLEM}
    runs = listed(served.folder, "runs")
    assert len(runs) - before == len(found) - len(refused)


UNKNOWN = (
    b"/",
    b"/v1/000000000000000000000000",
    b"/segredo/",
    b"//segredo",
    b"/SEGREDO",
    b"/%73egredo",
    b"/segredo%00",
    b"/segredo%0d%0aX:%20y",
    b"/segredo%ff",
    b"/segredo/../segredo",
    b"/./segredo",
    b"/segredo;a=b",
    b"/metrics",
    b"/openapi.json",
    b"/runs",
)


def test_all_that_is_no_address_is_answered_alike_with_and_without_the_token(served: ServerProcess) -> None:
    token = b"X-Token: " + SECRETS["TOKEN"].encode()
    answers = [ask(served, post(path, *more)) for path in UNKNOWN for more in ((), (token,))]
    told = {(answer.status_code, answer.headers["content-type"], answer.content) for answer in answers}
    assert [status for status, _, _ in told] == [404]
    assert {tuple(sorted(answer.headers.keys())) for answer in answers} == {tuple(sorted(answers[0].headers.keys()))}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (b"/segredo", (b"X-Token: \xe9\xff",)),
        (b"/senha", (b"Authorization: Basic \xff\xfe",)),
        (b"/senha", (b"Authorization: Basic " + b"=" * 999,)),
        (b"/assinado", (b"webhook-id: a", b"webhook-timestamp: 1", b"webhook-signature: \xff")),
        (b"/assinado", (b"webhook-id: a", b"webhook-timestamp: 1_7", b"webhook-signature: v1,AAAA")),
        (b"/assinado", (b"webhook-id: \xff", b"webhook-timestamp: \xff", b"webhook-signature: v1,\xe9")),
        (b"/assinado", (b"webhook-id: a", b"webhook-timestamp: " + b"9" * 400, b"webhook-signature: v1")),
        (b"/assinado", (b"webhook-id: a", b"webhook-timestamp: 1", b"webhook-signature: " + b"v1,a= " * 2000)),
    ],
)
@pytest.mark.parametrize("body", [b'{"id":"a"}', b"{"], ids=["json", "none"])
def test_a_malformed_proof_is_401_whatever_the_body_is(
    served: ServerProcess, path: bytes, headers: tuple[bytes, ...], body: bytes
) -> None:
    answer = ask(served, post(path, *headers, body=body))
    assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
    assert answer.json()["type"] == "urn:seta:problem:unauthorized"


def test_strange_requests_that_http_allows_are_answered(served: ServerProcess) -> None:
    good = post(b"/qualquer")
    assert ask(served, good.replace(b"Host: a", b"Host: a\r\nHost: b")).status_code == 201
    assert ask(served, good.replace(b"Host: a", b"Host: a\rb")).status_code == 400
    method = ask(served, good.replace(b"POST", b"M" * 5000))
    assert (method.status_code, method.headers["allow"]) == (405, "GET, HEAD, POST")
    assert ask(served, good.replace(b"POST", b"TRACE")).status_code == 405
    lossy = ask(served, post(b"/qualquer?a=%ff%0d%0a%00%zz&&=&a"))
    assert lossy.status_code == 201


@pytest.mark.parametrize("protocol", [b"\xff", b"a" * 1000, b",,,"])
def test_a_handshake_of_websockets_is_a_look_at_the_webhook(served: ServerProcess, protocol: bytes) -> None:
    """One such request with a protocol that is no text once killed a server of this kind (CVE-2026-42544)."""
    raw = (
        b"GET /qualquer HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Protocol: " + protocol + b"\r\n\r\n"
    )
    assert ask(served, raw).status_code == 200
    assert ask(served, post(b"/qualquer")).status_code == 201


def test_no_line_of_the_log_is_made_by_strangers(served: ServerProcess) -> None:
    for path in (b"/qualquer%0a{}", b"/%1b%5b2J"):
        assert ask(served, post(path)).status_code == 404
    assert ask(served, post(b"/segredo", b"X-Token: \x1b[2J")).status_code == 400
    assert ask(served, post(b"/segredo", b"X-Token: \xc2\x9b2J")).status_code == 401
    for line in served.errors.splitlines():
        told = json.loads(line)
        assert set(told) <= {
            "at",
            "level",
            "logger",
            "message",
            "flow",
            "status",
            "reason",
            "client",
            "run",
            "step",
            "text",
        }, line
        assert told["logger"] in ("seta.door", "seta.serve", "seta.flow", "seta.engine")


async def test_deliveries_beyond_the_rate_are_429_with_a_time_to_come_back(tmp_path: Path) -> None:
    flows = {
        "a.seta": 'flow a on webhook "/a" open {n: int} -> log n\nflow b on webhook "/b" open {n: int} -> log n\n',
        "seta.toml": '[rates]\na = "2/h"\n',
    }
    async with serving(tmp_path, flows) as one:
        answers = [await one.post("a", '{"n": 1}') for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert [answer.headers.get("content-type") for answer in answers[2:]] == [PROBLEM] * 2
        pauses = [int(answer.headers["retry-after"]) for answer in answers[2:]]
        assert all(1790 <= pause <= 1810 for pause in pauses), pauses
        assert pauses[0] != pauses[1]
        assert (await one.post("b", '{"n": 1}')).status_code == 200
        assert len((await one.admin("/runs")).json()["runs"]) == 3
