"""md5: the fingerprint that older APIs ask for."""

import hashlib

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="md5",
    params=(Param("value", "text"),),
    result="text",
    doc=(
        "Gives the MD5 of the text in UTF-8, as 32 hexadecimal digits, for APIs that ask for it. It is not for "
        "security: two texts with the same MD5 are easily made. Use `sha256` or `hmac_sha256` where you may choose."
    ),
    examples=(
        Example('md5("abc")', gives='"900150983cd24fb0d6963f7d28e17f72"'),
        Example('md5("")', gives='"d41d8cd98f00b204e9800998ecf8427e"'),
    ),
)


def md5(value: str) -> str:
    """The MD5 (RFC 1321) in small hexadecimal digits."""
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()
