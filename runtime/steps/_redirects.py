"""Redirects, as many as a connection says: no effect is lost or done twice by them, and no secret goes elsewhere.

Like browsers do (https://fetch.spec.whatwg.org/#http-redirect-fetch), except where they guess: what they send again as
a GET without its body after 301, or again as it is to another host, is not sent.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

from runtime.connections.asking import Answer, Asks
from runtime.connections.ready import Web
from runtime.failures import Kind, StepFailure
from runtime.steps._address import origin

REDIRECTED: Final = ("redirect_limit", "redirect_loop", "redirect_refused")

_AS_IT_IS: Final = (307, 308)
_STATUSES: Final = (301, 302, 303, *_AS_IT_IS)
_ELSEWHERE: Final = ("accept", "accept-language", "user-agent")  # the headers that another origin gets


class Request(NamedTuple):
    """What is asked for."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = None


async def answered(http: Asks, web: Web, request: Request) -> Answer:
    """Give the answer where the redirects end; the connection's timeout covers them all.

    Raises StepFailure as `Asks.ask` does, and `redirect_limit`, `redirect_loop`, or `redirect_refused` for one that
    leads to no http or https address, from https to http, or to another origin with anything but a GET.
    """
    if not web.redirects:
        return await http.ask(*request, limit=web.limit, cap=web.cap)
    now = asyncio.get_running_loop().time
    end = now() + web.limit
    asked = [request]
    while True:
        with _told_of_the_effect(done=asked[-1].method != request.method):
            answer = await http.ask(*asked[-1], limit=_left(asked[-1], end - now()), cap=web.cap, also=_STATUSES)
        if answer.is_success:
            return answer
        following = _following(http, asked[-1], answer)
        if any(following[:2] == one[:2] for one in asked):
            raise StepFailure("redirect_loop", f"{_host(request)} redirects in a circle")
        if len(asked) > web.redirects:
            raise StepFailure("redirect_limit", f"{_host(request)} redirects more than {web.redirects} times")
        asked.append(following)


def _following(http: Asks, request: Request, answer: Answer) -> Request:
    """What a redirect asks for."""
    method, location = request.method, answer.headers.get("Location", "")
    if not location:
        raise http.refusal(request.url, answer, answer.text)
    if answer.status not in _AS_IT_IS and method != "GET":
        if not (answer.status == 303 or (answer.status == 302 and method == "POST")):
            why = f"a {method} is not sent again to where that points: give the step the new address"
            raise http.refusal(request.url, answer, why)
        method = "GET"
    url = _target(request, location)
    same, content = origin(url) == origin(request.url), request.content if method == request.method else None
    if not same and method != "GET":
        raise _refused(request, f"to another host, {urlsplit(url).netloc}, which is not sent a {method}")
    return Request(method, url, _kept(request, method, same=same), content)


def _target(request: Request, location: str) -> str:
    """The absolute address that a redirect points to."""
    try:
        url = urldefrag(urljoin(request.url, location)).url
        scheme, *_ = origin(url)
    except (StepFailure, ValueError) as error:
        raise _refused(request, "to what is no http or https URL with a plain host") from error
    if scheme == "http" and origin(request.url)[0] == "https":
        raise _refused(request, "from https to http")
    return url


def _kept(request: Request, method: str, *, same: bool) -> Mapping[str, str]:
    """The headers that go along: what signs in and the key stay with the first origin, and the key with its effect."""
    if not same:
        return {name: value for name, value in request.headers.items() if name.lower() in _ELSEWHERE}
    if method == request.method:
        return request.headers
    return {name: value for name, value in request.headers.items() if name not in ("Content-Type", "Idempotency-Key")}


@contextmanager
def _told_of_the_effect(*, done: bool) -> Iterator[None]:
    """After a redirect to its result an effect is done: a failure on the way there does not prove the contrary."""
    try:
        yield
    except StepFailure as failure:
        if done and failure.kind in (Kind.NOT_DONE, Kind.HELD):
            failure.kind = Kind.TRANSIENT
        raise


def _left(request: Request, seconds: float) -> float:
    if seconds <= 0:
        raise StepFailure("no_answer", f"no answer from {_host(request)}: it took too long", Kind.TRANSIENT)
    return seconds


def _refused(request: Request, what: str) -> StepFailure:
    return StepFailure("redirect_refused", f"{_host(request)} redirects {what}")


def _host(request: Request) -> str:
    return urlsplit(request.url).netloc
