"""capitalize_name: a person's name, however it was typed, as it is written."""

import re

from compiler.catalog import Example, Function, Param
from runtime.functions._unicode import normalized

SIGNATURE = Function(
    name="capitalize_name",
    params=(Param("name", "text"),),
    result="text",
    doc=(
        "Writes a person's name with capitals at the beginning of its words, also after a hyphen or an apostrophe, and "
        "one space between them. The particles da, das, de, do, dos and e stay small, unless they come first."
    ),
    rewrites=True,
    examples=(
        Example('capitalize_name("joão da silva")', gives='"João da Silva"'),
        Example('capitalize_name("  MARIA   DOS SANTOS E SOUZA ")', gives='"Maria dos Santos e Souza"'),
        Example('capitalize_name("ana-clara d\'ávila")', gives='"Ana-Clara D\'Ávila"'),
    ),
)

_PARTICLES = frozenset({"da", "das", "de", "do", "dos", "e"})
_WITHIN = re.compile("([-'\u2019])")


def capitalize_name(name: str) -> str:
    """The name as it is written in Portuguese. Idempotent."""
    words = normalized("NFC", name).lower().split()
    return " ".join(word if word in _PARTICLES and place else _capitalized(word) for place, word in enumerate(words))


def _capitalized(word: str) -> str:
    return "".join(part.capitalize() for part in _WITHIN.split(word))
