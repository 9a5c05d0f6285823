"""Text of flows: from bytes to a tree of nodes and diagnostics, and diagnostics back to text."""

from dsl.codes import CODES, Code
from dsl.diagnostics import Diagnostic, Edit, Fix, Label, Severity, has_errors, in_order
from dsl.format import format_file, format_text
from dsl.parser import WORDS, Parsed, parse, read_source
from dsl.render import render_json, render_text, summary
from dsl.source import Position, Source, Span

__all__ = [
    "CODES",
    "WORDS",
    "Code",
    "Diagnostic",
    "Edit",
    "Fix",
    "Label",
    "Parsed",
    "Position",
    "Severity",
    "Source",
    "Span",
    "format_file",
    "format_text",
    "has_errors",
    "in_order",
    "parse",
    "read_source",
    "render_json",
    "render_text",
    "summary",
]
