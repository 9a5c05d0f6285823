"""Diagnostics as workflow commands, which GitHub shows beside the lines of a change."""

from collections.abc import Iterable, Iterator
from typing import Final

from dsl.codes import CODES
from dsl.diagnostics import Diagnostic, Severity
from dsl.render.advice import sentences

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_MESSAGE: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """One command a line; lines and columns are 1-based."""
    return "".join(f"{_command(d)}\n" for d in diagnostics)


def _command(d: Diagnostic) -> str:
    properties = ",".join(f"{name}={value.translate(_PROPERTY)}" for name, value in _properties(d))
    message = "\n".join([*sentences(d), *_related(d)])
    return f"::{_COMMANDS[d.severity]} {properties}::{message.translate(_MESSAGE)}"


def _properties(d: Diagnostic) -> Iterator[tuple[str, str]]:
    source, span = d.primary.source, d.primary.span
    start, end = source.position(span.start), source.position(span.end)
    yield "file", source.path
    yield "line", str(start.line)
    if start.line == end.line:  # GitHub refuses columns of several lines
        yield "col", str(start.column)
    yield "endLine", str(end.line)
    if start.line == end.line:
        yield "endColumn", str(end.column)
    yield "title", f"{d.code}: {CODES[d.code].title}"


def _related(d: Diagnostic) -> Iterator[str]:
    for label in d.related:
        start = label.source.position(label.span.start)
        yield f"{label.source.path}:{start.line}:{start.column}: {label.text}"
