"""sha256: the fingerprint of a text."""

import hashlib

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="sha256",
    params=(Param("value", "text"),),
    result="text",
    doc=(
        "Gives the SHA-256 of the text in UTF-8, as 64 hexadecimal digits. Personal data stays personal: phones and "
        "documents are so few that their fingerprints can be looked up."
    ),
    examples=(
        Example('sha256("abc")', gives='"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"'),
        Example('sha256("")', gives='"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"'),
    ),
)


def sha256(value: str) -> str:
    """The SHA-256 (FIPS 180-4) in small hexadecimal digits."""
    return hashlib.sha256(value.encode()).hexdigest()
