"""The HMAC family as a table: which header, which bytes are signed, how the signature is written.

Every scheme that signs is a `Signature`, one row of that table; this is the only code that compares.
"""

import hmac
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, NamedTuple

from compiler.catalog import Param, Scheme
from runtime.schemes._call import Call
from runtime.schemes._lock import Denied, Lock, Make, Options, Secrets, is_one_of, keys

Encoding = Literal["hex", "base64", "base64url"]
Algorithm = Literal["sha1", "sha256", "sha512"]

SECRETS: Final = (
    Param("secret", "secret"),
    Param("old", "secret", required=False, doc="a second secret that is good too, while the first one replaces it"),
)
TOLERANCE: Final = Param(
    "tolerance", "duration", required=False, doc="how far the signed time may be from now; without it 5m"
)

_DEFAULT_TOLERANCE: Final = 5 * 60 * 1000  # ms
_MOST_SIGNATURES: Final = 10  # in one header
_TIMESTAMP: Final = re.compile(rb"[0-9]{1,15}")
_SECONDS_DIGITS: Final = 11  # one with more counts milliseconds: as seconds it would lie after the year 5000


class Written(NamedTuple):
    """What stands in the header of a signature."""

    signatures: tuple[bytes, ...]
    timestamp: bytes | None = None


class Seen(NamedTuple):
    """A request with what its headers say of it."""

    call: Call
    timestamp: bytes
    id: bytes


Part = Callable[[Seen], bytes | None]  # a piece of what is signed; None: the request does not have it


@dataclass(frozen=True, slots=True)
class Signature:
    """One row. Names of headers are in lower case; `signed` are the pieces that are put together and signed."""

    header: str
    signed: tuple[bytes | Part, ...]
    reads: Callable[[bytes], Written | None] = lambda value: Written((value,))
    encoding: Encoding = "hex"
    algorithm: Algorithm = "sha256"
    timestamp: str = ""
    id: str = ""
    key: Callable[[str], bytes] = str.encode

    def written(self, call: Call) -> tuple[Written, Seen] | Denied:
        """What a request says of itself, before anything is compared."""
        value = call.header(self.header.encode())
        timestamp = call.header(self.timestamp.encode()) if self.timestamp else b""
        known = call.header(self.id.encode()) if self.id else b""
        if value is None or timestamp is None or known is None:
            return Denied.ABSENT
        written = self.reads(value)
        if written is None or not 0 < len(written.signatures) <= _MOST_SIGNATURES:
            return Denied.MALFORMED
        return written, Seen(call, timestamp if written.timestamp is None else written.timestamp, known)

    def make(self, key: bytes, content: bytes) -> bytes:
        """The signature of some content, as it is compared."""
        return _encoded(hmac.digest(key, content, self.algorithm), self.encoding)

    def content(self, seen: Seen) -> bytes | None:
        """What is signed, or None where the request lacks a piece of it."""
        pieces = [piece if isinstance(piece, bytes) else piece(seen) for piece in self.signed]
        return None if None in pieces else b"".join(piece for piece in pieces if piece is not None)


# --- pieces of what is signed


def body(seen: Seen) -> bytes:
    """The body, as it came."""
    return bytes(seen.call.body)


def timestamp(seen: Seen) -> bytes:
    """The time that the sender says."""
    return seen.timestamp


def identifier(seen: Seen) -> bytes:
    """The id that the sender says."""
    return seen.id


def method(seen: Seen) -> bytes:
    """The method."""
    return seen.call.method


def url(seen: Seen) -> bytes:
    """The whole address as the sender called it."""
    return seen.call.url


def parameter(name: str, seen: Seen) -> bytes | None:
    """A parameter of the query, decoded."""
    found = seen.call.parameter(name)
    return None if found is None else found.encode(errors="replace")


# --- headers of signatures


def prefixed(prefix: str) -> Callable[[bytes], Written]:
    """One signature after a prefix, which a sender may leave out."""
    start = prefix.encode()
    return lambda value: Written((value.removeprefix(start),))


