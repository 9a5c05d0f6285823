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

from runtime.door.forms import FIELDS, File, nested
from runtime.door.texts import UnreadableError, charset_of, read_text

_PIECE: Final = 65_536  # bytes that are parsed at a time

Wanted = Callable[[str], bool]


def read_parts(body: bytes, content_type: bytes, wanted: Wanted) -> dict[str, Any]:
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


def _fields(parser: Any, body: bytes, wanted: Wanted) -> Iterator[tuple[str, Any]]:
    part, content = None, _Content(keep=False)
    for event in _events(parser, body):
        if isinstance(event, MultipartSegment):
            part = event
            content = _Content(keep=part.filename is None or wanted(part.name))
        elif event is not None:
            content.take(event)
        elif part is not None and (part.filename != "" or content.size):
            yield part.name, _value(part, content)


def _events(parser: Any, body: bytes) -> Iterator[Any]:
    with parser:
        for start in range(0, len(body), _PIECE):
            yield from parser.parse(body[start : start + _PIECE])


class _Content:
    """The bytes of a part as they come: counted, and kept where that is asked for."""

    def __init__(self, *, keep: bool) -> None:
        self.size = 0
        self.kept: list[bytes] | None = [] if keep else None

    def take(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.kept is not None:
            self.kept.append(piece)


def _value(part: Any, content: _Content) -> Any:
    kept = None if content.kept is None else b"".join(content.kept)
    if part.filename is None:
        return read_text(kept or b"", charset_of((part.header("Content-Type") or "").encode()))
    file = File(name=part.filename, type=part.content_type or "application/octet-stream", size=content.size)
    return file if kept is None else File(file, base64=b64encode(kept).decode())
