"""The HTTP verbs: what is sent, where to, and what becomes of the answer."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import unquote

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import shapes
from runtime.connections.http import HttpClient
from runtime.connections.person import Person
from runtime.connections.ready import NO_CONNECTION
from runtime.context import Call, Hole, LiteralPart, Run, Setting, StepSpec
from runtime.failures import Kind, StepFailure
from runtime.steps import delete, get, patch, post, put
from runtime.steps._address import address as address_of

MakeCall = Callable[..., Call]
HERE = ("http://crm.example/persons",)


def address(call: Call, holes: Iterable[object]) -> str:
    return address_of(call, holes, NO_CONNECTION)


class Service(Protocol):
    """What the fixture `service` is."""

    requests: list[httpx.Request]
    answer: httpx.Response


async def failure(http: HttpClient, call: Call) -> StepFailure:
    with pytest.raises(StepFailure) as failed:
        await post.verb(http).perform(call)
    return failed.value


# What is sent -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("module", "method"), [(post, "POST"), (put, "PUT"), (patch, "PATCH")])
async def test_a_body_is_sent_as_json_under_the_step_s_key(
    module: Any, method: str, http: HttpClient, service: Service, call: MakeCall
) -> None:
    await module.verb(http).perform(call({"nome": "João", "valor": Decimal("1.10"), "n": 3}, literal=HERE))

    [request] = service.requests
    assert (request.method, str(request.url)) == (method, "http://crm.example/persons")
    assert request.content == '{"nome":"João","valor":1.10,"n":3}'.encode()
    assert dict(request.headers) == {
        "host": "crm.example",
        "user-agent": "seta/0.1",
        "content-type": "application/json",
        "content-length": "35",
        "idempotency-key": "run-key-0123456789abcdef",
        "accept-encoding": "identity",
    }


async def test_no_body_is_no_body(http: HttpClient, service: Service, call: MakeCall) -> None:
    await post.verb(http).perform(call(None, literal=HERE))

    [request] = service.requests
    assert request.content == b""
    assert "Content-Type" not in request.headers


async def test_absent_fields_of_records_are_left_out_and_null_of_json_stays(
    http: HttpClient, service: Service, call: MakeCall
) -> None:
    parent = shapes.record(
        "P", shapes.field("inner", shapes.text, key="In Ner"), shapes.field("no", shapes.text, required=False)
    )
    body = {"person": Person("a", "Ana"), "list": [parent.plain(inner="x")], "json": {"a": None}}
    await post.verb(http).perform(call(body, literal=HERE))

    sent = msgspec.json.decode(service.requests[0].content)
    assert sent == {"person": {"id": "a", "name": "Ana"}, "list": [{"In Ner": "x"}], "json": {"a": None}}


async def test_text_that_is_no_unicode_fails_for_good(http: HttpClient, call: MakeCall) -> None:
    failed = await failure(http, call({"a": "\ud800"}, literal=HERE))

    assert (failed.code, failed.kind) == ("unsendable", Kind.PERMANENT)


async def test_delete_sends_no_body(http: HttpClient, service: Service, call: MakeCall) -> None:
    await delete.verb(http).perform(call(7, literal=("http://crm.example/persons/", Hole())))

    [request] = service.requests
    assert (request.method, str(request.url), request.content) == ("DELETE", "http://crm.example/persons/7", b"")


@pytest.mark.parametrize(
    ("query", "url"),
    [
        (None, "http://crm.example/persons"),
        ({}, "http://crm.example/persons"),
        ({"q": "a b&c=d+é", "n": 1}, "http://crm.example/persons?q=a%20b%26c%3Dd%2B%C3%A9&n=1"),
        (
            {"tag": ["a", "b", None], "yes": True, "d": Decimal("1E+2")},
            "http://crm.example/persons?tag=a&tag=b&yes=true&d=100",
        ),
        (Person("a", "Ana"), "http://crm.example/persons?id=a&name=Ana"),
        # json of a sender may hold any number: written plainly, these would have a billion characters
        (
            {"n": [Decimal("1E+999999999"), Decimal("-1E-999999999"), Decimal("0E+999999999")]},
            "http://crm.example/persons?n=1E%2B999999999&n=-1E-999999999&n=0E%2B999999999",
        ),
    ],
)
async def test_get_sends_a_query(query: Any, url: str, http: HttpClient, service: Service, call: MakeCall) -> None:
    await get.verb(http).perform(call(query, literal=HERE))

    [request] = service.requests
    assert (request.method, str(request.url), request.content) == ("GET", url, b"")


async def test_get_adds_to_the_query_of_the_url(http: HttpClient, service: Service, call: MakeCall) -> None:
    await get.verb(http).perform(call({"b": 2}, 1, literal=("http://crm.example/?a=", Hole())))

    assert str(service.requests[0].url) == "http://crm.example/?a=1&b=2"


@pytest.mark.parametrize("query", [{"a": {"b": 1}}, {"a": [[1]]}, [1], "text"])
async def test_a_query_that_is_none_fails_for_good(
    query: Any, http: HttpClient, service: Service, call: MakeCall
) -> None:
    with pytest.raises(StepFailure) as failed:
        await get.verb(http).perform(call(query, literal=HERE))

    assert (failed.value.code, failed.value.kind) == ("bad_url", Kind.PERMANENT)
    assert service.requests == []


# Where to -----------------------------------------------------------------------------------------

CRM = Setting("crm")


@pytest.mark.parametrize(
    ("literal", "crm", "url"),
    [
        ((CRM, "/p"), "crm.example", "https://crm.example/p"),
        ((CRM, "/p"), "crm.example:8443", "https://crm.example:8443/p"),
        ((CRM, "/p"), "localhost:8401", "https://localhost:8401/p"),
        ((CRM, "/p"), "http://127.0.0.1:8401", "http://127.0.0.1:8401/p"),
        ((CRM, "/p"), "http://127.0.0.1:8401/", "http://127.0.0.1:8401/p"),
        ((CRM, "/p"), "https://crm.example/api/v2/", "https://crm.example/api/v2/p"),
        ((CRM,), "https://crm.example/api/", "https://crm.example/api/"),
        ((CRM, "?a=1"), "crm.example", "https://crm.example?a=1"),
        (("https://", CRM, "/p"), "crm.example:8443", "https://crm.example:8443/p"),
        (("http://", CRM, ".example/p"), "tenant", "http://tenant.example/p"),
        (("https://crm.example/", CRM, "/p"), "tenant/one two", "https://crm.example/tenant/one%20two/p"),
        (("https://crm.example/?k=", CRM), "a&b=c", "https://crm.example/?k=a%26b%3Dc"),
        (("crm.example/p",), "", "https://crm.example/p"),
    ],
)
def test_a_setting_is_the_base(literal: tuple[LiteralPart, ...], crm: str, url: str, call: MakeCall) -> None:
    assert address(call(literal=literal, config={"crm": crm}), ()) == url


@pytest.mark.parametrize("config", [{}, {"crm": ""}])
def test_a_setting_that_is_missing_is_named(config: dict[str, str], call: MakeCall) -> None:
    with pytest.raises(StepFailure, match=r"^no_setting: seta\.toml has no `crm` under \[config\]$"):
        address(call(literal=(CRM, "/p"), config=config), ())


def test_two_schemes_are_one_too_many(call: MakeCall) -> None:
    with pytest.raises(StepFailure) as failed:
        address(call(literal=("https://", CRM, "/p"), config={"crm": "http://crm.example"}), ())

    assert str(failed.value) == "bad_url: `config.crm` begins with http://, but the flow has https:// before it"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a/b?c=d&e#f%20 g+é", "a%2Fb%3Fc%3Dd%26e%23f%2520%20g%2B%C3%A9"),
        ("..%2f..", "..%252f.."),
        ("\\..\\", "%5C..%5C"),
        ("x@evil.example:80", "x%40evil.example%3A80"),
        (42, "42"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.10"), "1.10"),
        (True, "true"),
    ],
)
def test_a_value_stays_one_part_of_the_url(value: object, written: str, call: MakeCall) -> None:
    literal = ("https://crm.example/p/", Hole(), "/q?x=", Hole())

    assert address(call(literal=literal), (value, value)) == f"https://crm.example/p/{written}/q?x={written}"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text not in (".", "..")))
def test_any_text_arrives_as_it_was(text: str) -> None:
    spec = StepSpec("get", "get", "idempotent", ("https://crm.example/p/", Hole(), "/q?x=", Hole()))
    call = Call(Run("id", "key", "flow", 0, "plan"), spec, (), "key", 0, {}, print)
    url = httpx.URL(address(call, (text, text)))

    parts = url.raw_path.decode().partition("?")
    assert [unquote(part) for part in parts[0].split("/")] == ["", "p", text, "q"]
    assert unquote(parts[2]) == f"x={text}"
    assert (url.host, url.port, url.fragment) == ("crm.example", None, "")


@pytest.mark.parametrize(
    ("literal", "values"),
    [
        (("https://crm.example/p/", Hole()), ("",)),
        (("https://crm.example/p/", Hole()), (".",)),
        (("https://crm.example/p/", Hole(), "/notes"), ("..",)),
        (("https://crm.example/p/", Hole(), Hole(), "/notes"), (".", ".")),
        (("https://crm.example/p/.", Hole(), "?a=b"), (".",)),
        (("https://crm.example/p/", Hole()), ("\ud800",)),
    ],
)
def test_a_value_that_would_call_something_else_fails_for_good(
    literal: tuple[LiteralPart, ...], values: tuple[str, ...], call: MakeCall
) -> None:
    with pytest.raises(StepFailure) as failed:
        address(call(literal=literal), values)

    assert (failed.value.code, failed.value.kind) == ("bad_url", Kind.PERMANENT)


@pytest.mark.parametrize(
    "literal", [(Hole(), "/p"), ("https://", Hole(), "/p"), ("https://crm.example", Hole()), (CRM, Hole(), "/p")]
)
def test_no_value_chooses_the_host(literal: tuple[LiteralPart, ...], call: MakeCall) -> None:
    with pytest.raises(StepFailure, match=r"^bad_url: a value may not choose the host$"):
        address(call(literal=literal, config={"crm": "crm.example"}), (".evil.example",))


def test_an_empty_value_in_the_query_is_a_value(call: MakeCall) -> None:
    assert address(call(literal=("https://crm.example/?q=", Hole())), ("",)) == "https://crm.example/?q="


@pytest.mark.parametrize("crm", ["http://[::1", "http://crm.example:port", "crm\nexample"])
async def test_a_base_that_is_no_url_fails_for_good(crm: str, http: HttpClient, call: MakeCall) -> None:
    failed = await failure(http, call(None, literal=(CRM, "/p"), config={"crm": crm}))

    assert (failed.code, failed.kind) == ("unsendable", Kind.PERMANENT)


# What becomes of the answer -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"id": 7, "total": 1.10}', {"id": 7, "total": Decimal("1.10")}),
        (b'\xef\xbb\xbf {"id": 7}\n', {"id": 7}),
        (b"[1, null]", [1, None]),
        (b"null", None),
        (b"", None),
        (b" \n", None),
        (b"OK", "OK"),
        ("<p>olá".encode(), "<p>olá"),
        (b"1e99999999999999999999", "1e99999999999999999999"),
        (b"\xff", "\ufffd"),
    ],
)
async def test_an_answer_is_json_or_text_or_nothing(
    content: bytes, value: object, http: HttpClient, service: Service, call: MakeCall
) -> None:
    service.answer = httpx.Response(200, content=content)

    assert await post.verb(http).perform(call(None, literal=HERE)) == value


@pytest.mark.parametrize(
    ("kind", "content", "value"),
    [
        ("text/plain; charset=iso-8859-1", b"ol\xe1", "olá"),
        ('text/plain; charset="utf-8"', "olá".encode(), "olá"),
        ("text/plain; charset=klingon", "olá".encode(), "olá"),
        ("text/plain", b"ol\xe1", "ol\ufffd"),
    ],
)
async def test_a_text_is_read_in_the_charset_that_it_names(  # noqa: PLR0913, PLR0917  # pytest's
    kind: str, content: bytes, value: str, http: HttpClient, service: Service, call: MakeCall
) -> None:
    service.answer = httpx.Response(200, headers={"Content-Type": kind}, content=content)

    assert await post.verb(http).perform(call(None, literal=HERE)) == value


async def test_an_answer_nested_too_deeply_is_text(http: HttpClient, service: Service, call: MakeCall) -> None:
    service.answer = httpx.Response(200, content=b"[" * 100_000)

    assert await post.verb(http).perform(call(None, literal=HERE)) == "[" * 100_000


async def test_a_recorded_answer_reads_back_as_it_was(http: HttpClient, service: Service, call: MakeCall) -> None:
    service.answer = httpx.Response(200, content=b'{"id": 12345678901234567890123, "total": 1.10}')
    verb = post.verb(http)
    value = await verb.perform(call(None, literal=HERE))

    assert verb.result(msgspec.json.Encoder(decimal_format="number").encode(value)) == value


async def test_a_typed_answer_is_read_as_its_type(http: HttpClient, service: Service, call: MakeCall) -> None:
    service.answer = httpx.Response(200, content=b'{"id": 7, "more": 1}')
    read = shapes.reader(shapes.record("R", shapes.field("id", shapes.integer)).kind())

    assert (await post.verb(http).perform(call(None, literal=HERE, result=read))).id == 7


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"id": "seven"}', "the answer does not fit: at /id int is expected, not text"),
        (b"[]", "the answer does not fit: object is expected, not an array"),
        (b"", "the answer is not JSON: Expecting value at line 1, column 1"),
        (b"[" * 100_000, "the answer is nested too deeply"),
    ],
)
async def test_an_answer_that_does_not_fit_fails_for_good(
    content: bytes, message: str, http: HttpClient, service: Service, call: MakeCall
) -> None:
    service.answer = httpx.Response(200, content=content)
    read = shapes.reader(shapes.record("R", shapes.field("id", shapes.integer)).kind())
    failed = await failure(http, call(None, literal=HERE, result=read))

    assert (failed.code, failed.message, failed.kind) == ("response_misfit", message, Kind.PERMANENT)


async def test_only_three_of_many_misfits_are_told(http: HttpClient, service: Service, call: MakeCall) -> None:
    service.answer = httpx.Response(200, content=b'["a", "b", "c", "d", "e"]')
    failed = await failure(http, call(None, literal=HERE, result=shapes.reader(shapes.array(shapes.integer))))

    assert failed.message == (
        "the answer does not fit: at /0 int is expected, not text; at /1 int is expected, not text; "
        "at /2 int is expected, not text; and 2 more"
    )


async def test_a_refusal_is_the_step_s_failure(http: HttpClient, service: Service, call: MakeCall) -> None:
    service.answer = httpx.Response(422, content=b'{"error": "no such plan"}')
    failed = await failure(http, call(None, literal=HERE))

    assert str(failed) == 'http_422: crm.example answered 422: {"error": "no such plan"}'
