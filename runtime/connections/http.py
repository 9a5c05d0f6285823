"""Outbound HTTP: one request, and its whole answer or what is truly known of its effect.

The types are httpx's, the connections aiohttp's. No httpx client stands between: the pool of httpx
0.28 is slow, and requests cancelled while they connect fill it for good (encode/httpcore#1093).
"""

import asyncio
import contextlib
import re
import time
import zlib
from collections.abc import AsyncGenerator, Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, cast

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from httpx_aiohttp import AiohttpTransport

from runtime.connections.guard import AddressRefused, Guard, GuardedResolver
from runtime.failures import Kind, StepFailure

LIMIT: Final = 15.0  # s for one request and its answer
CAP: Final = 1_000_000  # bytes of an answer, decoded

_CONNECT_LIMIT = 10.0  # s until there is a connection, the wait for a free one included
_PER_HOST = 64
# s; Node, Apache and uvicorn close idle connections after 5 s. To be first is safer: nobody can
# tell whether a POST was seen that met the closing of its connection.
_IDLE = 4.0
_LONGEST_HEADER = 65_536  # bytes; 8,190, aiohttp's own limit, is less than real ones need

_START = 200  # characters of a refusal that are told
_START_LIMIT = 1.0  # s
_LONGEST_PAUSE = 86_400.0  # s, whatever the other side asks for


class HttpClient:
    """Sends requests over one transport: no redirects, no cookies, no proxies of the environment.

    A client belongs to one event loop. `now` gives seconds since the Unix epoch. Without a transport of its own it
    reaches public addresses only.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._transport = transport or aiohttp_transport()
        self._now = now
        self._closed = False

    async def send(
        self, request: httpx.Request, *, limit: float = LIMIT, cap: int = CAP, any_status: bool = False
    ) -> httpx.Response:
        """Give a successful answer, read whole, within `limit` seconds and `cap` decoded bytes.

        `any_status` is for services whose refusals say more than a status: they are given too.

        Raises StepFailure:
            address_refused: the guard lets nobody reach that address (PERMANENT).
            connect: nothing was sent (NOT_DONE).
            no_answer: the request may have arrived; the answer did not, or not whole (TRANSIENT).
            http_<status>: 429, and 503 that says when to come again, are NOT_DONE; 408, 425 and
                other 5xx TRANSIENT; what is left of 1xx, 3xx and 4xx PERMANENT.
            response_too_large, response_encoding: the answer cannot be taken (PERMANENT).
            unsendable: URL or headers are none that HTTP can carry (PERMANENT).
        """
        if self._closed:
            raise StepFailure("connect", "the server is stopping", Kind.NOT_DONE)
        deadline = asyncio.get_running_loop().time() + limit
        response = await self._head(request, limit)
        try:
            if any_status or response.is_success:
                return await _whole(request, response, cap, deadline)
            raise self.refusal(request, response, await _start(response, deadline))
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close all connections; what is under way fails with `no_answer`."""
        self._closed = True
        await self._transport.aclose()

    async def _head(self, request: httpx.Request, limit: float) -> httpx.Response:
        _prepare(request, limit)
        try:
            async with asyncio.timeout(limit):
                return await self._transport.handle_async_request(request)
        except _RefusedError as error:
            raise StepFailure("address_refused", f"{_host(request)} is not called: {error}") from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            message = f"cannot connect to {_host(request)}: {error}"
            raise StepFailure("connect", message, Kind.NOT_DONE) from error
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise StepFailure("unsendable", f"the request cannot be sent: {error}") from error
        except (httpx.TransportError, TimeoutError) as error:
            raise _lost(request, error) from error

    def refusal(self, request: httpx.Request, response: httpx.Response, why: str) -> StepFailure:
        """What an answer that is no success means by its status; `why` is what it says itself."""
        status = response.status_code
        pause = _pause(response.headers, self._now)
        message = f"{_host(request)} answered {status}" + (f": {why}" if why else "")
        return StepFailure(f"http_{status}", message, kind_of(status, pause), pause)


def _prepare(request: httpx.Request, limit: float) -> None:
    """Make sure that a connection that takes too long is known as such before the limit is hit."""
    connect = min(_CONNECT_LIMIT, limit * 2 / 3)
    request.extensions = {**request.extensions, "timeout": {"connect": connect, "pool": connect}}
    request.headers.setdefault("Accept-Encoding", "identity")


def _host(request: httpx.Request) -> str:
    return request.url.netloc.decode()


def _lost(request: httpx.Request, error: Exception) -> StepFailure:
    reason = "it took too long" if isinstance(error, TimeoutError) else str(error)
    return StepFailure("no_answer", f"no answer from {_host(request)}: {reason}", Kind.TRANSIENT)


