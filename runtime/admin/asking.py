"""What is asked of the admin address: fields of a query and a small body, checked; and how it is refused."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

from runtime.admin.documents import LIST_LIMIT, Refusal

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Query = Mapping[str, str]
Document = tuple[int, Any]  # status, and what is encoded as JSON, or a Text


class Text(NamedTuple):
    """What is given as it is, under a media type of its own."""

    media: str
    body: bytes


MOST_ROWS: Final = 10_000  # of one list
LATEST: Final = 253_402_300_799_999  # ms since the Unix epoch: the end of the year 9999

_MOST_FIELDS: Final = 20
_MOST_BYTES: Final = 1 << 20  # of what is sent with a change


class BadRequestError(Exception):
    """The call was wrong; the message says how."""


def refusal(status: HTTPStatus, detail: str, ids: list[str] | None = None) -> Document:
    """Say why something is not done."""
    return status.value, Refusal(
        type="about:blank", title=status.phrase, status=status.value, detail=detail, ids=ids or []
    )


def query_of(raw: bytes) -> Query:
    """The fields of a query. Raises BadRequestError."""
    try:
        parsed = parse_qs(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise BadRequestError(f"there are more than {_MOST_FIELDS} fields in the query") from error
    return {name: values[-1] for name, values in parsed.items()}


def limit(query: Query) -> int:
    """How many rows a list may have. Raises BadRequestError."""
    found = number(query, "limit", MOST_ROWS)
    return LIST_LIMIT if found is None else found


def number(query: Query, name: str, most: int) -> int | None:
    """A field that is a number, or None where it is not there. Raises BadRequestError."""
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 17 and 1 <= int(text) <= most):
        raise BadRequestError(f"{name} is a number from 1 to {most}")
    return int(text)


async def body_of(receive: Receive) -> bytes:
    """All that is sent with a request. Raises BadRequestError for too much."""
    parts, more = bytearray(), True
    while more:
        message = await receive()
        parts += message.get("body", b"")
        more = message.get("more_body", False)
        if len(parts) > _MOST_BYTES:
            raise BadRequestError(f"more than {_MOST_BYTES} bytes were sent")
    return bytes(parts)
