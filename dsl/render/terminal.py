"""Diagnostics for people: the layout that Rust's compiler made known."""

from collections.abc import Iterable, Iterator

from dsl.diagnostics import Diagnostic, Label
from dsl.render.advice import advice
from dsl.render.excerpt import Mark, lines, marks
from dsl.render.style import Row, paint, visible
from dsl.source import Source

_LEAST = 20  # cells of code or of a sentence, however narrow the terminal


def render_text(diagnostics: Diagnostic | Iterable[Diagnostic], *, color: bool = False, width: int = 100) -> str:
    """Each diagnostic with the lines it speaks of, a blank line between two.

    What is said is wrapped to the width; code is cut to what matters, never wrapped.
    """
    found = [diagnostics] if isinstance(diagnostics, Diagnostic) else diagnostics
    blocks = (_block(diagnostic, width) for diagnostic in found)
    return "\n".join("".join(f"{paint(row, color=color)}\n" for row in block) for block in blocks)


def _block(d: Diagnostic, width: int) -> Iterator[Row]:
    style = d.severity.value
    yield [(f"{style}[{d.code}]" if d.code else style, style), (f": {visible(d.message)}", "title")]
    files = _by_file(d)
    digits = len(str(max(mark.line for _, found in files for mark in found)))
    blank = [(" " * (digits + 1), ""), ("|", "frame")]
    for index, (source, found) in enumerate(files):
        yield _place(source, found[0], ":::" if index else "-->", digits)
        yield list(blank)
        for number, row in lines(source, found, max(width - digits - 3, _LEAST)):
            yield [*_gutter(number, digits), *row]
    yield list(blank)
    more = [("", [f"seta help {d.code}"])] if d.code else []
    for name, said in (*advice(d, max(width - digits - 3, _LEAST)), *more):
        yield [(" " * (digits + 1), ""), ("= ", "frame"), (said[0], name)]
        yield from ([(" " * (digits + 3), ""), (line, name)] for line in said[1:])


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
