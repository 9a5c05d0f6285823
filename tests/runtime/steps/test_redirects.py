"""Redirects, on real ports: what is followed with what, and what never leaves."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from runtime.connections.declared import Bearer, Http
from runtime.connections.guard import Guard
from runtime.connections.http import HttpClient, aiohttp_transport
from runtime.connections.ready import Web, ready
from runtime.context import Call
from runtime.failures import Kind, StepFailure
from runtime.settings import parse_opening
from runtime.steps import delete, get, patch, post, put
from tests.receiver import Fault, Receiver

MakeCall = Callable[..., Call]

VERBS = {"GET": get.verb, "POST": post.verb, "PUT": put.verb, "PATCH": patch.verb, "DELETE": delete.verb}
OWN = ("authorization", "idempotency-key", "x-tenant")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def other() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def http(receiver: Receiver, other: Receiver) -> AsyncIterator[HttpClient]:
    openings = [parse_opening(f"127.0.0.1:{one.port}") for one in (receiver, other)]
    client = HttpClient(aiohttp_transport(Guard(openings)))
    yield client
    await client.close()


def web(url: str, redirects: int = 3, **more: Any) -> Web:
    declared = Http(url, {"X-Tenant": "acme", "Accept": "a/b"}, Bearer("env:T"), redirects=redirects, **more)
    made = ready({"erp": declared}, {"env:T": "t0k3n-canary"})["erp"]
    assert isinstance(made, Web)
    return made


def to(place: str, status: int = 302, **more: Any) -> Fault:
    return Fault(status, headers={"location": place, **more})


async def result(http: HttpClient, method: str, call: MakeCall, url: str, redirects: int = 3, **more: Any) -> Any:
    """What a step gives that asks for `/a`."""
    args = () if method == "DELETE" else (None if method == "GET" else {"n": 1},)
    return await VERBS[method](http, web(url, redirects, **more)).perform(call(*args, literal=("/a",)))


async def failure(http: HttpClient, method: str, call: MakeCall, url: str, redirects: int = 3) -> StepFailure:
    with pytest.raises(StepFailure) as failed:
        await result(http, method, call, url, redirects)
    return failed.value


# What is followed ---------------------------------------------------------------------------------

LEADS = [
    *(("GET", status, "GET") for status in (301, 302, 303, 307, 308)),
    *(("POST", status, "GET") for status in (302, 303)),
    *((method, 303, "GET") for method in ("PUT", "PATCH", "DELETE")),
    *((method, status, method) for status in (307, 308) for method in ("POST", "PUT", "PATCH", "DELETE")),
]


@pytest.mark.parametrize(("method", "status", "then"), LEADS)
async def test_redirect_is_followed_with_the_method_that_its_status_means(  # noqa: PLR0913, PLR0917  # pytest's
    method: str, status: int, then: str, http: HttpClient, receiver: Receiver, call: MakeCall
) -> None:
    receiver.script(to("b?x=1", status))

    assert await result(http, method, call, receiver.url) == {"id": 2}
    first, second = receiver.requests
    assert (first.method, first.path, second.method, second.path) == (method, "/a", then, "/b?x=1")
    assert second.headers["authorization"] == "Bearer t0k3n-canary"
    assert second.body == (first.body if then == method else b"")
    assert ("content-type" in second.headers) == (then == method and bool(first.body))
    assert ("idempotency-key" in second.headers) == (then == method)


@pytest.mark.parametrize(
    ("method", "status"),
    [("POST", 301), *((method, status) for method in ("PUT", "PATCH", "DELETE") for status in (301, 302))],
)
async def test_body_is_never_lost_on_the_way(
    method: str, status: int, http: HttpClient, receiver: Receiver, call: MakeCall
) -> None:
    receiver.script(to("/b", status))
    failed = await failure(http, method, call, receiver.url)

    assert (failed.code, failed.kind, receiver.count) == (f"http_{status}", Kind.PERMANENT, 1)
    assert failed.message == (
        f"127.0.0.1:{receiver.port} answered {status}: a {method} is not sent again to where that points: give the "
        "step the new address"
    )


async def test_without_the_option_nothing_is_followed(http: HttpClient, receiver: Receiver, call: MakeCall) -> None:
    receiver.script(to("/b"))
    failed = await failure(http, "GET", call, receiver.url, redirects=0)

    assert (failed.code, failed.kind, receiver.count) == ("http_302", Kind.PERMANENT, 1)


@pytest.mark.parametrize("fault", [Fault(302, body=b"look there"), Fault(300, body=b"look there")])
async def test_redirect_to_nowhere_is_a_refusal(
    fault: Fault, http: HttpClient, receiver: Receiver, call: MakeCall
) -> None:
    receiver.script(fault)
    failed = await failure(http, "GET", call, receiver.url)

    assert str(failed) == f"http_{fault.status}: 127.0.0.1:{receiver.port} answered {fault.status}: look there"


# Where to -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "status"), [("GET", 302), ("GET", 307), ("POST", 303)])
async def test_another_origin_gets_nothing_that_is_the_connection_s(  # noqa: PLR0913, PLR0917  # pytest's
    method: str, status: int, http: HttpClient, receiver: Receiver, other: Receiver, call: MakeCall
) -> None:
    receiver.script(to(f"{other.url}/b", status))
    other.script(to(f"{receiver.url}/c"))

    assert await result(http, method, call, receiver.url) == {"id": 2}
    [elsewhere] = other.requests
    back = receiver.requests[-1]
    assert dict(elsewhere.headers) == {
        "host": f"127.0.0.1:{other.port}",
        "accept": "a/b",
        "accept-encoding": "identity",
        "user-agent": "seta/0.1",
    }
    assert (elsewhere.method, back.path) == ("GET", "/c")
    assert not any(name in back.headers for name in OWN)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [307, 308])
async def test_only_a_get_goes_to_another_host(  # noqa: PLR0913, PLR0917  # pytest's
    status: int, method: str, http: HttpClient, receiver: Receiver, other: Receiver, call: MakeCall
) -> None:
    receiver.script(to(f"{other.url}/b?token=x", status))
    failed = await failure(http, method, call, receiver.url)

    assert (failed.kind, receiver.count, other.count) == (Kind.PERMANENT, 1, 0)
    assert str(failed) == (
        f"redirect_refused: 127.0.0.1:{receiver.port} redirects to another host, 127.0.0.1:{other.port}, which is not "
        f"sent a {method}"
    )


async def test_address_is_judged_at_every_redirect(http: HttpClient, receiver: Receiver, call: MakeCall) -> None:
    for place in ("http://169.254.169.254/latest/meta-data", "http://[::ffff:10.0.0.8]/", "//127.0.0.1:9/"):
        receiver.script(to("/b"), to(place))
        failed = await failure(http, "GET", call, receiver.url)

        assert (failed.code, failed.kind) == ("address_refused", Kind.PERMANENT)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("ftp://erp.example/", "to what is no http or https URL with a plain host"),
        ("javascript:alert(1)", "to what is no http or https URL with a plain host"),
        ("https://erp.example@evil.example/", "to what is no http or https URL with a plain host"),
        ("https://evil.example\\@erp.example/", "to what is no http or https URL with a plain host"),
        ("http://[::1/", "to what is no http or https URL with a plain host"),
        ("http://erp.example/a", "from https to http"),
    ],
)
async def test_redirect_that_is_no_step_further_is_refused(place: str, told: str, call: MakeCall) -> None:
    asked: list[httpx.Request] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(302, headers={"Location": place})

    http = HttpClient(httpx.MockTransport(redirect))
    failed = await failure(http, "GET", call, "https://erp.example")

    assert (str(failed), failed.kind) == (f"redirect_refused: erp.example redirects {told}", Kind.PERMANENT)
    assert len(asked) == 1


# How often, and how long --------------------------------------------------------------------------


async def test_circle_is_told_at_once(http: HttpClient, receiver: Receiver, call: MakeCall) -> None:
    receiver.script(to("/b"), to("/a#again"))
    failed = await failure(http, "GET", call, receiver.url, redirects=5)

    assert (str(failed), failed.kind, receiver.count) == (
        f"redirect_loop: 127.0.0.1:{receiver.port} redirects in a circle",
        Kind.PERMANENT,
        2,
    )


async def test_post_that_leads_to_its_own_address_is_no_circle(
    http: HttpClient, receiver: Receiver, call: MakeCall
) -> None:
    receiver.script(to("/a", 303))

    assert await result(http, "POST", call, receiver.url) == {"id": 2}


async def test_one_redirect_too_many_is_one_failure(http: HttpClient, receiver: Receiver, call: MakeCall) -> None:
    receiver.script(to("/b"), to("/c"))
    assert await result(http, "GET", call, receiver.url, redirects=2) == {"id": 3}

    receiver.script(to("/b"), to("/c"), to("/d"))
    failed = await failure(http, "GET", call, receiver.url, redirects=2)

    assert (str(failed), failed.kind, receiver.count) == (
        f"redirect_limit: 127.0.0.1:{receiver.port} redirects more than 2 times",
        Kind.PERMANENT,
        6,
    )


async def test_timeout_of_the_connection_covers_all_redirects(
    http: HttpClient, receiver: Receiver, call: MakeCall
) -> None:
    receiver.script(*(Fault(302, delay=0.2, headers={"location": f"/{number}"}) for number in range(5)))
    began = time.monotonic()
    with pytest.raises(StepFailure) as failed:
        await result(http, "GET", call, receiver.url, 5, timeout="500ms")

    assert (failed.value.code, failed.value.kind) == ("no_answer", Kind.TRANSIENT)
    assert time.monotonic() - began < 0.9


# What is known of the effect ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (303, Fault(503, headers={"retry-after": "1"}), Kind.TRANSIENT),
        (302, Fault(429), Kind.TRANSIENT),
        (303, Fault(500), Kind.TRANSIENT),
        (303, Fault(404), Kind.PERMANENT),
        (307, Fault(503, headers={"retry-after": "1"}), Kind.NOT_DONE),
        (307, Fault(429), Kind.NOT_DONE),
        (307, Fault(drop=True), Kind.TRANSIENT),
    ],
)
async def test_failure_on_the_way_to_a_result_does_not_prove_that_nothing_was_done(  # noqa: PLR0913, PLR0917  # pytest's
    status: int, answer: Fault, kind: Kind, http: HttpClient, receiver: Receiver, call: MakeCall
) -> None:
    receiver.script(to("/b", status), answer)
    failed = await failure(http, "POST", call, receiver.url)

    assert (failed.kind, receiver.count) == (kind, 2)


async def test_result_on_a_host_that_cannot_be_reached_does_not_prove_that_nothing_was_done(
    http: HttpClient, receiver: Receiver, other: Receiver, call: MakeCall
) -> None:
    await other.stop()
    receiver.always(to(f"{other.url}/b", 303))
    failures = [await failure(http, "POST", call, receiver.url) for _ in range(6)]

    assert [(failed.code, failed.kind) for failed in failures] == [
        *[("connect", Kind.TRANSIENT)] * 5,
        ("held", Kind.TRANSIENT),
    ]


# Cookies ------------------------------------------------------------------------------------------


async def test_no_cookie_comes_back_neither_on_a_redirect_nor_on_the_next_request(
    http: HttpClient, receiver: Receiver, call: MakeCall
) -> None:
    receiver.always(Fault(headers={"set-cookie": "session=s3cr3t; Path=/"}))
    receiver.script(to("/b", 302, **{"set-cookie": "way=1; Path=/"}))
    await result(http, "POST", call, receiver.url)
    for method in VERBS:
        await result(http, method, call, receiver.url)

    assert receiver.count == 7
    assert not any("cookie" in request.headers for request in receiver.requests)
