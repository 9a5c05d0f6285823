"""What carries requests: aiohttp's connections, or for tests and connectors any transport of httpx.

No httpx type stands between a step and aiohttp: to make a request and an answer of httpx costs as much as aiohttp's own
work. Its pool is not used at all: that of httpx 0.28 is slow, and requests cancelled while they connect fill it for
good (encode/httpcore#1093).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, cast

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver

from runtime.connections.guard import AddressRefused, Guard, GuardedResolver
from runtime.failures import Kind, StepFailure

# s; Node, Apache and uvicorn close idle connections after 5 s. To be first is safer: nobody can
# tell whether a POST was seen that met the closing of its connection.
_IDLE = 4.0
_LONGEST_HEADER = 65_536  # bytes; 8,190, aiohttp's own limit, is less than real ones need
_IDENTITY: Final = {"Accept-Encoding": "identity"}


class Limits(NamedTuple):
    """Seconds: for a request and its whole answer, and of these until there is a connection."""

    whole: float
    connect: float


class Opened(Protocol):
    """An answer of which the head is there. The names of its headers are in any case."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    async def more(self) -> bytes:
        """The next part of the body as it comes; empty at its end."""
        ...

    async def close(self) -> None:
        """Let go of it, read to its end or not."""
        ...


class Wire(Protocol):
    """Sends requests. Its errors are told apart by `failure`."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What `open` and the reading of an answer may raise."""
        ...

    async def open(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, limits: Limits
    ) -> Opened:
        """Send a request and wait for the head of its answer.

        Raises `errors`, of which TimeoutError also ends the reading of a body, and StepFailure `unsendable` for what
        HTTP cannot carry.
        """
        ...

    def failure(self, host: str, error: Exception) -> StepFailure:
        """What one of the errors says of the request's effect."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


def _lost(host: str, why: str) -> StepFailure:
    return StepFailure("no_answer", f"no answer from {host}: {why}", Kind.TRANSIENT)


def _unconnected(host: str, why: object) -> StepFailure:
    return StepFailure("connect", f"cannot connect to {host}: {why}", Kind.NOT_DONE)


def _unsendable(why: object) -> StepFailure:
    return StepFailure("unsendable", f"the request cannot be sent: {why}")


# aiohttp ------------------------------------------------------------------------------------------


@lru_cache(64)
def _timeout(limits: Limits) -> aiohttp.ClientTimeout:
    """Aiohttp's own timer: it costs nothing that aiohttp does not do anyway, and rounds 5 s and more up to the next."""
    return aiohttp.ClientTimeout(total=limits.whole, connect=limits.connect, sock_connect=limits.connect)


class AiohttpWire:
    """Connects when first used, to addresses that the guard lets through.

    The guard judges twice: what `resolver` finds for a name, and what is dialled in the end, which is all that there
    is where a URL holds the address itself (aiohttp asks no resolver then).
    """

    errors: Final = (aiohttp.ClientError, TimeoutError)

    def __init__(
        self, guard: Guard | None = None, *, resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver
    ) -> None:
        self._guard = guard or Guard()
        self._resolver = resolver
        self._context = httpx.create_ssl_context(trust_env=False)
        self._session: aiohttp.ClientSession | None = None

    async def open(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, limits: Limits
    ) -> Opened:
        """Send a request and wait for the head of its answer."""
        session, timeout = self._session or self._connected(), _timeout(limits)
        try:
            response = await session.request(
                method, url, headers=headers, data=content or None, allow_redirects=False, timeout=timeout
            )
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise _unsendable("its URL is not a valid one of http or https") from error
        except aiohttp.ClientError:
            raise  # some are ValueErrors too
        except ValueError as error:
            raise _unsendable(error) from error
        return _Response(response)

    def _connected(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=self._context,
            limit=0,  # those who send are bounded already, and so is what is sent to one host
            keepalive_timeout=_IDLE,
            resolver=GuardedResolver(self._guard, self._resolver()),
            socket_factory=self._guard.dial,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_IDENTITY,
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("Content-Type", "User-Agent"),
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )
        return self._session

    def failure(self, host: str, error: Exception) -> StepFailure:
        """What an error of aiohttp's says of the request's effect."""
        match error:
            case aiohttp.ClientConnectorError(os_error=AddressRefused() as refused):
                return StepFailure("address_refused", f"{host} is not called: {refused}")
            case aiohttp.ClientConnectorCertificateError():
                return _unconnected(host, error.certificate_error)
            case aiohttp.ClientConnectorError():
                return _unconnected(host, error.os_error.strerror or str(error.os_error))
            case aiohttp.ConnectionTimeoutError():
                return _unconnected(host, "it took too long")
            case aiohttp.ClientResponseError():
                return _lost(host, "the answer is not HTTP")
            case TimeoutError():
                return _lost(host, "it took too long")
            case _:
                return _lost(host, str(error) or type(error).__name__)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()


class _Response:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers = response.headers

    async def more(self) -> bytes:
        return await self._response.content.readany()

    async def close(self) -> None:
        if self._response.connection is not None:  # otherwise it went back with the end of the body
            self._response.close()


# httpx --------------------------------------------------------------------------------------------


class HttpxWire:
    """Any transport of httpx."""

    errors: Final = (httpx.TransportError, TimeoutError)

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def open(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, limits: Limits
    ) -> Opened:
        """Send a request and wait for the head of its answer."""
        end = asyncio.get_running_loop().time() + limits.whole
        extensions = {"timeout": {"connect": limits.connect, "pool": limits.connect}}
        try:
            request = httpx.Request(method, url, headers=headers, content=content, extensions=extensions)
        except (httpx.InvalidURL, ValueError) as error:
            raise _unsendable(error) from error
        request.headers.setdefault(*next(iter(_IDENTITY.items())))
        async with asyncio.timeout_at(end):
            return _HttpxResponse(await self._transport.handle_async_request(request), end)

    def failure(self, host: str, error: Exception) -> StepFailure:
        """What an error of httpx's says of the request's effect."""
        match error:
            case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
                return _unconnected(host, error)
            case httpx.UnsupportedProtocol() | httpx.LocalProtocolError():
                return _unsendable(error)
            case _:
                return _lost(host, "it took too long" if isinstance(error, TimeoutError) else str(error))

    async def close(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


class _HttpxResponse:
    def __init__(self, response: httpx.Response, end: float) -> None:
        self._end = end
        self._response = response
        self._chunks: AsyncIterator[bytes] = aiter(cast("httpx.AsyncByteStream", response.stream))
        self.status = response.status_code
        self.headers = response.headers

    async def more(self) -> bytes:
        async with asyncio.timeout_at(self._end):
            async for chunk in self._chunks:
                if chunk:
                    return chunk
        return b""

    async def close(self) -> None:
        if isinstance(self._chunks, AsyncGenerator):
            await self._chunks.aclose()
        await self._response.aclose()
