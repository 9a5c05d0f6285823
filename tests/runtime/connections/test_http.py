"""Outbound HTTP: what each way to fail is called, measured against sockets that misbehave."""

import asyncio
import contextlib
import gzip
import re
import socket
import ssl
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from email.utils import formatdate
from ipaddress import ip_network
from typing import Any, Literal

import aiohttp
import httpx
import pytest
import uvloop
from aiohttp.client_reqrep import ConnectionKey
from hypothesis import given
from hypothesis import strategies as st

from runtime.connections.guard import Guard
from runtime.connections.http import HttpClient, aiohttp_transport
from runtime.failures import Kind, StepFailure
from runtime.settings import Opening

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


# A server that does what it is told ---------------------------------------------------------------


@contextlib.asynccontextmanager
async def serving(behave: Behave, listening: socket.socket | None = None) -> AsyncIterator[str]:
    """Serve on loopback; each connection is closed when `behave` is done with it."""
    listening = listening or socket.create_server(("127.0.0.1", 0))
    served: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(EOFError, ConnectionError):
            await behave(reader, writer)
        writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served[asyncio.create_task(serve(reader, writer))] = writer

    server = await asyncio.start_server(accept, sock=listening)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.close()
        for task, writer in served.items():
            task.cancel()
            writer.close()
        await asyncio.gather(*served, return_exceptions=True)
        await asyncio.sleep(0)


async def take(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read one request: its head and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return head, await reader.readexactly(int(length[1])) if length else b""


def reset(writer: asyncio.StreamWriter) -> None:
    """Make the connection end with RST instead of FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def answering(data: bytes, then: Literal["close", "reset", "wait", "next"] = "close") -> Behave:
    """Answer each request with these bytes, then close, reset, wait for ever or take the next one."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await take(reader)
            writer.write(data)
            await writer.drain()
            if then == "wait":
                await asyncio.sleep(60)
            elif then == "reset":
                await asyncio.sleep(0.02)
                reset(writer)
            if then != "next":
                break

    return behave


async def close_at_once(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Accept, and close."""


async def reset_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, and reset."""
    reset(writer)


async def accept_and_wait(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Accept, and never say a word."""
    await asyncio.sleep(60)


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    """Give the URL of a port that is taken, but where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextlib.contextmanager
def never_accepting() -> Iterator[tuple[str, socket.socket]]:
    """Give the URL of a server whose queue is full, so that connecting takes for ever."""
    with contextlib.ExitStack() as opened:
        server = opened.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            filler = opened.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}", server


# The client ---------------------------------------------------------------------------------------

LOOPBACK = Guard([Opening(ip_network("127.0.0.0/8"), None)])


@contextlib.asynccontextmanager
async def opened(**more: Any) -> AsyncIterator[HttpClient]:
    http = HttpClient(**{"transport": aiohttp_transport(LOOPBACK), **more})
    try:
        yield http
    finally:
        await http.close()


def post(url: str, **more: Any) -> httpx.Request:
    return httpx.Request("POST", url, content=b'{"a":1}', **more)


async def failure(url: str, limit: float = 5.0, **more: Any) -> StepFailure:
    """Post, which must fail, and give the failure."""
    async with opened() as http:
        with pytest.raises(StepFailure) as failed:
            await http.send(post(url, **more), limit=limit)
    return failed.value


async def refusal(status: int, headers: dict[str, str] | None = None, content: bytes = b"", **more: Any) -> StepFailure:
    """Get an answer that is not a success, and give the failure."""
    transport = httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, content=content))
    async with opened(transport=transport, **more) as http:
        with pytest.raises(StepFailure) as failed:
            await http.send(post("http://crm.example/"))
    return failed.value


# What did not reach the other side ----------------------------------------------------------------


async def test_a_refused_connection_is_not_done() -> None:
    with refusing() as url:
        failed = await failure(url)

    assert (failed.code, failed.kind) == ("connect", Kind.NOT_DONE)
    assert failed.message.startswith(f"cannot connect to {url.removeprefix('http://')}: ")


