"""Patterns such as dd/MM/yyyy HH:mm, to write and to read dates and times by.

The fields are those of Unicode TS 35 (https://www.unicode.org/reports/tr35/tr35-dates.html), as in Java and in
spreadsheets: only the numeric ones, which mean the same in every language.
"""

import re
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime

from runtime.failures import StepFailure

DATE = "yMd"
DATE_AND_TIME = "yMdHmsS"
OFFSET = "X"
FIELDS = "yyyy, yy, MM, M, dd, d, HH, H, mm, ss, SSS and XXX; other letters stand in single quotes"
ISO_DATE = "yyyy-MM-dd"

_LONGEST = 100  # characters of a pattern; no text that is read by one has twice as many
_PIECE = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<field>([a-zA-Z])\3*)|(?P<plain>[^a-zA-Z'])")


@dataclass(frozen=True, slots=True)
class Piece:
    """A field of a pattern, such as `yyyy`, or the text between fields."""

    text: str
    field: bool


def write(pattern: str, at: datetime, letters: str) -> str:
    """Write a time by a pattern whose fields may be of these letters; raises StepFailure `bad_pattern`."""
    return "".join(_WRITTEN[p.text](at) if p.field else p.text for p in _pieces(pattern, letters, _WRITTEN))


def read(pattern: str, text: str, letters: str, failure: str) -> datetime:
    """Read a text, spaces around it allowed, by a pattern; what the pattern does not have is the least there is.

    Raises StepFailure with the code `failure` where the text does not fit, and `bad_pattern`.
    """
    pieces = _pieces(pattern, letters, _WIDTHS)
    _check_readable(pieces)
    fields = _fields(pieces, text.strip(), failure)
    get = fields.get
    try:
        return datetime(  # noqa: DTZ001  # no zone is known here
            fields["y"], fields["M"], fields["d"], get("H", 0), get("m", 0), get("s", 0), get("S", 0) * 1000
        )
    except ValueError as error:
        raise StepFailure(failure, "the calendar or the clock has no such date or time") from error


def _fields(pieces: list[Piece], text: str, failure: str) -> dict[str, int]:
    """The number of each field, by its letter."""
    found: dict[str, int] = {}
    rest = text[: 2 * _LONGEST]
    for piece in pieces:
        least, most = _WIDTHS[piece.text] if piece.field else (len(piece.text), len(piece.text))
        width = _digits(rest, most) if piece.field else most * rest.startswith(piece.text)
        if width < least:
            raise _misfit(failure)
        if piece.field:
            found[piece.text[0]] = int(rest[:width])
        rest = rest[width:]
    if rest:
        raise _misfit(failure)
    return found


def _digits(text: str, most: int) -> int:
    """How many ASCII digits a text begins with, counting no further than needed."""
    head = text[:most]
    return len(head) - len(head.lstrip("0123456789"))


def _misfit(failure: str) -> StepFailure:
    return StepFailure(failure, "the text is not written as the pattern says")


def _check_readable(pieces: list[Piece]) -> None:
    letters = [piece.text[0] for piece in pieces if piece.field]
    if len(set(letters)) != len(letters) or not set(DATE) <= set(letters):
        raise _bad("to read by it, it has year, month and day, and no field twice")


def _pieces(pattern: str, letters: str, known: Container[str]) -> list[Piece]:
    if len(pattern) > _LONGEST:
        raise _bad(f"it has more than {_LONGEST} characters")
    matches = list(_PIECE.finditer(pattern))
    if sum(len(match[0]) for match in matches) < len(pattern):
        raise _bad("a single quote is not closed")
    pieces = [_piece(match) for match in matches]
    for piece in pieces:
        if piece.field and (piece.text not in known or piece.text[0] not in letters):
            raise _bad(f"{piece.text} is not a field that can stand in it")
    return pieces


def _piece(match: re.Match[str]) -> Piece:
    if match["field"]:
        return Piece(match["field"], field=True)
    quoted = match["quoted"]
    return Piece(match[0] if quoted is None else quoted.replace("''", "'") or "'", field=False)


def _bad(why: str) -> StepFailure:
    return StepFailure("bad_pattern", f"the pattern cannot be used: {why}")


def _offset(at: datetime) -> str:
    written = at.strftime("%z")  # +hhmm, in old times with seconds
    return "Z" if written == "+0000" else f"{written[:3]}:{written[3:5]}"


_WRITTEN: dict[str, Callable[[datetime], str]] = {
    "yyyy": lambda at: f"{at.year:04}",
    "yy": lambda at: f"{at.year % 100:02}",
    "MM": lambda at: f"{at.month:02}",
    "M": lambda at: f"{at.month}",
    "dd": lambda at: f"{at.day:02}",
    "d": lambda at: f"{at.day}",
    "HH": lambda at: f"{at.hour:02}",
    "H": lambda at: f"{at.hour}",
    "mm": lambda at: f"{at.minute:02}",
    "ss": lambda at: f"{at.second:02}",
    "SSS": lambda at: f"{at.microsecond // 1000:03}",
    "XXX": _offset,
}

# How many digits are read, at least and at most. A year of two digits would be a guess.
_WIDTHS = {
    "yyyy": (4, 4),
    "MM": (2, 2),
    "M": (1, 2),
    "dd": (2, 2),
    "d": (1, 2),
    "HH": (2, 2),
    "H": (1, 2),
    "mm": (2, 2),
    "ss": (2, 2),
    "SSS": (3, 3),
}
