"""What the document of a real server declares is what it does: each example is taken, each refusal is as described."""

import asyncio
import json
import re
import socket
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import jsonschema_rs
import pytest
from standardwebhooks import Webhook

from tests.outside.serving import SECRETS, server
from tests.runtime.cli.process import ServerProcess, seta
from tests.runtime.served import Served, serving

FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data"
PROBLEM = "application/problem+json"
TOLD = {"Accept", "Allow", "Retry-After", "Www-Authenticate"}


@dataclass(frozen=True)
class Hook:
    """One webhook as the document has it."""

    path: str
    post: Mapping[str, Any]
    client: httpx.Client

    @property
    def contents(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.post["requestBody"]["content"]
        return found

    def example(self) -> httpx.Request:
        """A delivery that it takes."""
        media, content = next(iter(self.contents.items()))
        return self.client.build_request("POST", self.path, **encoded(media, content["example"]))

    def proven(self, request: httpx.Request) -> httpx.Request:
        """A request with what proves who sends it."""
        for requirement in self.post["security"]:
            [scheme] = requirement
            for name, value in proof(scheme, request.read()).items():
                request.headers[name] = value
        return request

    def send(self, request: httpx.Request) -> httpx.Response:
        return self.client.send(request)


def proof(scheme: str, body: bytes) -> dict[str, str]:
    match scheme:
        case "token":
            return {"X-Token": SECRETS["TOKEN"]}
        case "basic":
            pair = f"{SECRETS['USER']}:{SECRETS['PASSWORD']}"
            return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        case "standard":
            now = datetime.now(UTC)
            signature = Webhook(SECRETS["CHAVE"]).sign("msg_1", now, body.decode())
            return {
                "webhook-id": "msg_1",
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": signature,
            }
        case _:
            raise AssertionError(f"no flow here is guarded by {scheme}")


def encoded(media: str, example: Any) -> dict[str, Any]:
    """A body of a media type, as OpenAPI has it, for httpx."""
    match media:
        case "application/json":
            return {"json": example}
        case "text/plain":
            return {"content": example, "headers": {"Content-Type": media}}
        case "application/x-www-form-urlencoded":
            return {"data": dict(flat(example))}
        case "multipart/form-data":
            return {"files": [(name, part(value)) for name, value in example.items()]}
        case _:
            raise AssertionError(f"no flow takes {media}")


def flat(example: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, Any]]:
    """Fields of a form: deepObject, and what comes again."""
    for key, value in example.items():
        at = f"{name}[{key}]" if name else key
        if isinstance(value, dict):
            yield from flat(value, at)
        else:
            yield at, value


def part(value: Any) -> tuple[str | None, str, str]:
    if isinstance(value, str):
        return "a.txt", value, "application/octet-stream"
    return None, json.dumps(value), "application/json"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server(tmp_path_factory.mktemp("outside"), examples=True) as serving:
        yield serving


@pytest.fixture(scope="module")
def document(served: ServerProcess) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(seta(served.folder, "openapi").stdout)
    return found


@pytest.fixture(scope="module")
def hooks(served: ServerProcess, document: dict[str, Any]) -> Iterator[list[Hook]]:
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", timeout=20, trust_env=False) as client:
        found = [Hook(path, operations["post"], client) for path, operations in document["paths"].items()]
        assert len(found) == len(served.flows)
        yield found