async def test_an_unknown_host_is_not_done() -> None:
    failed = await failure("http://no-such-host.invalid/")

    assert (failed.code, failed.kind) == ("connect", Kind.NOT_DONE)


async def test_a_connection_that_takes_too_long_is_not_done() -> None:
    with never_accepting() as (url, _):
        failed = await failure(url, limit=0.3)

    assert (failed.code, failed.kind) == ("connect", Kind.NOT_DONE)
    assert failed.message.endswith(": it took too long")


@pytest.mark.parametrize("behave", [close_at_once, reset_at_once, accept_and_wait])
async def test_a_connection_without_tls_is_not_done(behave: Behave) -> None:
    async with serving(behave) as url:
        failed = await failure(url.replace("http:", "https:"), limit=0.3)

    assert (failed.code, failed.kind) == ("connect", Kind.NOT_DONE)


async def test_a_certificate_that_nobody_vouches_for_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    key = ConnectionKey("crm.example", 443, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None)
    distrust = ssl.SSLCertVerificationError("certificate verify failed: self-signed certificate")

    async def refuse(*_: Any, **__: Any) -> None:
        raise aiohttp.ClientConnectorCertificateError(key, distrust)

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", refuse)
    failed = await failure("https://crm.example/")

    assert (failed.code, failed.kind) == ("connect", Kind.NOT_DONE)
    assert "self-signed certificate" in failed.message


@pytest.mark.parametrize(
    "url",
    [
        "ftp://crm.example/",
        "http:///path",
        "/path",
        "http://127.1/",
        "http://a..b/",
        "http://h:99999/",
        f"http://{'a' * 64}/",
    ],
)
async def test_a_url_that_cannot_be_called_fails_for_good(url: str) -> None:
    failed = await failure(url)

    assert (failed.code, failed.kind) == ("unsendable", Kind.PERMANENT)


@pytest.mark.parametrize("value", ["a\r\nHost: b", "a\0b", "a\nb"])
async def test_a_header_that_would_make_others_fails_for_good(value: str) -> None:
    async with serving(answering(OK)) as url:
        failed = await failure(url, headers={"X": value})

    assert (failed.code, failed.kind) == ("unsendable", Kind.PERMANENT)


# What may have reached it -------------------------------------------------------------------------

CUT = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"
CHUNK = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"

LOST: dict[str, Behave] = {
    "closed before the request": close_at_once,
    "reset before the request": reset_at_once,
    "closed after the request": answering(b""),
    "reset after the request": answering(b"", "reset"),
    "no answer": answering(b"", "wait"),
    "no HTTP": answering(b"220 mail.example ESMTP\r\n\r\n"),
    "TLS": answering(b"\x15\x03\x01\x00\x02\x02\x16"),
    "another version": answering(b"HTTP/2 200\r\n\r\n"),
    "cut head": answering(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "endless header": answering(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n"),
    "two lengths": answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok"),
    "cut body": answering(CUT.encode()),
    "reset body": answering(CUT.encode(), "reset"),
    "body that stops": answering(CUT.encode(), "wait"),
    "cut chunks": answering(CHUNK.encode()),
    "reset chunks": answering(CHUNK.encode(), "reset"),
    "broken chunk": answering(CHUNK.encode() + b"zz\r\n"),
    "chunks that stop": answering(CHUNK.encode(), "wait"),
}


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("behave", LOST.values(), ids=LOST.keys())
def test_a_lost_answer_may_be_an_effect(behave: Behave, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def lose() -> StepFailure:
        async with serving(behave) as url:
            return await failure(url, limit=0.3)

    with asyncio.Runner(loop_factory=loop) as runner:
        failed = runner.run(lose())

    assert (failed.code, failed.kind) == ("no_answer", Kind.TRANSIENT)
    assert re.match(r"no answer from 127\.0\.0\.1:\d+: .", failed.message)


async def test_an_answer_that_drips_is_lost_at_the_limit() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b".")
            await asyncio.sleep(0.01)

    began = asyncio.get_running_loop().time()
    async with serving(drip) as url:
        failed = await failure(url, limit=0.3)

    assert failed.code == "no_answer"
    assert 0.3 <= asyncio.get_running_loop().time() - began < 1.5


# What was refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        (Kind.PERMANENT, [301, 302, 304, 307, 400, 401, 403, 404, 409, 410, 413, 422, 451, 499]),
        (Kind.TRANSIENT, [408, 425, 500, 501, 502, 503, 504, 520, 599]),
        (Kind.NOT_DONE, [429]),
    ],
)
async def test_the_status_says_whether_a_repeat_can_help(kind: Kind, statuses: list[int]) -> None:
    for status in statuses:
        failed = await refusal(status, content=b"because")

        assert (failed.code, failed.kind, failed.retry_after) == (f"http_{status}", kind, None)
        assert failed.message == f"crm.example answered {status}: because"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("1.5", 1.5),
        (formatdate(1_000_060, usegmt=True), 60.0),
        ("Mon, 12-Jan-70 13:47:40 GMT", 60.0),
        ("Mon Jan 12 13:47:40 1970", 60.0),
        (formatdate(999_000, usegmt=True), 0.0),
        ("9" * 400, 86_400.0),
        (formatdate(9_000_000, usegmt=True), 86_400.0),
    ],
)
async def test_retry_after_makes_a_refusal_safe_to_repeat(status: int, value: str, seconds: float) -> None:
    failed = await refusal(status, {"Retry-After": value}, now=lambda: 1_000_000.0)

    assert (failed.kind, failed.retry_after) == (Kind.NOT_DONE, seconds)


