"""Diagnostics for programs: one stable JSON document."""

import json
from collections.abc import Iterable

from dsl.diagnostics import Diagnostic, Edit, Fix, Label
from dsl.source import Source, Span

SCHEMA = "seta.diagnostics/1"

Json = dict[str, "str | int | Json | list[str] | list[Json]"]


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """The document; lines and columns are 1-based and count code points."""
    document: Json = {"schema": SCHEMA, "diagnostics": [_diagnostic(d) for d in diagnostics]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _diagnostic(d: Diagnostic) -> Json:
    return {
        "code": d.code,
        "severity": d.severity.value,
        "message": d.message,
        "primary": _label(d.primary),
        "related": [_label(label) for label in d.related],
        "notes": list(d.notes),
        "fixes": [_fix(fix) for fix in d.fixes],
    }


def _label(label: Label) -> Json:
    return {**_place(label.source, label.span), "text": label.text}


def _fix(fix: Fix) -> Json:
    edits = [_edit(edit) for edit in fix.edits]
    return {"title": fix.title, "kind": fix.kind, "snippet": fix.snippet, "edits": edits}


def _edit(edit: Edit) -> Json:
    return {**_place(edit.source, edit.span), "text": edit.text}


def _place(source: Source, span: Span) -> Json:
    return {
        "file": source.path,
        "start": _position(source, span.start),
        "end": _position(source, span.end),
    }


def _position(source: Source, offset: int) -> Json:
    position = source.position(offset)
    return {"line": position.line, "column": position.column}
