"""Collects what the passes have to say of one file, so that a pass never stops at the first problem."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import islice
from typing import Final

from dsl.diagnostics import Diagnostic, Edit, Fix, Label
from dsl.source import Source, Span

MAX_ERRORS: Final = 1000  # of a flow; who has more reads no further
_LOOKED_AT: Final = 10_000  # names that a flow's slips are compared with: its author is served by the first ones
_LISTED: Final = 20


class Reports:
    """The diagnostics of one file. `unread` are names in text that could not be read; None: all could be."""

    def __init__(self, source: Source, unread: frozenset[str] | None = None) -> None:
        self.source = source
        self.unread = unread
        self.diagnostics: list[Diagnostic] = []
        self._known: set[tuple[str, Span, str]] = set()
        self._errors = 0
        self._looked_at = 0

    @property
    def full(self) -> bool:
        """Whether there is so much wrong that looking for more helps nobody."""
        return self._errors > MAX_ERRORS

    def nearest(self, word: str, known: Iterable[str]) -> str | None:
        """As the function of that name; where a file has slips without end, the later ones get no suggestion."""
        names = list(islice(known, _LOOKED_AT + 1))
        self._looked_at += len(names)
        return nearest(word, names) if self._looked_at <= _LOOKED_AT else None

    def add(  # noqa: PLR0913  # all but three are optional parts of one diagnostic
        self,
        code: str,
        span: Span,
        message: str,
        label: str = "",
        *,
        related: Iterable[tuple[Span, str]] = (),
        notes: Iterable[str] = (),
        fixes: Iterable[Fix] = (),
    ) -> None:
        """Report one problem at a place; the same problem at the same place is reported once."""
        if self.full or (code, span, message) in self._known:
            return
        self._known.add((code, span, message))
        self._errors += code.startswith("E")
        if self.full:
            text = f"after {MAX_ERRORS:,} problems the rest is not checked"
            self.diagnostics.append(Diagnostic("E110", text, Label(self.source, span, "not from here on")))
            return
        diagnostic = Diagnostic(
            code,
            message,
            Label(self.source, span, label),
            tuple(Label(self.source, where, text) for where, text in related),
            tuple(notes),
            tuple(fixes),
        )
        self.diagnostics.append(diagnostic)

    def replace(self, title: str, span: Span, text: str, *, safe: bool = False, snippet: str = "") -> Fix:
        """A fix that writes `text` in place of what is under a span; `snippet` shows what is then there."""
        return Fix(title, "safe" if safe else "choose", (Edit(self.source, span, text),), snippet)


def way(snippet: str, title: str) -> Fix:
    """A way out that only a person can go: what to write, and what that means."""
    return Fix(title, "choose", snippet=snippet)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was surely meant: at most a third of the letters differ."""
    limit = max(1, len(word) // 3)
    close = [
        (distance, -_likeness(word, other), other)
        for other in known
        if _may_be_near(word, other, limit) and (distance := _distance(word, other)) <= limit
    ]
    best = min(close, default=None)
    return None if best is None or best[2] == word else best[2]


def _may_be_near(word: str, other: str, limit: int) -> bool:
    """Cheap to say, for most words that are far: an edit changes one letter, so that two sets differ by two."""
    return abs(len(word) - len(other)) <= limit and len(set(word) ^ set(other)) <= 2 * limit


def _likeness(a: str, b: str) -> float:
    return SequenceMatcher(None, a, b).ratio()


def _distance(a: str, b: str) -> int:
    """Edit distance in which two neighbours swapped count as one edit."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, char in enumerate(a, start=1):
        next_row = [i]
        for j, other in enumerate(b, start=1):
            best = min(row[j] + 1, next_row[-1] + 1, row[j - 1] + (char != other))
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other:
                best = min(best, before[j - 2] + 1)
            next_row.append(best)
        before, row = row, next_row
    return row[-1]


def listed(words: Iterable[str]) -> str:
    """Words as a sentence lists them: `a`, `b` and `c`; of very many, the first and how many there are more."""
    names = list(words)
    quoted = [f"`{word}`" for word in names[:_LISTED]]
    if len(names) > _LISTED:
        return f"{', '.join(quoted)} and {len(names) - _LISTED} more"
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
