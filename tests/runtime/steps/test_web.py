"""Requests via a connection: what leaves, byte for byte, and what never does."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest

from runtime.code import CodePool
from runtime.connections.declared import Basic, Bearer, Connection, Encoding, Header, Http, Local
from runtime.connections.guard import Guard
from runtime.connections.http import HttpClient, aiohttp_transport
from runtime.connections.ready import NO_CONNECTION, Web, ready
from runtime.context import Call, Hole, LiteralPart, Setting, Whole, over
from runtime.failures import Kind, StepFailure
from runtime.settings import parse_opening
from runtime.steps import get, post, send_hsm, verbs
from runtime.steps._address import address
from tests.receiver import Fault, Received, Receiver

MakeCall = Callable[..., Call]

SECRETS = {
    "env:TOKEN": "t0k3n-canary",
    "env:USER": "us3r-canary",
    "file:senha": "s3nha-canary",
    "env:KEY": "k3y-canary",
}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def http(receiver: Receiver) -> AsyncIterator[HttpClient]:
    client = HttpClient(aiohttp_transport(Guard([parse_opening(f"127.0.0.1:{receiver.port}")])))
    yield client
    await client.close()


def web(declared: Http) -> Web:
    made = ready({"erp": declared}, SECRETS)["erp"]
    assert isinstance(made, Web)
    return made


async def sent(http: HttpClient, receiver: Receiver, declared: Http, call: Call) -> Received:
    """What the other side gets of a `post`."""
    await post.verb(http, web(declared)).perform(call)
    return receiver.requests[-1]


def whole(request: Received) -> dict[str, str]:
    """All headers but those that every request has."""
    always = {"host", "accept", "accept-encoding", "content-length", "idempotency-key"}
    return {name: value for name, value in request.headers.items() if name not in always}


# What is sent -------------------------------------------------------------------------------------


async def test_a_connection_adds_its_base_its_headers_and_its_token(
    http: HttpClient, receiver: Receiver, call: MakeCall
) -> None:
    declared = Http(f"{receiver.url}/api/", {"X-Tenant": "acme", "accept": "application/json"}, Bearer("env:TOKEN"))
    request = await sent(http, receiver, declared, call({"n": 1}, "a/b", literal=("/pedidos/", Hole())))

    assert (request.method, request.path, request.body) == ("POST", "/api/pedidos/a%2Fb", b'{"n":1}')
    assert dict(request.headers) == {
        "host": f"127.0.0.1:{receiver.port}",
        "user-agent": "seta/0.1",
        "accept": "application/json",
        "accept-encoding": "identity",
        "x-tenant": "acme",
        "authorization": "Bearer t0k3n-canary",
        "idempotency-key": "run-key-0123456789abcdef",
        "content-type": "application/json",
        "content-length": "7",
    }


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        (None, {}),
        (Bearer("env:TOKEN"), {"authorization": "Bearer t0k3n-canary"}),
        (Basic("seta", "file:senha"), {"authorization": "Basic c2V0YTpzM25oYS1jYW5hcnk="}),
        (Basic("env:USER"), {"authorization": "Basic dXMzci1jYW5hcnk6"}),
        (Header({"X-Key": "env:KEY", "X-Token": "env:TOKEN"}), {"x-key": "k3y-canary", "x-token": "t0k3n-canary"}),
    ],
)
async def test_each_way_of_signing_in_is_its_headers(
    auth: Any, headers: dict[str, str], http: HttpClient, receiver: Receiver, call: MakeCall
) -> None:
    request = await sent(http, receiver, Http(receiver.url, auth=auth), call(None, literal=("/",)))

    assert whole(request) == {"user-agent": "seta/0.1", **headers}


@pytest.mark.parametrize(
    ("encoding", "body", "kind", "content"),
    [
        (
            "json",
            {"nome": "João", "valor": Decimal("1.10")},
            "application/json",
            '{"nome":"João","valor":1.10}'.encode(),
        ),
        (
            "form",
            {"nome": "João & cia", "tag": ["a", "b"], "n": 1, "ok": True, "nada": None},
            "application/x-www-form-urlencoded",
            b"nome=Jo%C3%A3o+%26+cia&tag=a&tag=b&n=1&ok=true",
        ),
        ("text", "olá", "text/plain; charset=utf-8", "olá".encode()),
    ],
)
async def test_body_is_encoded_as_the_connection_says(  # noqa: PLR0913, PLR0917  # pytest's
    encoding: Encoding,
    body: Any,
    kind: str,
    content: bytes,
    http: HttpClient,
    receiver: Receiver,
    call: MakeCall,
) -> None:
    request = await sent(http, receiver, Http(receiver.url, encoding=encoding), call(body, literal=("/",)))

    assert (request.headers["content-type"], request.body) == (kind, content)


async def test_headers_of_the_connection_replace_those_that_differ_in_case_only(
    http: HttpClient, receiver: Receiver, call: MakeCall
) -> None:
    headers = {"content-type": "application/vnd.api+json", "USER-AGENT": "acme"}
    request = await sent(http, receiver, Http(receiver.url, headers), call({}, literal=("/",)))

    assert whole(request) == {"user-agent": "acme", "content-type": "application/vnd.api+json"}


@pytest.mark.parametrize(
    ("encoding", "body", "message"),
    [
        ("form", [1], "the form is not a record"),
        ("form", {"a": {"b": 1}}, "the form's `a` is neither text nor a number"),
        ("text", {"a": 1}, "the connection sends text, and this is none"),
    ],
)
async def test_body_that_the_encoding_cannot_say_fails_for_good(
    encoding: Encoding, body: Any, message: str, http: HttpClient, call: MakeCall
) -> None:
    with pytest.raises(StepFailure) as failed:
        await post.verb(http, web(Http("https://erp.example", encoding=encoding))).perform(call(body, literal=("/",)))

    assert (str(failed.value), failed.value.kind) == (f"bad_body: {message}", Kind.PERMANENT)


async def test_timeout_and_size_of_an_answer_are_the_connection_s(
    http: HttpClient, receiver: Receiver, call: MakeCall
) -> None:
    receiver.script(Fault(delay=1.0), Fault(body=b"x" * 2000))
    declared = Http(receiver.url, timeout="100ms", max_answer="1kb")
    for code in ("no_answer", "response_too_large"):
        with pytest.raises(StepFailure) as failed:
            await sent(http, receiver, declared, call(None, literal=("/",)))
        assert failed.value.code == code


# What is never told -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "auth",
    [Bearer("env:TOKEN"), Basic("env:USER", "file:senha"), Header({"X-Key": "env:KEY", "X-Token": "env:TOKEN"})],
)
async def test_refusal_that_repeats_what_it_was_sent_is_told_without_the_secret(
    auth: Any, http: HttpClient, receiver: Receiver, call: MakeCall
) -> None:
    declared = Http(receiver.url, auth=auth)
    signed = " ".join(value for value in web(declared).headers.values())
    receiver.always(Fault(401, body=f"no such user: {signed} {' '.join(SECRETS.values())}".encode()))
    with pytest.raises(StepFailure) as failed:
        await sent(http, receiver, declared, call(None, literal=("/",)))

    told = f"{failed.value!r} {failed.value}"
    for place in declared.places():
        assert SECRETS[place] not in told
    assert not any(
        value.rpartition(" ")[2] in told for value in whole(receiver.requests[-1]).values() if "/" not in value
    )
    assert failed.value.message.startswith(f"127.0.0.1:{receiver.port} answered 401: no such user: ")


def test_connection_shows_no_secret_of_its_own() -> None:
    assert "canary" not in repr(web(Http("https://erp.example", auth=Bearer("env:TOKEN"))))


# Where to -----------------------------------------------------------------------------------------

ERP = web(Http("https://erp.example/api/"))
CRM = Setting("crm")


@pytest.mark.parametrize(
    ("literal", "values", "url"),
    [
        ((), (), "https://erp.example/api"),
        (("/",), (), "https://erp.example/api/"),
        (("/pedidos",), (), "https://erp.example/api/pedidos"),
        (("/pedidos/", Hole(), "?x=", Hole()), ("a/b", "c&d"), "https://erp.example/api/pedidos/a%2Fb?x=c%26d"),
        (("?x=", Hole()), ("c&d",), "https://erp.example/api?x=c%26d"),
        (("https://erp.example/outro",), (), "https://erp.example/outro"),
        (("https://erp.example:443/outro",), (), "https://erp.example:443/outro"),
        ((CRM, "/outro"), (), "https://ERP.example/outro"),
        ((Whole(),), ("/pagina?n=2",), "https://erp.example/api/pagina?n=2"),
        ((Whole(),), ("https://erp.example/api/pagina?n=2",), "https://erp.example/api/pagina?n=2"),
        ((Whole(),), ("https://ERP.EXAMPLE/x",), "https://ERP.EXAMPLE/x"),
    ],
)
def test_address_is_the_connection_s_and_the_path(
    literal: tuple[LiteralPart, ...], values: tuple[str, ...], url: str, call: MakeCall
) -> None:
    assert address(call(literal=literal, config={"crm": "ERP.example"}), values, ERP) == url


@pytest.mark.parametrize(
    ("literal", "value", "code"),
    [
        ((Whole(),), "https://evil.example/api", "other_host"),
        ((Whole(),), "https://erp.example.evil.example/api", "other_host"),
        ((Whole(),), "http://erp.example/api", "other_host"),
        ((Whole(),), "https://erp.example:8443/api", "other_host"),
        ((CRM, "/x"), "", "other_host"),
        ((Whole(),), "https://erp.example@evil.example/api", "bad_url"),
        ((Whole(),), "https://erp.example\\@evil.example/api", "bad_url"),
        ((Whole(),), "https://evil.example\\.erp.example/", "bad_url"),
        ((Whole(),), " https://erp.example/", "bad_url"),
        ((Whole(),), "//evil.example/api", "bad_url"),
        ((Whole(),), "ftp://erp.example/", "bad_url"),
        ((Whole(),), "", "bad_url"),
        ((Whole(),), "/a/../../b", "bad_url"),
    ],
)
def test_no_value_takes_a_connection_to_another_host(
    literal: tuple[LiteralPart, ...], value: str, code: str, call: MakeCall
) -> None:
    with pytest.raises(StepFailure) as failed:
        address(call(literal=literal, config={"crm": "crm.example"}), (value,), ERP)

    assert (failed.value.code, failed.value.kind) == (code, Kind.PERMANENT)


@pytest.mark.parametrize("url", ["https://erp.example.evil.example/api", "https://erp.example:8443/api"])
def test_no_address_that_goes_on_where_a_connection_without_a_path_ends_is_its_own(url: str, call: MakeCall) -> None:
    with pytest.raises(StepFailure) as failed:
        address(call(literal=(Whole(),)), (url,), web(Http("https://erp.example")))

    assert (failed.value.code, failed.value.kind) == ("other_host", Kind.PERMANENT)


def test_other_host_is_told_with_the_connection(call: MakeCall) -> None:
    with pytest.raises(StepFailure) as failed:
        address(call(literal=(Whole(),)), ("https://evil.example/",), ERP)

    assert failed.value.message == "the address is not one of https://erp.example/api, which `erp` is a connection to"


@pytest.mark.parametrize("value", ["https://a.example/x?y=z", "http://10.0.0.8:8080/"])
def test_without_a_connection_a_value_is_the_whole_address(value: str, call: MakeCall) -> None:
    assert address(call(literal=(Whole(),)), (value,), NO_CONNECTION) == value


async def test_guard_holds_for_an_address_that_is_a_value(http: HttpClient, receiver: Receiver, call: MakeCall) -> None:
    with pytest.raises(StepFailure, match=r"^address_refused: "):
        await get.verb(http).perform(call(None, "http://169.254.169.254/latest/meta-data", literal=(Whole(),)))
    assert receiver.count == 0


# The table of verbs -------------------------------------------------------------------------------


def test_table_has_what_each_connection_does_and_none_that_lacks_a_secret() -> None:
    declared: dict[str, Connection] = {
        "erp": Http("https://erp.example", auth=Bearer("env:TOKEN")),
        "sem": Http("https://sem.example", auth=Bearer("env:NADA")),
        "casa": Local(),
    }
    table = verbs(HttpClient(), CodePool(size=1, environment={}), ready(declared, SECRETS))

    assert {name for name in table if " via " in name} == {
        *(over(title, "erp") for title in ("delete", "get", "patch", "post", "put")),
        *(over(title, "casa") for title in ("find person", "send hsm", "tag person", "upsert person")),
    }
    assert table[over("send hsm", "casa")] is send_hsm.VERB
