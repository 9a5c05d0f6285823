"""What the HTTP verbs share: the address, the request, the result."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx
import msgspec

from runtime.connections.http import HttpClient
from runtime.context import Call, Hole, RemoteVerb, Setting
from runtime.failures import StepFailure
from runtime.shapes import read_json
from runtime.steps._plain import plain
from runtime.steps._results import fitted
from runtime.values import text_of

FAILURES: Final = (
    "address_refused",
    "bad_url",
    "connect",
    "http_STATUS",
    "no_answer",
    "no_setting",
    "response_encoding",
    "response_misfit",
    "response_too_large",
    "unsendable",
)

_encode = msgspec.json.Encoder(decimal_format="number").encode
_url = lru_cache(256)(httpx.URL)  # to parse one costs as much as the rest of a request; most flows call few

_WITH_HOST = re.compile(r"[^/?#]+://[^/?#]+[/?#]")


# The verbs ----------------------------------------------------------------------------------------


def sending(http: HttpClient, method: str) -> RemoteVerb:
    """A verb whose `with` is the body, as JSON. Arguments: the body or None, then the URL's holes."""

    async def perform(call: Call) -> Any:
        body, *holes = call.args
        return await _exchange(http, call, method, address(call, holes), body)

    return RemoteVerb(perform, read_json)


def asking(http: HttpClient, method: str) -> RemoteVerb:
    """A verb whose `with` is the query. Arguments: the query or None, then the URL's holes."""

    async def perform(call: Call) -> Any:
        query, *holes = call.args
        return await _exchange(http, call, method, _with_query(address(call, holes), query))

    return RemoteVerb(perform, read_json)


def bare(http: HttpClient, method: str) -> RemoteVerb:
    """A verb that takes no `with`. Arguments: the URL's holes."""

    async def perform(call: Call) -> Any:
        return await _exchange(http, call, method, address(call, call.args))

    return RemoteVerb(perform, read_json)


async def _exchange(http: HttpClient, call: Call, method: str, url: str, body: Any = None) -> Any:
    try:
        request = _request(call, method, url, body)
    except (httpx.InvalidURL, ValueError) as error:
        raise StepFailure("unsendable", f"the request cannot be sent: {error}") from error
    return _result(call, await http.send(request))


def _request(call: Call, method: str, url: str, body: Any) -> httpx.Request:
    headers = {"User-Agent": "seta/0.1", "Idempotency-Key": call.key}
    if body is None:
        return httpx.Request(method, _url(url), headers=headers)
    headers["Content-Type"] = "application/json"
    return httpx.Request(method, _url(url), headers=headers, content=_encode(plain(body, absent=False)))


# The address --------------------------------------------------------------------------------------


def address(call: Call, holes: Iterable[object]) -> str:
    """Give the URL of a step from its literal, the configuration and the values of its holes.

    A setting at the start is the base: a host, host:port or URL; https where nothing says otherwise. Fails as
    `no_setting`, or as `bad_url` where a value would make it the address of something else.
    """
    url = ""
    values = iter(holes)
    for part in call.spec.literal:
        match part:
            case Setting(name):
                url += _setting(call.config, name, url)
            case Hole():
                url += _hole(next(values), url)
            case _:
                url = (url.removesuffix("/") if part.startswith("/") else url) + part
        url = url if "://" in url else f"https://{url}"
    return _within_folder(url)


def _setting(config: Mapping[str, str], name: str, before: str) -> str:
    value = config.get(name, "")
    if not value:
        raise StepFailure("no_setting", f"seta.toml has no `{name}` under [config]")
    if _WITH_HOST.match(before):
        return quote(value, safe="/")
    if before and "://" in value:
        scheme = value.partition("//")[0]
        raise StepFailure("bad_url", f"`config.{name}` begins with {scheme}//, but the flow has {before} before it")
    return value


def _hole(value: object, before: str) -> str:
    if not _WITH_HOST.match(before):
        raise StepFailure("bad_url", "a value may not choose the host")
    text = _written(value)
    if not text and "?" not in before:
        raise StepFailure("bad_url", "a value in the path of the URL is empty: it would call what is above it")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise StepFailure("bad_url", "a value in the URL is no text of Unicode") from error


def _within_folder(url: str) -> str:
    """Refuse `.` and `..`, which no encoding keeps from being taken as steps through folders (RFC 3986, 6.2.2.3)."""
    path, *_ = re.split("[?#]", url, maxsplit=1)
    if {".", ".."}.isdisjoint(path.split("/")):
        return url
    raise StepFailure("bad_url", "a value in the path of the URL is `.` or `..`: it would call what is above it")


def _with_query(url: str, query: object) -> str:
    if query is None:
        return url
    fields = plain(query, absent=False)
    if not isinstance(fields, Mapping):
        raise StepFailure("bad_url", "the query is not a record")
    pairs = [(name, _parameter(name, item)) for name, value in fields.items() for item in _items(value)]
    if not pairs:
        return url
    return url + ("&" if "?" in url else "?") + urlencode(pairs, quote_via=quote, safe="")


def _items(value: object) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if item is not None]


def _parameter(name: str, value: object) -> str:
    if isinstance(value, str | int | Decimal):
        return _written(value)
    raise StepFailure("bad_url", f"the query's `{name}` is neither text nor a number")


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else text_of(value)


# The result ---------------------------------------------------------------------------------------


def _result(call: Call, response: httpx.Response) -> Any:
    """Give the answer as the flow's type, or else as JSON, or else as text; None where it is empty."""
    content = response.content.removeprefix(b"\xef\xbb\xbf").strip()
    if call.spec.result is not None:
        return fitted(call.spec.result, content, "response_misfit", "the answer")
    if not content:
        return None
    try:
        return read_json(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError):
        return response.text
