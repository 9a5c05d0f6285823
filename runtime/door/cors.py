"""What browsers ask before a page of another site may send a delivery and read the answer (CORS, the Fetch standard).

It protects nothing of ours: who is no browser sends what it likes.
"""

from typing import Final

import msgspec

from runtime.door.answers import Answer, Headers
from runtime.program import Program

_MAX_AGE: Final = b"7200"  # seconds that an answer is remembered: as long as Chromium does at most
_SERVER: Final = (b"server", b"seta")
_ALLOW: Final = (b"allow", b"GET, HEAD, OPTIONS, POST")


def preflight(program: Program, asked: Headers) -> Answer:
    """The answer to OPTIONS, yet to be made readable: what a page of the site that asks may send."""
    sendable = ", ".join(dict.fromkeys(("content-type", *program.headers, *_proving(program)))).encode()
    may: Headers = [
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", sendable),
        (b"access-control-max-age", _MAX_AGE),
    ]
    headers = [_SERVER, _ALLOW, *(may if _is_named(program, _origin(asked)) else ())]
    return Answer({"type": "http.response.start", "status": 204, "headers": headers}, b"")


def readable(program: Program, asked: Headers, answer: Answer) -> Answer:
    """An answer that the page that asked may read, where the flow names its site."""
    headers = [*answer.start["headers"], *_grant(program, asked)]
    return msgspec.structs.replace(answer, start={**answer.start, "headers": headers})


def _proving(program: Program) -> tuple[str, ...]:
    """The header in which a page may prove that it may call, where the flow's own text names or implies one."""
    guard = program.guard
    if guard is None:
        return ()
    header = "authorization" if guard.scheme == "basic" else str(guard.options.get("header", "")).lower()
    return (header,) if header else ()


def _grant(program: Program, asked: Headers) -> Headers:
    """The origin itself, never a list: browsers take one, and it has to be theirs."""
    origin = _origin(asked)
    if program.cors == ("*",):
        return [(b"access-control-allow-origin", b"*")]
    named = _is_named(program, origin)
    return [(b"vary", b"origin"), *([(b"access-control-allow-origin", origin)] if named else ())]


def _is_named(program: Program, origin: bytes) -> bool:
    return program.cors == ("*",) or origin.decode("latin-1") in program.cors


def _origin(asked: Headers) -> bytes:
    return dict(asked).get(b"origin", b"")
