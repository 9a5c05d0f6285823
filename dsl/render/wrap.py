"""Sentences on lines of a width, counted in the cells of a terminal; a piece of code in backticks stays whole."""

import re

from rich.cells import cell_len

_WORD = re.compile(r"(?:`[^`]*`|\S)+")


def wrap(text: str, width: int) -> list[str]:
    """The lines of a sentence; a word that is longer than a line has one of its own."""
    if cell_len(text) <= width:
        return [text]
    lines: list[str] = []
    room = 0
    for word in _WORD.findall(text):
        cells = cell_len(word)
        if lines and cells < room:
            lines[-1] += f" {word}"
            room -= cells + 1
        else:
            lines.append(word)
            room = width - cells
    return lines


def pad(text: str, cells: int) -> str:
    """A text with blanks after it, up to a number of cells."""
    return text + " " * (cells - cell_len(text))
