"""Outbound HTTP: one request, and its whole answer or what is truly known of its effect.

Steps `ask` with plain values; connectors `send` requests of httpx, and get its answers. What carries them is in
`runtime.connections.wire`.
"""

import asyncio
import contextlib
import re
import time
import zlib
from collections.abc import Callable, Container, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver

from runtime.connections.asking import CAP, LIMIT, Answer
from runtime.connections.guard import Guard
from runtime.connections.hosts import Hosts
from runtime.connections.wire import AiohttpWire, HttpxWire, Limits, Opened, Wire
from runtime.failures import Kind, StepFailure

_CONNECT_LIMIT = 10.0  # s until there is a connection, the wait for a free one included

_START = 200  # characters of a refusal that are told
_START_LIMIT = 1.0  # s
_LONGEST_PAUSE = 86_400.0  # s, whatever the other side asks for


class HttpClient:
    """Sends requests: no redirects, no cookies, no proxies of the environment.

    A client belongs to one event loop. `now` gives seconds since the Unix epoch. Without a transport of its own it
    reaches public addresses only.
    """

    def __init__(
        self,
        transport: AiohttpWire | httpx.AsyncBaseTransport | None = None,
        *,
        now: Callable[[], float] = time.time,
        hosts: Hosts | None = None,
    ) -> None:
        self._wire: Wire = transport if isinstance(transport, AiohttpWire) else _wire(transport)
        self._now = now
        self._hosts = hosts or Hosts()
        self.breakers = self._hosts.breakers
        self._closed = False

    async def ask(  # noqa: PLR0913  # a request is all of these
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        limit: float = LIMIT,
        cap: int = CAP,
        any_status: bool = False,
        also: Container[int] = (),
    ) -> Answer:
        """Give a successful answer, read whole, within `limit` seconds and `cap` decoded bytes.

        `any_status` is for services whose refusals say more than a status: they are given too. So are answers of the
        statuses `also`, of which no more is read than is told of a refusal.

        Raises StepFailure:
            address_refused: the guard lets nobody reach that address (PERMANENT).
            connect: nothing was sent (NOT_DONE).
            held: the host is not asked now, as `Hosts` says (HELD).
            no_answer: the request may have arrived; the answer did not, or not whole (TRANSIENT).
            http_<status>: 429, and 503 that says when to come again, are NOT_DONE; 408, 425 and
                other 5xx TRANSIENT; what is left of 1xx, 3xx and 4xx PERMANENT.
            response_too_large, response_encoding: the answer cannot be taken (PERMANENT).
            unsendable: URL or headers are none that HTTP can carry (PERMANENT).
        """
        if self._closed:
            raise StepFailure("connect", "the server is stopping", Kind.NOT_DONE)
        connect = min(_CONNECT_LIMIT, limit * 2 / 3)  # so that it is known as such before the limit is hit
        host = _host(url)
        with self._hosts.asking(host):
            try:
                opened = await self._wire.open(method, url, headers, content, Limits(limit, connect))
                try:
                    if any_status or 200 <= opened.status < 300:
                        return Answer(opened.status, opened.headers, await _whole(opened, url, cap))
                    start = await _start(opened)
                    if opened.status in also:
                        return Answer(opened.status, opened.headers, start.encode())
                    raise self._refusal(host, opened.status, opened.headers, start)
                finally:
                    await opened.close()
            except self._wire.errors as error:
                raise self._wire.failure(host, error) from error

    async def send(
        self, request: httpx.Request, *, limit: float = LIMIT, cap: int = CAP, any_status: bool = False
    ) -> httpx.Response:
        """`ask`, in the types of httpx."""
        answer = await self.ask(
            request.method,
            str(request.url),
            request.headers,
            request.content,
            limit=limit,
            cap=cap,
            any_status=any_status,
        )
        headers = httpx.Headers(list(answer.headers.items()))
        for gone in ("Content-Encoding", "Content-Length", "Transfer-Encoding"):
            headers.pop(gone, None)
        return httpx.Response(answer.status, headers=headers, content=answer.content, request=request)

    async def close(self) -> None:
        """Close all connections; what is under way fails with `no_answer`."""
        self._closed = True
        await self._wire.close()

    def refusal(self, url: str, answer: Answer, why: str) -> StepFailure:
        """What an answer that is no success means by its status; `why` is what it says itself."""
        return self._refusal(_host(url), answer.status, answer.headers, why)

    def _refusal(self, host: str, status: int, headers: Mapping[str, str], why: str) -> StepFailure:
        pause = _pause(headers, self._now)
        message = f"{host} answered {status}" + (f": {why}" if why else "")
        return StepFailure(f"http_{status}", message, kind_of(status, pause), pause)


