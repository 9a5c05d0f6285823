"""multipart/form-data: fields as of any form, files as records of what is said of them.

The content of a file is looked at and let go, unless the flow declares that it takes it.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, Final

from multipart import (  # type: ignore[import-untyped]  # it has types, and does not announce them
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from runtime.door.arriving import Content
from runtime.door.forms import FIELDS, File, nested
from runtime.door.texts import UnreadableError, charset_of, decoded

_PIECE: Final = 65_536  # bytes that are parsed at a time

Wanted = Callable[[str], bool]


def read_parts(body: Content, content_type: bytes, wanted: Wanted) -> dict[str, Any]:
    """The fields and files of a form of several parts, nested as their names say.

    A file is `{name, type, size}`, with its content as `base64` where `wanted` says so of its field's name. A field
    for files that was left empty is none. Raises UnreadableError.
    """
    boundary = parse_options_header(content_type.decode("latin-1"))[1].get("boundary")
    if not boundary:
        raise UnreadableError("Its content type names no boundary. Leave that header to what makes the form.")
    try:
        return nested(_fields(PushMultipartParser(boundary, max_segment_count=FIELDS), body, wanted))
    except MultipartError as error:
        raise UnreadableError(
            f"It is cut short, has more than {FIELDS} parts, or they are not as multipart/form-data has them."
        ) from error


def _fields(parser: Any, body: Content, wanted: Wanted) -> Iterator[tuple[str, Any]]:
    part, content = None, _Counted()
    for event in _events(parser, body):
        if isinstance(event, MultipartSegment):
            part = event
            content = _Content() if part.filename is None else _Encoded() if wanted(part.name) else _Counted()
        elif event is not None:
            content.take(event)
        elif part is not None and (part.filename != "" or content.size):
            yield part.name, _value(part, content)


def _events(parser: Any, body: Content) -> Iterator[Any]:
    with parser:
        for start in range(0, len(body), _PIECE):
            yield from parser.parse(body[start : start + _PIECE])


class _Counted:
    """The bytes of a part as they come: counted and let go."""

    def __init__(self) -> None:
        self.size = 0

    def take(self, piece: bytes) -> None:
        self.size += len(piece)


class _Content(_Counted):
    """Bytes that are kept as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = bytearray()

    def take(self, piece: bytes) -> None:
        super().take(piece)
        self.kept += piece


class _Encoded(_Counted):
    """Bytes that are kept in base64: each three are four characters, and the rest waits for more."""

    def __init__(self) -> None:
        super().__init__()
        self._kept = bytearray()
        self._rest = b""

    def take(self, piece: bytes) -> None:
        super().take(piece)
        waiting = self._rest + piece
        whole = len(waiting) - len(waiting) % 3
        self._kept += b64encode(waiting[:whole])
        self._rest = waiting[whole:]

    def text(self) -> str:
        return (self._kept + b64encode(self._rest)).decode()


def _value(part: Any, content: _Counted) -> Any:
    match content:
        case _Content(kept=kept):
            return decoded(bytes(kept), charset_of((part.header("Content-Type") or "").encode()))
        case _Encoded():
            return _file(part, content, base64=content.text())
        case _:
            return _file(part, content)


def _file(part: Any, content: _Counted, **more: str) -> File:
    return File(name=part.filename, type=part.content_type or "application/octet-stream", size=content.size, **more)
