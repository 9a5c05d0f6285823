"""One line about all of it."""

from collections import Counter
from collections.abc import Iterable

from dsl.diagnostics import Diagnostic, Severity


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """Count what there is: `2 errors, 1 note in 3 files`."""
    found = list(diagnostics)
    by_severity = Counter(d.severity for d in found)
    counts = [_count(by_severity[s], s.value) for s in Severity if by_severity[s]]
    files = len({d.primary.source.path for d in found})
    return f"{', '.join(counts)} in {_count(files, 'file')}" if counts else "no problems"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
