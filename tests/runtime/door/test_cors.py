"""What browsers are told of pages of other sites: before a delivery, and with every answer."""

import pytest

from runtime.journal.protocol import JournalError
from runtime.program import Guard
from tests.runtime.door.harness import PATH, House, program

SITE = "https://site.example"
SITES = (SITE, "http://localhost:5173")


def house(*cors: str, headers: tuple[str, ...] = ()) -> House:
    return House(program(cors=cors, headers=headers))


@pytest.mark.parametrize("site", SITES)
async def test_page_of_a_named_site_may_send(site: str) -> None:
    reply = await house(*SITES).request("OPTIONS", PATH, origin=site, access_control_request_method="POST")
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers == {
        "server": "seta",
        "allow": "GET, HEAD, OPTIONS, POST",
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type",
        "access-control-max-age": "7200",
        "vary": "origin",
        "access-control-allow-origin": site,
    }


async def test_page_may_send_the_headers_that_the_flow_reads() -> None:
    reply = await house(SITE, headers=("x-delivery",)).request("OPTIONS", PATH, origin=SITE)
    assert reply.headers["access-control-allow-headers"] == "content-type, x-delivery"


@pytest.mark.parametrize(
    ("guard", "sendable"),
    [
        (Guard("token", {"secret": "T"}, {"header": "X-Token"}), "content-type, x-token"),
        (Guard("basic", {"user": "U", "password": "P"}, {}), "content-type, authorization"),
        (Guard("github", {"secret": "T"}, {}), "content-type"),
    ],
)
async def test_page_may_send_the_header_that_proves_who_it_is(guard: Guard, sendable: str) -> None:
    guarded = House(program(cors=(SITE,), guard=guard), secrets={"T": "t", "U": "u", "P": "p"})
    reply = await guarded.request("OPTIONS", PATH, origin=SITE)
    assert reply.headers["access-control-allow-headers"] == sendable


@pytest.mark.parametrize(
    "origin",
    [
        "https://site.example.evil.example",
        "https://SITE.example",
        "https://site.example:8443",
        "http://site.example",
        "null",
        "",
        "*",
        "\xff",
    ],
)
async def test_page_of_another_site_gets_no_leave(origin: str) -> None:
    reply = await house(*SITES).request("OPTIONS", PATH, origin=origin)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers == {"server": "seta", "allow": "GET, HEAD, OPTIONS, POST", "vary": "origin"}


async def test_options_without_an_origin_gets_what_there_is_to_call() -> None:
    reply = await house(*SITES).request("OPTIONS", PATH)
    assert reply.headers == {"server": "seta", "allow": "GET, HEAD, OPTIONS, POST", "vary": "origin"}


async def test_every_site_may_read_where_the_flow_says_so() -> None:
    asked = await house("*").request("OPTIONS", PATH, origin="https://any.example")
    posted = await house("*").post(origin="https://any.example")
    assert asked.headers["access-control-allow-origin"] == posted.headers["access-control-allow-origin"] == "*"
    assert "vary" not in posted.headers


async def test_accepted_delivery_can_be_read_by_the_page() -> None:
    reply = await house(*SITES).post(origin=SITE)
    assert reply.status == 200
    assert reply.headers == {
        "server": "seta",
        "content-type": "application/json",
        "vary": "origin",
        "access-control-allow-origin": SITE,
    }


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"{}", {}, 422),
        (b"{}", {"content_encoding": "gzip"}, 415),
        (b"a=1", {"content_type": "text/csv"}, 415),
        (b"{}", {"content_length": "9999999"}, 413),
    ],
)
async def test_refusal_can_be_read_by_the_page(body: bytes, headers: dict[str, str], status: int) -> None:
    reply = await house(*SITES).post(body, origin=SITE, **headers)
    assert reply.status == status
    assert (reply.headers["access-control-allow-origin"], reply.headers["vary"]) == (SITE, "origin")


async def test_what_the_server_cannot_do_can_be_read_by_the_page() -> None:
    at = house(*SITES)
    at.engine.error = JournalError("the disk is full", full=True)
    assert (await at.post(origin=SITE)).headers["access-control-allow-origin"] == SITE
    at.engine.error = RuntimeError("a mistake of ours")
    assert (await at.post(origin=SITE)).headers["access-control-allow-origin"] == SITE
    assert (await at.request("PUT", PATH, origin=SITE)).headers["allow"] == "GET, HEAD, OPTIONS, POST"


async def test_delivery_from_another_site_is_taken_and_cannot_be_read_by_its_page() -> None:
    at = house(*SITES)
    reply = await at.post(origin="https://other.example")
    assert (reply.status, reply.headers) == (
        200,
        {"server": "seta", "content-type": "application/json", "vary": "origin"},
    )
    assert len(at.engine.accepted) == 1


async def test_flow_without_the_clause_says_nothing_to_browsers() -> None:
    at = House()
    assert "vary" not in (await at.post(origin=SITE)).headers
    assert (await at.request("OPTIONS", PATH, origin=SITE)).status == 405
