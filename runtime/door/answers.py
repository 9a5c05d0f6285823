"""What a sender is told. Whatever never changes is built once; nothing a sender wrote is repeated to anyone."""

from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import Any, Final

import msgspec

from runtime.engine.answers import Answered
from runtime.shapes import MOST_PROBLEMS, Problem

Headers = list[tuple[bytes, bytes]]

PROBLEMS_SHOWN: Final = 100  # of a body that does not fit; an answer is bounded, whatever the body


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A whole answer: ASGI's message of status and headers, and the body."""

    start: dict[str, Any]
    body: bytes


class Refused(Exception):  # noqa: N818  # what happened to a delivery, not a fault of the code
    """A delivery is not accepted, and this is the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


_SERVER: Final = (b"server", b"seta")
_NO_STORE: Final = (b"cache-control", b"no-store")
_CLOSE: Final = (b"connection", b"close")
_JSON: Final = (b"content-type", b"application/json")
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_NO_SNIFF: Final = (b"x-content-type-options", b"nosniff")
_PROBLEM: Final = (b"content-type", b"application/problem+json")
_BODILESS: Final = (204, 304)


def _start(status: int, headers: Headers) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


_ACCEPTED: Final = _start(200, [_SERVER, _JSON])


def accepted(run_id: str) -> Answer:
    """Say that the delivery is on disk, as this run."""
    return Answer(_ACCEPTED, b'{"run":"' + run_id.encode() + b'"}')


_LATER: Final = _start(202, [_SERVER, _JSON])


def later(run_id: str) -> Answer:
    """Say that the delivery is on disk and its flow goes on, but has not answered in time."""
    return Answer(_LATER, b'{"run":"' + run_id.encode() + b'"}')


def flow(answered: Answered) -> Answer:
    """Give what a flow answers: JSON, or nothing."""
    if not answered.body or answered.status in _BODILESS:
        return Answer(_start(answered.status, [_SERVER]), b"")
    return Answer(_start(answered.status, [_SERVER, _JSON]), answered.body)


def failed(flow: str, run_id: str) -> Answer:
    """Say that a run has ended without an answer. Why is for who owns the flow: it may hold what is personal."""
    return problem(
        500,
        "failed",
        "The flow failed before it could answer",
        "The delivery is kept as this run: do not send it again, ask the owner of the flow.",
        flow=flow,
        run=run_id,
    )


def document(status: int, value: Any) -> Answer:
    """Give a JSON document."""
    return Answer(_start(status, [_SERVER, _JSON, _NO_STORE]), msgspec.json.encode(value))


def text(said: bytes) -> Answer:
    """Give plain text."""
    return Answer(_start(200, [_SERVER, _TEXT, _NO_SNIFF]), said)


def problem(
    status: int, name: str, title: str, detail: str, headers: Iterable[tuple[bytes, bytes]] = (), **members: Any
) -> Answer:
    """Give a problem as RFC 9457 has it: `title` says what is wrong, `detail` where, and what to do."""
    told = {"type": f"urn:seta:problem:{name}", "title": title, "status": status, "detail": detail, **members}
    return Answer(_start(status, [_SERVER, _PROBLEM, *headers]), msgspec.json.encode(told))


def _allow(*methods: str) -> list[tuple[bytes, bytes]]:
    return [(b"allow", ", ".join(methods).encode())]


class Later:
    """One refusal that asks to come back, with pauses that differ, so that senders do not come all at once."""

    def __init__(self, status: int, name: str, title: str, detail: str, pauses: Sequence[int]) -> None:
        answers = [
            problem(status, name, title, detail, headers=[(b"retry-after", b"%d" % pause), _CLOSE]) for pause in pauses
        ]
        self.first = answers[0]
        self._answers = cycle(answers)

    def __call__(self) -> Answer:
        """Give the next of the answers."""
        return next(self._answers)


NOT_FOUND: Final = problem(
    404,
    "not-found",
    "Nothing is served at this address",
    "Compare the whole URL, to its last character, with what `seta urls` prints.",
)
GONE: Final = problem(
    410,
    "gone",
    "Nothing is served at this address any more",
    "Its flow was removed or has another address: ask who owns it, and send nothing more here. Nothing was stored.",
)


def _post_only(*methods: str) -> Answer:
    return problem(
        405,
        "method",
        "A webhook takes POST",
        "The address is right: send it a POST request. Nothing was stored.",
        headers=_allow(*methods),
    )


POST_ONLY: Final = _post_only("GET", "HEAD", "POST")
POST_OR_ASK: Final = _post_only("GET", "HEAD", "OPTIONS", "POST")
GET_ONLY: Final = problem(
    405,
    "method",
    "This address takes GET",
    "It says whether the server is well. Webhooks have addresses of their own.",
    headers=_allow("GET", "HEAD"),
)
TARGET_BYTES: Final = 16_384
HEADERS_BYTES: Final = 32_768
LONG_TARGET: Final = problem(
    414,
    "long-target",
    "The address is too long",
    f"Path and query may have {TARGET_BYTES:,} bytes: send what is long in the body. Nothing was stored.",
    headers=[_CLOSE],
)
LARGE_HEADERS: Final = problem(
    431,
    "large-headers",
    "The headers are too large",
    f"Together they may have {HEADERS_BYTES:,} bytes: leave out cookies and whatever nobody reads. Nothing was stored.",
    headers=[_CLOSE],
)
ENCODED: Final = problem(
    415,
    "encoded",
    "Encoded bodies are not accepted",
    "Send the body as it is: no Content-Encoding, and no Transfer-Encoding but chunked. Nothing was stored.",
    headers=[_CLOSE],
)
AMBIGUOUS: Final = problem(
    400,
    "ambiguous-length",
    "The length of the body is ambiguous",
    "Send either Content-Length or Transfer-Encoding, not both. Nothing was stored.",
    headers=[_CLOSE],
)
NO_LENGTH: Final = problem(
    400,
    "no-length",
    "Content-Length is not a number",
    "Leave that header to what sends the body. Nothing was stored.",
    headers=[_CLOSE],
)
PARAMETERS: Final = problem(
    400,
    "parameters",
    "The query has too many parameters",
    "Send at most 1000. Nothing was stored.",
)
WRONG_TOKEN: Final = problem(
    403,
    "wrong-token",
    "The verify token is not the one of this webhook",
    "Compare it with the secret that the flow names. Nothing was stored.",
)
BROKEN: Final = problem(
    400,
    "broken-body",
    "The body broke off",
    "It ended too early, or its chunks were malformed. Nothing was stored: send it again.",
    headers=[_CLOSE],
)
FAULT: Final = problem(
    500,
    "fault",
    "The server made a mistake",
    "Its log says more. Whether the delivery was stored is not known: send it again.",
    headers=[_CLOSE],
)
DISK_FULL: Final = problem(
    507,
    "disk-full",
    "There is no room to keep the delivery",
    "The server's disk is nearly full. Nothing was stored: send it again once there is room.",
    headers=[(b"retry-after", b"60"), _CLOSE],
)

_PAUSES: Final = (2, 5, 3, 6, 4)
draining: Final = Later(
    503,
    "draining",
    "The server is stopping",
    "Nothing was stored: send it again in some seconds.",
    _PAUSES,
)
crowded: Final = Later(
    503,
    "crowded",
    "Too many bodies at once",
    "The memory for bodies is used up. Nothing was stored: send it again in some seconds.",
    _PAUSES,
)
unwell: Final = Later(
    503,
    "journal",
    "The delivery could not be stored",
    "The server cannot write to its disk now. Nothing was stored: send it again in some seconds.",
    _PAUSES,
)


def unauthorized(asks: str, challenge: str) -> Answer:
    """Say what a delivery needs, and nothing of what was wrong with this one: only its sender may find that out."""
    return problem(
        401,
        "unauthorized",
        "The delivery does not prove who sent it",
        f"This webhook wants {asks}. Compare the secret, and the clock where a time is signed. Nothing was stored.",
        headers=[(b"www-authenticate", challenge.encode())],
    )


def too_large(flow: str, limit: int) -> Answer:
    """Say that the body has more bytes than its flow takes."""
    return problem(
        413,
        "too-large",
        "The body is too large",
        f"The flow {flow} takes {limit:,} bytes at most; its clause `limit` can raise that. Nothing was stored.",
        headers=[_CLOSE],
    )


def too_many(flow: str, pause: int) -> Answer:
    """Say that deliveries come faster than is agreed, and after how many seconds to come again."""
    return problem(
        429,
        "too-many",
        "Too many deliveries",
        f"They come faster than the flow {flow} is set to take them. Nothing was stored: send it again in {pause} s.",
        headers=[(b"retry-after", b"%d" % pause), _CLOSE],
    )


def too_slow(seconds: float) -> Answer:
    """Say that the body did not come in time."""
    return problem(
        408,
        "too-slow",
        "The body came too slowly",
        f"It has to be here {seconds:g} s after the headers. Nothing was stored: send it again.",
        headers=[_CLOSE],
    )


_KINDS: Final = {"json": "JSON", "form": "a form", "multipart": "a form of several parts", "text": "text"}


def unreadable(flow: str, kind: str, why: str) -> Answer:
    """Say that the body is not what its kind has to be: `why` is a sentence, and another one that says what to do."""
    return problem(
        400,
        f"not-{kind}",
        f"The body is not {_KINDS[kind]}",
        f"{why} Nothing was stored.",
        flow=flow,
    )


# What a sender sends of each kind that a flow takes.
_TO_SEND: Final = {
    "json": ("a JSON object", "application/json"),
    "form": ("a form", "application/x-www-form-urlencoded"),
    "multipart": ("a form with files", "multipart/form-data"),
    "text": ("text", "text/plain"),
}


def _sendable(accept: Sequence[str]) -> str:
    return " or ".join(f"{what} ({media})" for what, media in (_TO_SEND[kind] for kind in accept))


def media_types(accept: Sequence[str]) -> tuple[str, ...]:
    """The media types of the kinds that a flow takes."""
    return tuple(_TO_SEND[kind][1] for kind in accept)


def webhook(flow: str, accept: Sequence[str]) -> Answer:
    """Say to a person, or to a sender that probes, that a webhook is here and what it takes."""
    told = {
        "schema": "seta.hook/1",
        "flow": flow,
        "method": "POST",
        "accept": media_types(accept),
        "detail": f"This is a webhook: send it {_sendable(accept)} with POST. Nothing was stored.",
    }
    return document(200, told)


def unaccepted(flow: str, kind: str, accept: Sequence[str]) -> Answer:
    """Say that the flow does not take bodies of this kind, and which it takes."""
    return problem(
        415,
        "unaccepted",
        "The flow does not take such bodies",
        f"It is {'neither JSON nor a form' if kind == 'text' else _KINDS[kind]}: send {_sendable(accept)}."
        " The flow's clause `accept` says what it takes. Nothing was stored.",
        headers=[(b"accept", ", ".join(media_types(accept)).encode())],
        flow=flow,
        accept=list(accept),
    )


def misfit(flow: str, problems: Sequence[Problem]) -> Answer:
    """Say where the body is not what its flow declares: every place, up to a hundred."""
    first = problems[0]
    where = first.pointer or "the body itself"
    least = "at least " if len(problems) >= MOST_PROBLEMS else ""
    more = f" (and {least}{len(problems) - 1} more)" if len(problems) > 1 else ""
    told = [{"pointer": one.pointer, "expected": one.expected, "got": one.got} for one in problems[:PROBLEMS_SHOWN]]
    return problem(
        422,
        "misfit",
        "The body does not fit the flow",
        f"At {where}: expected {first.expected}, got {first.got}{more}."
        " No run was started: send it again with every problem mended.",
        flow=flow,
        problems=told,
    )
