"""Identifiers: of runs, of attempts that must be told apart, of arguments that must be the same."""

from hashlib import blake2b
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


def uuid7(milliseconds: int, random: bytes) -> str:
    """A UUID of version 7 (RFC 9562, 5.7) from a Unix time in ms and ten random bytes."""
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(random[:10])
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def idempotency_key(run_key: str, step: str) -> str:
    """The key that every attempt of a step hands to the other side."""
    return f"{run_key}-{blake2b(step.encode(), digest_size=8).hexdigest()}"


def digest(args: tuple[Any, ...]) -> bytes:
    """A hash of a step's arguments: on resume a difference says that the run has gone another way."""
    return blake2b(_encode(args), digest_size=16).digest()


def encode(value: Any) -> bytes:
    """JSON as records keep it: decimals are plain numbers."""
    return _encode(value)
