"""slug: a text as a part of an address."""

from string import ascii_lowercase, digits
from unicodedata import combining

from compiler.catalog import Example, Function, Param
from runtime.functions._unicode import normalized

SIGNATURE = Function(
    name="slug",
    params=(Param("value", "text"),),
    result="text",
    doc=(
        "Writes the text in small ASCII letters and digits, without accents, with one hyphen between words. "
        "Nothing is left of a text that has neither."
    ),
    examples=(
        Example('slug("Promoção de Verão: 50% OFF!")', gives='"promocao-de-verao-50-off"'),
        Example('slug("  --  ")', gives='""'),
    ),
)

_KEPT = frozenset(ascii_lowercase + digits)


def slug(value: str) -> str:
    """Words of ASCII joined by hyphens. Idempotent."""
    marked = normalized("NFKD", value).casefold()
    return "-".join("".join(map(_plain, marked)).split())


def _plain(character: str) -> str:
    """The character, nothing for a mark upon the one before, or a gap."""
    if character in _KEPT:
        return character
    return "" if combining(character) else " "
