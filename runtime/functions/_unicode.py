"""Unicode's normal forms, in time that grows as the text does."""

import re
from typing import Literal
from unicodedata import combining
from unicodedata import normalize as _normalize

_MOST = 30  # marks upon one letter: UAX #15, 13, Stream-Safe Text Format

# What may be a run of marks; the two letters are those that normalize to marks.
_SUSPECT = re.compile(rf"(?:[^\w\x00-\x7f]|[\uff9e\uff9f]){{{_MOST + 1},}}")


def normalized(form: Literal["NFC", "NFD", "NFKD"], text: str) -> str:
    """The text in a normal form, without what exceeds 30 marks upon one letter.

    Python sorts the marks upon a letter by insertion: a body of nothing else would hold it for hours.
    """
    return _normalize(form, _SUSPECT.sub(_shortened, text))


def _shortened(run: re.Match[str]) -> str:
    kept = []
    marks = 0
    for character in run[0]:
        parts = _normalize("NFKD", character)
        marks = marks + len(parts) if combining(parts[0]) else 0
        if marks <= _MOST:
            kept.append(character)
    return "".join(kept)