def kind_of(status: int, pause: float | None = None) -> Kind:
    """What a status that is no success says of the effect; `pause` is how long to wait, where that was said."""
    if status == 429 or (status == 503 and pause is not None):
        return Kind.NOT_DONE
    return Kind.TRANSIENT if status in (408, 425) or 500 <= status < 600 else Kind.PERMANENT


# The answer's body --------------------------------------------------------------------------------


async def _whole(request: httpx.Request, response: httpx.Response, cap: int, deadline: float) -> httpx.Response:
    content = bytearray()
    try:
        async with asyncio.timeout_at(deadline):
            await _read(response, content, cap)
    except (httpx.TransportError, TimeoutError) as error:
        raise _lost(request, error) from error
    if len(content) > cap:
        message = f"{_host(request)} answered with more than {cap:,} bytes"
        raise StepFailure("response_too_large", message)
    headers = response.headers.copy()
    for gone in ("Content-Encoding", "Content-Length", "Transfer-Encoding"):
        headers.pop(gone, None)
    status = response.status_code
    return httpx.Response(status, headers=headers, content=bytes(content), request=request)


async def _start(response: httpx.Response, deadline: float) -> str:
    """Give what can be had of a refusal's body: the status says enough without."""
    content = bytearray()
    end = min(deadline, asyncio.get_running_loop().time() + _START_LIMIT)
    with contextlib.suppress(httpx.TransportError, TimeoutError, StepFailure):
        async with asyncio.timeout_at(end):
            await _read(response, content, 4 * _START)
    words = " ".join(content.decode("utf-8", "replace").split())
    return "".join(filter(str.isprintable, words))[:_START]


async def _read(response: httpx.Response, into: bytearray, cap: int) -> None:
    """Append the decoded body to `into`, up to at least one byte more than `cap`, if it has them.

    `Accept-Encoding: identity` keeps most servers from compressing. Where one does all the same,
    no chunk is inflated further than the cap: 194 kB of gzip can hold 200 MB.
    """
    inflate = _inflater(response.headers.get("Content-Encoding", ""))
    chunks = aiter(cast("httpx.AsyncByteStream", response.stream))
    try:
        async for chunk in chunks:
            into += inflate.decompress(chunk, cap + 1 - len(into)) if inflate else chunk
            if len(into) > cap:
                return
    except zlib.error as error:
        raise StepFailure("response_encoding", f"the answer is damaged: {error}") from error
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
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


def _pause(headers: httpx.Headers, now: Callable[[], float]) -> float | None:
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
) -> httpx.AsyncBaseTransport:
    """Give a transport that connects when first used, to addresses that the guard lets through.

    The guard judges twice: what `resolver` finds for a name, and what is dialled in the end, which is all that there
    is where a URL holds the address itself (aiohttp asks no resolver then).
    """
    context = httpx.create_ssl_context(trust_env=False)
    guard = guard or Guard()

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=context,
            limit=0,  # those who send are bounded already
            limit_per_host=_PER_HOST,
            keepalive_timeout=_IDLE,
            resolver=GuardedResolver(guard, resolver()),
            socket_factory=guard.dial,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            skip_auto_headers=("Accept-Encoding", "Content-Type", "User-Agent"),
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )

    return _Transport(verify=context, client=session)


class _Transport(AiohttpTransport):
    """httpx-aiohttp, telling apart what it calls by one name.

    Version 0.2 says ConnectTimeout for refused connections, unknown hosts and lost answers alike
    (its AIOHTTP_EXC_MAP), and lets answers that are no HTTP through as aiohttp's own exception.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except httpx.TransportError as error:
            raise _truthful(error.__cause__ or error) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise _truthful(error) from error


class _RefusedError(httpx.ConnectError):
    """The guard refused the address."""


def _truthful(error: BaseException) -> httpx.TransportError:
    kind: type[httpx.TransportError]
    match error:
        case aiohttp.ClientConnectorError(os_error=AddressRefused() as refused):
            kind, why = _RefusedError, str(refused)
        case aiohttp.ClientConnectorCertificateError():
            kind, why = httpx.ConnectError, str(error.certificate_error)
        case aiohttp.ClientConnectorError():
            kind, why = httpx.ConnectError, error.os_error.strerror or str(error.os_error)
        case aiohttp.ConnectionTimeoutError():
            kind, why = httpx.ConnectTimeout, "it took too long"
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            kind, why = httpx.UnsupportedProtocol, "its URL is not a valid one of http or https"
        case ValueError():
            kind, why = httpx.LocalProtocolError, str(error)
        case aiohttp.ClientResponseError():
            kind, why = httpx.RemoteProtocolError, "the answer is not HTTP"
        case _:
            kind, why = httpx.ReadError, str(error) or type(error).__name__
    return kind(why)