def check(document: dict[str, Any], path: str, post: Mapping[str, Any], answer: httpx.Response) -> None:
    """See to it that an answer is one that is declared, with its media type, headers, schema and words."""
    where = f"{path}: {answer.status_code} {answer.text}"
    declared = resolved(document, post["responses"][str(answer.status_code)])
    assert {name for name in TOLD if name in answer.headers} <= declared.get("headers", {}).keys(), where
    if "content" not in declared:
        assert answer.content == b"", where
        return
    content = declared["content"][answer.headers["content-type"]]
    schema = {**content["schema"], "components": document["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(answer.json())
    if answer.headers["content-type"] == PROBLEM:
        told = answer.json()
        like = [one["value"] for one in content["examples"].values() if one["value"]["type"] == told["type"]]
        assert [(one["title"], sorted(one)) for one in like] == [(told["title"], sorted(told))], where


def resolved(document: dict[str, Any], response: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in response:
        return response
    found: Mapping[str, Any] = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return found


def test_each_example_of_each_kind_of_body_is_taken(document: dict[str, Any], hooks: list[Hook]) -> None:
    kinds = set()
    for hook in hooks:
        for media, content in hook.contents.items():
            request = hook.client.build_request("POST", hook.path, **encoded(media, content["example"]))
            answer = hook.send(hook.proven(request))
            assert answer.is_success, f"{hook.path} {media}: {answer.text}"
            check(document, hook.path, hook.post, answer)
            kinds.add(media)
    assert kinds == {"application/json", "text/plain", FORM, PARTS}


def wrong(hook: Hook) -> Iterator[tuple[int, httpx.Request]]:
    """Requests that a webhook refuses, with the status."""
    build = hook.client.build_request
    good = hook.example()
    bare = {name: value for name, value in good.headers.items() if name not in ("content-length", "transfer-encoding")}
    kind = next(iter(hook.contents))
    unreadable = {"application/json": b"{", "text/plain": b"\xff\xfe<", FORM: b"a=%ff", PARTS: b"--"}
    yield 400, build("POST", hook.path, content=unreadable[kind], headers={"Content-Type": kind})
    yield 405, build("PUT", hook.path, content=good.read(), headers=bare)
    yield 414, build("POST", f"{hook.path}?{'x' * 16_384}", content=good.read(), headers=bare)
    yield 415, build("POST", hook.path, content=good.read(), headers={**bare, "Content-Encoding": "gzip"})
    yield 431, build("POST", hook.path, content=good.read(), headers={**bare, "X-Large": "x" * 32_768})
    if "text/plain" not in hook.contents:
        yield 415, build("POST", hook.path, content=b"<a/>", headers={"Content-Type": "application/xml"})


def test_each_refusal_is_as_it_is_described(document: dict[str, Any], hooks: list[Hook]) -> None:
    for hook in hooks:
        for status, request in wrong(hook):
            answer = hook.send(hook.proven(request))
            assert answer.status_code == status, f"{hook.path}: {answer.text}"
            check(document, hook.path, hook.post, answer)


def test_what_does_not_fit_is_refused_as_it_is_described(document: dict[str, Any], hooks: list[Hook]) -> None:
    asked = 0
    for hook in hooks:
        content = hook.contents.get("application/json", {})
        if "required" in content.get("schema", {}):
            answer = hook.send(hook.proven(hook.client.build_request("POST", hook.path, json={})))
            assert answer.status_code == 422
            check(document, hook.path, hook.post, answer)
            asked += 1
    assert asked >= 5


def test_who_proves_nothing_is_refused_as_it_is_described(document: dict[str, Any], hooks: list[Hook]) -> None:
    guarded = [hook for hook in hooks if hook.post["security"]]
    for hook in guarded:
        answer = hook.send(hook.example())
        assert answer.status_code == 401
        check(document, hook.path, hook.post, answer)
    assert len(guarded) == 3
    for hook in hooks:
        assert ("401" in hook.post["responses"]) is (hook in guarded)


def test_what_is_announced_as_too_large_is_refused_as_it_is_described(
    document: dict[str, Any], hooks: list[Hook]
) -> None:
    for hook in hooks:
        said = re.match(r"At most ([0-9,]+) bytes\.", hook.post["requestBody"]["description"])
        assert said is not None
        head = f"POST {hook.path} HTTP/1.1\r\nHost: a\r\nContent-Length: {int(said[1].replace(',', '')) + 1}\r\n\r\n"
        check(document, hook.path, hook.post, over_a_socket(hook, head.encode()))


def test_a_length_that_is_no_number_gets_400_and_no_body_as_it_is_described(hooks: list[Hook]) -> None:
    for hook in hooks:
        answer = over_a_socket(hook, f"POST {hook.path} HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n".encode())
        assert (answer.status_code, answer.content) == (400, b"")
        described = hook.post["responses"]["400"]["description"]
        assert "Without a body: the request is no well-formed HTTP, such as a Content-Length" in described


def over_a_socket(hook: Hook, raw: bytes) -> httpx.Response:
    """Send bytes as they are, and read the answer to the end of the connection."""
    at = urlsplit(str(hook.client.base_url))
    with closing(socket.create_connection((at.hostname or "", at.port or 0), timeout=20)) as connection:
        connection.sendall(raw)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    return response(received)


def response(received: bytes) -> httpx.Response:
    """An answer as it came."""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return httpx.Response(int(first.split(" ")[1]), headers=headers, content=body)


def test_each_hook_has_every_answer_that_its_door_gives(hooks: list[Hook]) -> None:
    always = {"400", "404", "405", "408", "410", "413", "414", "415", "422", "429", "431", "500", "503", "507"}
    for hook in hooks:
        assert always <= hook.post["responses"].keys()


def test_looking_at_a_hook_is_as_it_is_described(document: dict[str, Any], hooks: list[Hook]) -> None:
    for hook in hooks:
        for method, operation in document["paths"][hook.path].items():
            if method != "post":
                answer = hook.client.request(method.upper(), hook.path)
                assert str(answer.status_code) in operation["responses"]
                unknown = hook.client.request(method.upper(), f"{hook.path}x")
                assert (unknown.status_code, unknown.headers["content-type"]) == (404, PROBLEM)


# what only happens to a server that is short of something -------------------------------------------------------------

FLOWS: Final = {
    "a.seta": """\
flow guarda on webhook "/guarda" open {n: int} -> log n
flow raro on webhook "/raro" open {n: int} -> log n
flow cai on webhook "/cai" open {n: int} -> x = 1 / n -> respond 200 {x}
flow tarda on webhook "/tarda" open answer within 1s {n: int}
  -> code(n): {ok: bool} ```python
     import time
     time.sleep(1.5)
     return {"ok": True}
     ``` as r
  -> respond 200 {ok: r.ok}
""",
    "b.seta": 'flow some on webhook "/some" open {n: int} -> log n\n',
    "seta.toml": '[rates]\nraro = "1/h"\n',
}
ONE: Final = '{"n": 1}'


async def test_what_a_server_that_is_short_of_something_answers_is_as_it_is_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, FLOWS, body_seconds=0.3, bodies=4_000) as served:
        document = (await served.admin("/openapi.json")).json()

        def check_at(path: str, answer: httpx.Response, status: int) -> None:
            assert answer.status_code == status, answer.text
            check(document, path, document["paths"][path]["post"], answer)

        check_at("/guarda", await stalled(served, "/guarda"), 408)
        check_at("/guarda", await served.post("guarda", f'{{"n": 1, "x": "{"x" * 5_000}"}}'), 503)
        check_at("/raro", await served.post("raro", ONE), 200)
        check_at("/raro", await served.post("raro", ONE), 429)
        check_at("/cai", await served.post("cai", '{"n": 0}'), 500)
        check_at("/tarda", await served.post("tarda", ONE), 202)
        (tmp_path / "flows" / "b.seta").unlink()
        assert (await served.change("/reload")).status_code == 200
        check_at("/some", await served.post("some", ONE), 410)
        with monkeypatch.context() as full:
            full.setattr("runtime.journal.sqlite.SqliteJournal.room", lambda _: False)
            check_at("/guarda", await served.post("guarda", ONE), 507)


async def stalled(served: Served, path: str) -> httpx.Response:
    """The answer to a body that does not come."""
    at = served.settings.listen
    reader, writer = await asyncio.open_connection(at.host, at.port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{{".encode())
    received = await reader.read()
    writer.close()
    return response(received)
