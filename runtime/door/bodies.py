"""From the bytes of a body to a payload: whether it is JSON at all, is harmless, and fits.

The screens are cheap and err on the side of suspicion; only a suspect pays for the exact check.
"""

import re
from typing import Final

import msgspec

from runtime.shapes import DEPTH, Decoded, NotJsonError, Shape, check_unique_keys, is_deep

_SPACE: Final = b" \t\r\n"
_OPENING: Final = (b"{", b"[")
_PAIR: Final = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_SHORT_ESCAPES: Final = frozenset('"\\/\b\f\n\r\t')


class Screen(msgspec.Struct, frozen=True):
    """What makes a body a suspect of having one of a payload's keys twice."""

    keys: tuple[bytes, ...]  # each as JSON writes it, with its quotes
    escapes: re.Pattern[bytes]  # of the keys' own characters: a key may be written with them

    @classmethod
    def of(cls, shape: Shape) -> "Screen":
        """Make the screen for a payload."""
        keys = tuple(map(msgspec.json.encode, shape.keys))
        return cls(keys, _escapes_of(frozenset().union(*shape.keys)))

    def suspects(self, body: bytes) -> bool:
        """Whether a key may be there twice, as it is."""
        count = body.count
        for key in self.keys:  # noqa: SIM110  # a generator would cost more than the counting
            if count(key) > 1:
                return True
        return False


def _escapes_of(characters: frozenset[str]) -> re.Pattern[bytes]:
    units = {character.encode("utf-16-be")[:2].hex().encode() for character in characters}
    long = rb"\\u(?i:" + b"|".join(sorted(units)) + rb")"
    return re.compile(long + rb"|\\[^u]" if characters & _SHORT_ESCAPES else long)


def opens_as_json(body: bytes) -> bool:
    """Whether a body begins as JSON objects and arrays do."""
    return body[:1] in _OPENING or body.lstrip(_SPACE)[:1] in _OPENING


def decode(shape: Shape, screen: Screen, body: bytes) -> Decoded:
    """Read a body, whatever its Content-Type says, if it begins as JSON objects and arrays do.

    Raises NotJsonError, whose message is a sentence for the sender and says what to do, or MisfitError with every
    problem there is.
    """
    if not opens_as_json(body):
        raise NotJsonError(_what_came(body))
    try:
        _check(screen, body)
        return shape.decode(body)
    except UnicodeDecodeError as error:
        raise NotJsonError(f"It cannot be read: byte {error.start} is not UTF-8.") from error
    except NotJsonError as error:
        raise NotJsonError(f"It cannot be read: {error}.") from error


def _check(screen: Screen, body: bytes) -> None:
    """Refuse what would exhaust a decoder's stack, and what it lets pass: keys twice, parts that it skips."""
    body.decode()  # UTF-8 to the end
    if is_deep(body):
        raise NotJsonError(f"arrays and objects are nested more than {DEPTH} deep")
    suspect = screen.suspects(body)
    if b"\\" in body:
        suspect = suspect or screen.escapes.search(body) is not None
        if _has_lone_surrogate(body):
            raise NotJsonError("an escape such as \\ud800 stands alone, and means no character")
    if suspect:
        check_unique_keys(body)


def _has_lone_surrogate(body: bytes) -> bool:
    if _SURROGATE.search(body) is None:
        return False
    unescaped = body.replace(b"\\\\", b"")
    return _SURROGATE.search(_PAIR.sub(b"", unescaped)) is not None


def _what_came(body: bytes) -> str:
    """Say what a body is that does not begin as JSON objects and arrays do, and what to send."""
    start = body.lstrip(_SPACE)
    if not start:
        return "It is empty. Send a JSON object."
    if start.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return "It begins with a byte order mark. Send UTF-8 without one."
    if start.startswith(b"<"):
        return "It looks like XML or HTML. Send a JSON object."
    return "It is neither an object nor an array: its first character is not { or [. Send a JSON object."