async def test_retry_after_counts_on_the_clock_of_the_other_side() -> None:
    headers = {"Retry-After": formatdate(5_030, usegmt=True), "Date": formatdate(5_000, usegmt=True)}
    failed = await refusal(503, headers, now=lambda: 1_000_000.0)

    assert failed.retry_after == 30.0


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
async def test_any_retry_after_is_understood_or_ignored(value: str) -> None:
    failed = await refusal(503, {"Retry-After": value})

    assert failed.kind is (Kind.TRANSIENT if failed.retry_after is None else Kind.NOT_DONE)
    assert 0.0 <= (failed.retry_after or 0.0) <= 86_400.0


@pytest.mark.parametrize("value", ["", "soon", "-1", "1e9", "Fri, 99 Foo 2026"])
async def test_a_retry_after_that_says_nothing_is_none(value: str) -> None:
    failed = await refusal(503, {"Retry-After": value})

    assert (failed.kind, failed.retry_after) == (Kind.TRANSIENT, None)


async def test_a_refusal_tells_two_hundred_characters_without_control_characters() -> None:
    content = 'a\x00\x1b[31m\r\n  "é"\u202e\u2028b'.encode() + b"\xff" + b"x" * 500
    failed = await refusal(400, content=content)

    told = failed.message.removeprefix("crm.example answered 400: ")
    assert told == 'a[31m "é"  b\ufffd'.replace("  ", " ") + "x" * (200 - len('a[31m "é" b?'))


async def test_a_refusal_whose_body_hangs_is_still_that_refusal() -> None:
    head = b"HTTP/1.1 429 Slow Down\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\nwait"
    endings: tuple[Literal["wait", "close", "reset"], ...] = ("wait", "close", "reset")
    for then in endings:
        async with serving(answering(head, then)) as url:
            failed = await failure(url, limit=0.3)

        assert (failed.code, failed.kind, failed.retry_after) == ("http_429", Kind.NOT_DONE, 7.0)
        assert failed.message.endswith("answered 429: wait")


async def test_a_refusal_of_a_body_that_is_still_being_sent_is_heard() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Big\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        await writer.drain()
        await asyncio.sleep(1)

    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    async with serving(refuse, listening) as url, opened() as http:
        with pytest.raises(StepFailure, match=r"^http_413: .* answered 413: no$"):
            await http.send(httpx.Request("POST", url, content=b"x" * 1_000_000), limit=5.0)