def pairs(time: bytes, mark: bytes, value: bytes) -> Written | None:
    """`t=…,v1=…,v1=…`: the time once, and any number of signatures."""
    found = [part.strip().partition(b"=") for part in value.split(b",")]
    times = [text for name, _, text in found if name == time]
    signatures = tuple(text for name, _, text in found if name == mark)
    return Written(signatures, times[0]) if len(times) == 1 else None


# --- secrets


def from_base64(secret: str) -> bytes:
    """A key that is written in base64, with its padding or without. Raises ValueError."""
    bare = secret.rstrip("=")
    try:
        return b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        raise ValueError("is not base64") from None


def from_hex(secret: str) -> bytes:
    """A key that is written in hexadecimal digits. Raises ValueError."""
    try:
        return bytes.fromhex(secret)
    except ValueError:
        raise ValueError("is not made of hexadecimal digits") from None


# --- asking


def signed(scheme: Scheme, *rows: Signature) -> Make:
    """Make locks of a scheme's rows: the first one whose header is in a request judges it."""
    timed = TOLERANCE in scheme.params

    def make(secrets: Secrets, options: Options) -> Lock:
        return lock(scheme.name, rows, secrets, tolerance_of(options) if timed else None)

    return make


def lock(name: str, rows: tuple[Signature, ...], secrets: Secrets, tolerance: int | None) -> Lock:
    """Give rows their secrets. Without a tolerance (ms) the time of a request does not matter. Raises SecretError."""
    known = keys(secrets, "secret", "old", read=rows[0].key)
    return Lock(partial(_denies, rows, known, tolerance), f'Signature scheme="{name}", header="{rows[0].header}"')


def tolerance_of(options: Options) -> int:
    """How far a signed time may be from now, in ms."""
    return int(options.get("tolerance", _DEFAULT_TOLERANCE))


def _denies(
    rows: tuple[Signature, ...], known: tuple[bytes, ...], tolerance: int | None, call: Call, now: int
) -> Denied | None:
    row = next((row for row in rows if call.header(row.header.encode()) is not None), rows[0])
    found = row.written(call)
    if isinstance(found, Denied):
        return found
    written, seen = found
    if tolerance is not None and (stale := _stale(seen.timestamp, now, tolerance)) is not None:
        return stale
    content = row.content(seen)
    if content is None:
        return Denied.ABSENT
    return None if _matches(row, known, written.signatures, content) else Denied.WRONG


def _stale(timestamp: bytes, now: int, tolerance: int) -> Denied | None:
    at = milliseconds(timestamp)
    if at is None:
        return Denied.MALFORMED
    return Denied.STALE if abs(now - at) > tolerance else None


def _matches(row: Signature, known: tuple[bytes, ...], signatures: tuple[bytes, ...], content: bytes) -> bool:
    """Whether any signature was made with any key. All are compared, each in constant time."""
    made = [row.make(key, content) for key in known]
    matches = [is_one_of(_plain(signature, row.encoding), made) for signature in signatures]
    return True in matches


def milliseconds(written: bytes) -> int | None:
    """A time since the epoch in seconds or milliseconds, which its length tells; None for what is no such time."""
    if not _TIMESTAMP.fullmatch(written):
        return None
    return int(written) * (1 if len(written) > _SECONDS_DIGITS else 1000)


def _encoded(digest: bytes, encoding: Encoding) -> bytes:
    match encoding:
        case "hex":
            return digest.hex().encode()
        case "base64":
            return b64encode(digest).rstrip(b"=")
        case "base64url":
            return urlsafe_b64encode(digest).rstrip(b"=")


def _plain(signature: bytes, encoding: Encoding) -> bytes:
    """A signature without what differs between senders: padding, and capitals of hexadecimal digits."""
    return signature.strip().lower() if encoding == "hex" else signature.strip().rstrip(b"=")
