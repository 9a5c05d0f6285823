"""without_accents: a text for systems that know plain letters only."""

import re

from compiler.catalog import Example, Function, Param
from runtime.functions._unicode import normalized

SIGNATURE = Function(
    name="without_accents",
    params=(Param("value", "text"),),
    result="text",
    doc=(
        "Gives the text with plain letters in place of letters with accents, cedilla or tilde. Letters that are no "
        "others with a mark, such as ß and ø, stay."
    ),
    rewrites=True,
    examples=(
        Example('without_accents("João Conceição")', gives='"Joao Conceicao"'),
        Example('without_accents("Ünal Ørsted")', gives='"Unal Ørsted"'),
    ),
)

_MARKS = re.compile("[\u0300-\u036f]+")  # Unicode's block of combining diacritical marks


def without_accents(value: str) -> str:
    """The text without diacritical marks, in NFC. Idempotent."""
    return normalized("NFC", _MARKS.sub("", normalized("NFD", value)))
