"""What the HTTP verbs share: the request and the result."""

from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from runtime.connections.asking import Answer, Asks
from runtime.connections.declared import Encoding
from runtime.connections.ready import Web, untold
from runtime.context import Call, RemoteVerb
from runtime.failures import StepFailure
from runtime.shapes import read_json
from runtime.steps._address import address, fields_of, with_query
from runtime.steps._plain import plain
from runtime.steps._redirects import REDIRECTED, Request, answered
from runtime.steps._results import fitted

FAILURES: Final = (
    "address_refused",
    "bad_body",
    "bad_url",
    "connect",
    "http_STATUS",
    "no_answer",
    "no_connection",
    "no_setting",
    "other_host",
    *REDIRECTED,
    "response_encoding",
    "response_misfit",
    "response_too_large",
    "unsendable",
)

_encode = msgspec.json.Encoder(decimal_format="number").encode


# The verbs ----------------------------------------------------------------------------------------


def sending(http: Asks, web: Web, method: str) -> RemoteVerb:
    """A verb whose `with` is the body. Arguments: the body or None, then the URL's holes."""

    async def perform(call: Call) -> Any:
        body, *holes = call.args
        return await _exchange(http, web, call, method, address(call, holes, web), body)

    return RemoteVerb(perform, read_json)


def asking(http: Asks, web: Web, method: str) -> RemoteVerb:
    """A verb whose `with` is the query. Arguments: the query or None, then the URL's holes."""

    async def perform(call: Call) -> Any:
        query, *holes = call.args
        return await _exchange(http, web, call, method, with_query(address(call, holes, web), query))

    return RemoteVerb(perform, read_json)


def bare(http: Asks, web: Web, method: str) -> RemoteVerb:
    """A verb that takes no `with`. Arguments: the URL's holes."""

    async def perform(call: Call) -> Any:
        return await _exchange(http, web, call, method, address(call, call.args, web))

    return RemoteVerb(perform, read_json)


async def _exchange(  # noqa: PLR0913, PLR0917  # what makes a request
    http: Asks, web: Web, call: Call, method: str, url: str, body: Any = None
) -> Any:
    headers = {**web.headers, "Idempotency-Key": call.key}
    content = None
    if body is not None:
        headers["Content-Type"] = web.content_type
        content = _encoded(web.encoding, body)
    with untold(web.hidden):
        answer = await answered(http, web, Request(method, url, headers, content))
    return _result(call, answer)


def _encoded(encoding: Encoding, body: Any) -> bytes:
    """The bytes of a body. Fails as `bad_body` where the encoding has no way to say it."""
    try:
        match encoding:
            case "json":
                return _encode(plain(body, absent=False))
            case "form":
                return urlencode(fields_of(body, "bad_body", "the form")).encode()
            case "text":
                if not isinstance(body, str):
                    raise StepFailure("bad_body", "the connection sends text, and this is none")
                return body.encode()
    except UnicodeEncodeError as error:
        raise StepFailure("unsendable", f"the request cannot be sent: {error}") from error


# The result ---------------------------------------------------------------------------------------


def _result(call: Call, answer: Answer) -> Any:
    """Give the answer as the flow's type, or else as JSON, or else as text; None where it is empty."""
    content = answer.content.removeprefix(b"\xef\xbb\xbf").strip()
    if call.spec.result is not None:
        return fitted(call.spec.result, content, "response_misfit", "the answer")
    if not content:
        return None
    try:
        return read_json(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError):
        return answer.text