def _wire(transport: httpx.AsyncBaseTransport | None) -> Wire:
    return AiohttpWire() if transport is None else HttpxWire(transport)


def _host(url: str) -> str:
    """Host and port of a URL, for messages; without what signs in."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:  # no URL
        return ""


def kind_of(status: int, pause: float | None = None) -> Kind:
    """What a status that is no success says of the effect; `pause` is how long to wait, where that was said."""
    if status == 429 or (status == 503 and pause is not None):
        return Kind.NOT_DONE
    return Kind.TRANSIENT if status in (408, 425) or 500 <= status < 600 else Kind.PERMANENT


# The answer's body --------------------------------------------------------------------------------


async def _whole(opened: Opened, url: str, cap: int) -> bytes:
    content = bytearray()
    await _read(opened, content, cap)
    if len(content) > cap:
        raise StepFailure("response_too_large", f"{_host(url)} answered with more than {cap:,} bytes")
    return bytes(content)


async def _start(opened: Opened) -> str:
    """Give what can be had of a refusal's body: the status says enough without."""
    content = bytearray()
    with contextlib.suppress(aiohttp.ClientError, httpx.TransportError, TimeoutError, StepFailure):
        async with asyncio.timeout(_START_LIMIT):
            await _read(opened, content, 4 * _START)
    words = " ".join(content.decode("utf-8", "replace").split())
    return "".join(filter(str.isprintable, words))[:_START]


async def _read(opened: Opened, into: bytearray, cap: int) -> None:
    """Append the decoded body to `into`, of a larger one at least one byte more than `cap`.

    `Accept-Encoding: identity` keeps most servers from compressing. Where one does all the same,
    no chunk is inflated further than the cap: 194 kB of gzip can hold 200 MB.
    """
    inflate = _inflater(opened.headers.get("Content-Encoding", ""))
    try:
        while chunk := await opened.more():
            into += inflate.decompress(chunk, cap + 1 - len(into)) if inflate else chunk
            if len(into) > cap:
                return
    except zlib.error as error:
        raise StepFailure("response_encoding", f"the answer is damaged: {error}") from error
    if inflate and into and not inflate.eof:
        raise StepFailure("response_encoding", "the answer is damaged: its compressed text is cut")


def _inflater(coding: str) -> "zlib._Decompress | None":
    match coding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by its own header
        case other:
            message = f"the answer is encoded as {other[:40]!r}, which was not asked for"
            raise StepFailure("response_encoding", message)


# Retry-After --------------------------------------------------------------------------------------


def _pause(headers: Mapping[str, str], now: Callable[[], float]) -> float | None:
    """Seconds that `Retry-After` asks for, in either form (RFC 9110, 10.2.3); None: it does not.

    A date is compared with the answer's own `Date`, so that clocks need not agree.
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return min(float(value), _LONGEST_PAUSE)
    then = _date(value)
    if then is None:
        return None
    sent = _date(headers.get("Date", ""))
    return min(max(0.0, then - (now() if sent is None else sent)), _LONGEST_PAUSE)


def _date(value: str) -> float | None:
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


# The transport ------------------------------------------------------------------------------------


def aiohttp_transport(
    guard: Guard | None = None, *, resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver
) -> AiohttpWire:
    """Give a transport to addresses that the guard lets through."""
    return AiohttpWire(guard, resolver=resolver)