async def test_a_redirect_is_not_followed() -> None:
    async with serving(answering(OK)) as elsewhere:
        head = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"
        async with serving(answering(head.encode())) as url:
            failed = await failure(url)

    assert (failed.code, failed.kind) == ("http_302", Kind.PERMANENT)


# What was answered --------------------------------------------------------------------------------


async def test_an_answer_is_given_whole() -> None:
    answers = {
        OK: b"ok",
        CHUNK.encode() + b"0\r\n\r\n": b"hello",
        b"HTTP/1.0 200 OK\r\n\r\nto the end": b"to the end",
        b"HTTP/1.1 204 No Content\r\n\r\n": b"",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + OK: b"ok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: " + b"a" * 30_000 + b"\r\n\r\nok": b"ok",
    }
    for answer, content in answers.items():
        async with serving(answering(answer)) as url, opened() as http:
            response = await http.send(post(url))

        assert response.content == content


async def test_a_request_carries_what_it_says_and_nothing_of_ours_but_identity() -> None:
    heads = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, body = await take(reader)
        heads.append(head.decode().lower().split("\r\n"))
        assert body == b'{"a":1}'
        writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    async with serving(listen) as url, opened() as http:
        for _ in range(2):
            await http.send(post(f"{url}/p/%2F%3F%23%25?q=%26%20%2B&r=%C3%A9", headers={"X": "y"}))

    host = url.removeprefix("http://")
    assert heads[0] == heads[1]
    assert heads[0][0] == "post /p/%2f%3f%23%25?q=%26%20%2b&r=%c3%a9 http/1.1"
    assert set(heads[0][1:]) == {
        f"host: {host}",
        "content-length: 7",
        "accept: */*",
        "accept-encoding: identity",
        "x: y",
        "",
    }


async def test_connections_are_used_again() -> None:
    connections = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await take(reader)
            writer.write(OK)

    async with serving(count) as url, opened() as http:
        for _ in range(5):
            await http.send(post(url))

    assert connections == 1


async def patiently(http: HttpClient, request: httpx.Request) -> httpx.Response:
    """Send a request when its host may be asked, as a run does that comes back."""
    while True:
        try:
            return await http.send(request)
        except StepFailure as failure:
            if failure.kind is not Kind.HELD:
                raise
            await asyncio.sleep(0.005)


async def test_one_host_gets_sixty_four_connections_at_most() -> None:
    now, most = 0, 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        while True:
            await take(reader)
            await asyncio.sleep(0.02)
            writer.write(OK)

    async with serving(count) as url, opened() as http:
        await asyncio.gather(*(patiently(http, post(url)) for _ in range(200)))

    assert most == 64


# How much of it -----------------------------------------------------------------------------------


def giving(content: bytes, coding: str = "") -> httpx.MockTransport:
    headers = {"Content-Encoding": coding} if coding else {}

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(content))

    return httpx.MockTransport(answer)


@pytest.mark.parametrize("coding", ["", "gzip", "deflate"])
async def test_the_cap_counts_decoded_bytes(coding: str) -> None:
    encode: dict[str, Callable[[bytes], bytes]] = {"": bytes, "gzip": gzip.compress, "deflate": zlib.compress}

    async with opened(transport=giving(encode[coding](b"x" * 1000), coding)) as http:
        response = await http.send(post("http://crm.example/"), cap=1000)
        with pytest.raises(StepFailure) as failed:
            await http.send(post("http://crm.example/"), cap=999)

    assert response.content == b"x" * 1000
    assert "Content-Encoding" not in response.headers
    assert (failed.value.code, failed.value.kind) == ("response_too_large", Kind.PERMANENT)
    assert failed.value.message == "crm.example answered with more than 999 bytes"


