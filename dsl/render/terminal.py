"""Diagnostics for people: the layout that Rust's compiler made known."""

from collections.abc import Iterable, Iterator

from dsl.diagnostics import Diagnostic, Fix, Label
from dsl.render.excerpt import Mark, lines, marks
from dsl.render.style import Row, paint, visible
from dsl.source import Source


def render_text(diagnostics: Diagnostic | Iterable[Diagnostic], *, color: bool = False, width: int = 100) -> str:
    """Each diagnostic with the lines it speaks of, a blank line between two."""
    found = [diagnostics] if isinstance(diagnostics, Diagnostic) else diagnostics
    blocks = (_block(diagnostic, width) for diagnostic in found)
    return "\n".join("".join(f"{paint(row, color=color)}\n" for row in block) for block in blocks)


def _block(d: Diagnostic, width: int) -> Iterator[Row]:
    style = d.severity.value
    yield [(f"{style}[{d.code}]", style), (f": {visible(d.message)}", "title")]
    files = _by_file(d)
    digits = len(str(max(mark.line for _, found in files for mark in found)))
    blank = [(" " * (digits + 1), ""), ("|", "frame")]
    for index, (source, found) in enumerate(files):
        yield _place(source, found[0], ":::" if index else "-->", digits)
        yield list(blank)
        for number, row in lines(source, found, max(width - digits - 3, 20)):
            yield [*_gutter(number, digits), *row]
    yield list(blank)
    fixes = [(fix, "fix") for fix in _fixes(d.fixes)]
    for text, style in (*((note, "") for note in d.notes), *fixes, (f"seta help {d.code}", "")):
        yield [(" " * (digits + 1), ""), ("= ", "frame"), (visible(text), style)]


def _by_file(d: Diagnostic) -> list[tuple[Source, list[Mark]]]:
    """The marks of each file, the primary one's first; the place of a file is its first mark's."""
    by_path: dict[str, tuple[Source, list[Mark]]] = {}
    labels: list[tuple[Label, str]] = [(d.primary, d.severity.value)]
    labels += [(label, "related") for label in d.related]
    for label, style in labels:
        _, found = by_path.setdefault(label.source.path, (label.source, []))
        found.extend(marks(label, style))
    return list(by_path.values())


def _place(source: Source, mark: Mark, arrow: str, digits: int) -> Row:
    where = f"{visible(source.path)}:{mark.line}:{mark.start + 1}"
    return [(" " * digits, ""), (arrow, "frame"), (f" {where}", "")]


def _gutter(number: int | None, digits: int) -> Row:
    """A line's number; nothing before what stands under a line; a colon where lines are left out."""
    if number == -1:
        return [(" " * (digits + 1), ""), (":", "frame")]
    shown = "" if number is None else str(number)
    return [(f"{shown:>{digits}} |", "frame"), (" ", "")]


def _fixes(fixes: tuple[Fix, ...]) -> Iterator[str]:
    """What to write, then why, in columns; or the title alone where an edit says the rest."""
    column = max((len(fix.snippet) for fix in fixes), default=0)
    for fix in fixes:
        what = f"{fix.snippet:<{column}}    {fix.title}" if fix.snippet else fix.title
        yield f"fix ({fix.kind}): {what}"
