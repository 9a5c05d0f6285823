"""Bodies as text: in UTF-8, or in what old systems still say that they send."""

import re
from typing import Final

UTF_8: Final = "UTF-8"

# Names of character sets, as senders write them, and what they are here. WHATWG reads Latin 1 as Windows 1252 does.
_KNOWN: Final = {
    "utf-8": UTF_8,
    "utf8": UTF_8,
    "us-ascii": UTF_8,
    "iso-8859-1": "Windows-1252",
    "latin1": "Windows-1252",
    "windows-1252": "Windows-1252",
}
_CHARSET: Final = re.compile(rb';\s*charset\s*=\s*"?([^\s";]+)', re.IGNORECASE)


class UnreadableError(Exception):
    """A body is not what it is said to be; the message is a sentence for the sender."""


def charset_of(content_type: bytes) -> str:
    """The character set that a content type names; UTF-8 where it names none. Raises UnreadableError for others."""
    said = _CHARSET.search(content_type)
    if said is None:
        return UTF_8
    known = _KNOWN.get(said[1].decode("latin-1").lower())
    if known is None:
        raise UnreadableError("Its character set is none that is read here. Send UTF-8.")
    return known


def read_text(body: bytes, charset: str) -> str:
    """The text of a body, without a byte order mark. Raises UnreadableError."""
    return decoded(body, charset).removeprefix("\ufeff")


def decoded(body: bytes, charset: str) -> str:
    """The text of a part of a body, as it stands there. Raises UnreadableError."""
    try:
        return body.decode(charset)
    except UnicodeDecodeError as error:
        raise UnreadableError(f"Its byte {error.start} is not {charset}. Send UTF-8.") from None
