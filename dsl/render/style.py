"""Rows of styled text, and the few colours a terminal is asked for."""

from collections.abc import Iterable
from unicodedata import category

Row = list[tuple[str, str]]  # pieces of text, each with the name of its style

_RESET = "\x1b[0m"
_STYLES = {
    "": "",
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "note": "\x1b[1;36m",
    "title": "\x1b[1m",
    "frame": "\x1b[1;34m",
    "related": "\x1b[34m",
    "fix": "\x1b[32m",
}


def paint(row: Iterable[tuple[str, str]], *, color: bool) -> str:
    """A row as a terminal takes it, without blanks at its end."""
    pieces = [(text, style) for text, style in row if text]
    while pieces and not pieces[-1][0].strip(" "):
        pieces.pop()
    if pieces:
        pieces[-1] = (pieces[-1][0].rstrip(" "), pieces[-1][1])
    if not color:
        return "".join(text for text, _ in pieces)
    return "".join(f"{_STYLES[style]}{text}{_RESET}" if style else text for text, style in pieces)


def visible(text: str) -> str:
    """Text that cannot steer the terminal: a character that would is shown as one that stands for it."""
    if text.isprintable():
        return text
    return "".join("\ufffd" if _steers(char) else char for char in text)


def _steers(char: str) -> bool:
    """Controls, line ends, and what turns the direction of writing; joiners inside emoji may stay."""
    return category(char) in {"Cc", "Cs", "Zl", "Zp"} or "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069"