async def test_a_small_answer_that_unpacks_to_a_huge_one_is_never_unpacked() -> None:
    bomb = zlib.compress(b"\0" * 30_000_000, 9)
    inflated = []
    original = zlib.decompressobj

    class Watched:
        def __init__(self, *args: Any) -> None:
            self.inner = original(*args)

        def decompress(self, data: bytes, most: int) -> bytes:
            inflated.append(len(plain := self.inner.decompress(data, most)))
            return plain

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zlib, "decompressobj", Watched)
        async with opened(transport=giving(bomb, "gzip")) as http:
            with pytest.raises(StepFailure, match=r"^response_too_large: "):
                await http.send(post("http://crm.example/"))

    assert sum(inflated) == 1_000_001


async def test_an_endless_answer_ends_at_the_cap() -> None:
    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async with serving(pour) as url:
        assert (await failure(url)).code == "response_too_large"


@pytest.mark.parametrize(
    ("content", "coding"),
    [(b"x", "br"), (b"x", "gzip, gzip"), (b"not zipped", "gzip"), (gzip.compress(b"x" * 1000)[:-9], "gzip")],
    ids=["unknown coding", "two codings", "not zipped", "cut short"],  # two processes have to give the same names
)
async def test_an_answer_in_a_coding_that_cannot_be_read_fails_for_good(content: bytes, coding: str) -> None:
    async with opened(transport=giving(content, coding)) as http:
        with pytest.raises(StepFailure) as failed:
            await http.send(post("http://crm.example/"))

    assert (failed.value.code, failed.value.kind) == ("response_encoding", Kind.PERMANENT)


# Cancelling and closing ---------------------------------------------------------------------------


async def test_requests_cancelled_while_they_connect_leave_room_for_the_next() -> None:
    """More than there are connections, so that some wait for one: 2 slots of httpx's pool die of this."""
    with never_accepting() as (url, server):
        async with opened() as http:

            async def give_up(after: float) -> None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(after):
                        await patiently(http, post(url))

            await asyncio.gather(*(give_up(0.005 * (1 + number % 7)) for number in range(200)))
            async with serving(answering(OK, "next"), server):
                responses = await asyncio.gather(*(patiently(http, post(url)) for _ in range(100)))

    assert [response.content for response in responses] == [b"ok"] * 100


async def test_a_cancelled_request_gives_its_answer_to_nobody_else() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            _, body = await take(reader)
            await asyncio.sleep(0.1 if body == b"slow" else 0)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + body)

    async with serving(echo) as url, opened() as http:
        task = asyncio.create_task(http.send(httpx.Request("POST", url, content=b"slow")))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        response = await http.send(httpx.Request("POST", url, content=b"fast"))

    assert response.content == b"fast"


async def test_a_closed_client_sends_nothing() -> None:
    async with serving(answering(OK)) as url:
        async with opened() as http:
            await http.send(post(url))
        with pytest.raises(StepFailure) as failed:
            await http.send(post(url))

    assert (failed.value.code, failed.value.kind) == ("connect", Kind.NOT_DONE)


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (httpx.ConnectError("x"), "connect", Kind.NOT_DONE),
        (httpx.ConnectTimeout("x"), "connect", Kind.NOT_DONE),
        (httpx.PoolTimeout("x"), "connect", Kind.NOT_DONE),
        (httpx.UnsupportedProtocol("x"), "unsendable", Kind.PERMANENT),
        (httpx.LocalProtocolError("x"), "unsendable", Kind.PERMANENT),
        (httpx.WriteError("x"), "no_answer", Kind.TRANSIENT),
        (httpx.WriteTimeout("x"), "no_answer", Kind.TRANSIENT),
        (httpx.ReadError("x"), "no_answer", Kind.TRANSIENT),
        (httpx.ReadTimeout("x"), "no_answer", Kind.TRANSIENT),
        (httpx.RemoteProtocolError("x"), "no_answer", Kind.TRANSIENT),
    ],
)
async def test_any_transport_of_httpx_is_understood(error: httpx.TransportError, code: str, kind: Kind) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    async with opened(transport=httpx.MockTransport(fail)) as http:
        with pytest.raises(StepFailure) as failed:
            await http.send(post("http://crm.example/"))

    assert (failed.value.code, failed.value.kind) == (code, kind)
