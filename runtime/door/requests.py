"""What of a request, beside its body, a plan reads: the headers and query parameters that it names, and no others."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl

from runtime.door.answers import PARAMETERS, Refused
from runtime.program import NO_REQUEST, Program, Request

Listed = list[tuple[bytes, bytes]]

_PARAMETERS: Final = 1000
_FORM: Final = replace(NO_REQUEST, form=True)


def request_of(program: Program, scope: Mapping[str, Any], *, form: bool = False) -> Request:
    """Take what the plan names. A header that comes several times is one, with commas (RFC 9110, 5.3)."""
    if not program.headers and not program.query:
        return _FORM if form else NO_REQUEST
    return Request(_headers(program.headers, scope["headers"]), _query(program.query, scope["query_string"]), form)


def _headers(names: tuple[str, ...], listed: Listed) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw, value in listed:
        name = raw.decode("latin-1").lower()
        if name in names:
            text = _text(value)
            found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _text(value: bytes) -> str:
    """Read a header as UTF-8, which many send, else as the standard has it."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _query(names: tuple[str, ...], query: bytes) -> dict[str, str]:
    """The first of each parameter counts. Raises Refused for more of them than any sender needs."""
    found: dict[str, str] = {}
    if not names or not query:
        return found
    try:
        pairs = parse_qsl(query.decode(errors="replace"), keep_blank_values=True, max_num_fields=_PARAMETERS)
    except ValueError:
        raise Refused(PARAMETERS) from None
    for name, value in pairs:
        if name in names:
            found.setdefault(name, value)
    return found
