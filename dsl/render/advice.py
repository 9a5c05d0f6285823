"""What a diagnostic says below its excerpt: notes, and fixes with what to write."""

from collections.abc import Iterator

from rich.cells import cell_len

from dsl.diagnostics import Diagnostic, Fix
from dsl.render.style import visible
from dsl.render.wrap import pad, wrap

_GAP = "    "  # between what to write and why
_NARROW = 24  # cells in which a title can still be read
_ENDLESS = 1_000_000


def advice(d: Diagnostic, width: int = _ENDLESS) -> Iterator[tuple[str, list[str]]]:
    """Style and lines of each note and fix; what is to be written is never broken."""
    for note in d.notes:
        yield "", wrap(visible(note), width)
    column = max((cell_len(visible(fix.snippet)) for fix in d.fixes), default=0)
    for fix in d.fixes:
        yield "fix", _fix(fix, column, width)


def _fix(fix: Fix, column: int, width: int) -> list[str]:
    """What to write, then why, in columns; or the title alone where an edit says the rest."""
    head, title, snippet = f"fix ({fix.kind}): ", visible(fix.title), visible(fix.snippet)
    if not snippet:
        return _hanging(head, wrap(title, width - len(head)))
    beside = f"{head}{pad(snippet, column)}{_GAP}"
    room = width - cell_len(beside)
    if room >= min(_NARROW, cell_len(title)):
        return _hanging(beside, wrap(title, room))
    return [f"{head}{snippet}", *_indented(len(head) + len(_GAP), wrap(title, width - len(head) - len(_GAP)))]


def _hanging(head: str, lines: list[str]) -> list[str]:
    return [head + lines[0], *_indented(cell_len(head), lines[1:])]


def _indented(cells: int, lines: list[str]) -> list[str]:
    return [" " * cells + line for line in lines]


def sentences(d: Diagnostic, *, edited: bool = True) -> list[str]:
    """All that is said of the primary place, a sentence each; fixes that have edits only where `edited` asks."""
    said = [d.message, d.primary.text, *d.notes]
    said += [_in_words(fix) for fix in d.fixes if edited or not fix.edits]
    return [visible(sentence) for sentence in said if sentence]


def _in_words(fix: Fix) -> str:
    what = f"{fix.snippet} ({fix.title})" if fix.snippet else fix.title
    return f"fix ({fix.kind}): {what}"
