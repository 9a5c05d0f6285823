"""Safe fixes made: which of them go together, and what a file is after them. Nothing is read or written here."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dsl.diagnostics import Diagnostic, Edit, Fix

_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Mended:
    """A problem and the fix that mends it."""

    diagnostic: Diagnostic
    fix: Fix


def compatible(
    diagnostics: Iterable[Diagnostic], *, may_change: Callable[[str], bool] = lambda _: True
) -> tuple[Mended, ...]:
    """The safe fixes that can be made at once, each whole or not at all; of two that collide the first one.

    `may_change` says of a file's path whether it may be edited. What is left out is found again in the mended text.
    """
    chosen: list[Mended] = []
    edits: list[Edit] = []
    for diagnostic in diagnostics:
        fix = next((fix for fix in diagnostic.fixes if fix.kind == "safe" and _changes(fix)), None)
        if fix is None or not all(may_change(edit.source.path) for edit in fix.edits):
            continue
        added = [edit for edit in fix.edits if edit not in edits]
        if _collide([*edits, *added], added):
            continue
        edits += added
        chosen.append(Mended(diagnostic, fix))
    return tuple(chosen)


def apply(diagnostics: Iterable[Diagnostic]) -> dict[str, str]:
    """The new text of every file that the safe fixes change."""
    by_path = edits_by_path(compatible(diagnostics))
    return {path: _edited(edits[0].source.text, edits) for path, edits in by_path.items()}


def edits_by_path(mended: Iterable[Mended]) -> dict[str, tuple[Edit, ...]]:
    """The edits of fixes that go together, by file and in order; one that several fixes want is made once."""
    by_path: dict[str, list[Edit]] = {}
    for edit in dict.fromkeys(edit for one in mended for edit in one.fix.edits):
        by_path.setdefault(edit.source.path, []).append(edit)
    return {path: tuple(sorted(edits, key=_start)) for path, edits in by_path.items()}


def rewrite(data: bytes, edits: Sequence[Edit]) -> bytes:
    """The bytes of a file after edits of its text, which do not collide: all else stays, BOM and line ends too."""
    raw = data.decode("utf-8")
    start = len(_BOM) if raw.startswith(_BOM) else 0
    breaks = [found.start() - start - before for before, found in enumerate(re.finditer("\r\n", raw))]
    line_end = "\r\n" if 2 * len(breaks) > raw.count("\n") else "\n"
    parts, at = [], 0
    for edit in sorted(edits, key=_start):
        first, last = (start + offset + bisect_left(breaks, offset) for offset in (edit.span.start, edit.span.end))
        parts += [raw[at:first], edit.text.replace("\n", line_end)]
        at = last
    return "".join([*parts, raw[at:]]).encode("utf-8")


def _edited(text: str, edits: Sequence[Edit]) -> str:
    for edit in reversed(edits):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def _start(edit: Edit) -> int:
    return edit.span.start


def _changes(fix: Fix) -> bool:
    """Whether there is anything to edit."""
    return any(edit.source.slice(edit.span) != edit.text for edit in fix.edits)


def _collide(all_edits: Sequence[Edit], added: Sequence[Edit]) -> bool:
    return any(_touch(edit, other) for edit in added for other in all_edits if other is not edit)


def _touch(edit: Edit, other: Edit) -> bool:
    """Whether two edits overlap, or one inserts at the edge of the other, so that their order would matter."""
    if edit.source.path != other.source.path:
        return False
    start, end = max(edit.span.start, other.span.start), min(edit.span.end, other.span.end)
    inserts = edit.span.start == edit.span.end or other.span.start == other.span.end
    return start < end or (inserts and start == end)
