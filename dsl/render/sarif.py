"""Diagnostics as SARIF 2.1.0, for code scanning and for editors that read it."""

import json
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

from dsl.codes import REGISTRY, Code
from dsl.diagnostics import Diagnostic, Edit, Fix, Label, Severity
from dsl.render.advice import sentences
from dsl.render.example import example_lines
from dsl.source import Source, Span

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT: Final = "%SRCROOT%"
_LEVELS: Final = {"E": Severity.ERROR, "W": Severity.WARNING, "N": Severity.NOTE}
_RULE_INDEX: Final = {code.code: index for index, code in enumerate(REGISTRY)}
_PLACEHOLDER: Final = re.compile(r"\{(\d+)\}")

Json = dict[str, "str | int | Json | list[Json]"]


def render_sarif(diagnostics: Iterable[Diagnostic], *, version: str = "") -> str:
    """One run with all rules of the registry; lines and columns are 1-based and count code points."""
    driver: Json = {"name": "Seta", "rules": [_rule(code) for code in REGISTRY]}
    run: Json = {
        "tool": {"driver": {**driver, "version": version} if version else driver},
        "originalUriBaseIds": {_ROOT: {"description": _message("The folder in which `seta check` ran.")}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(d) for d in diagnostics],
    }
    document: Json = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _rule(code: Code) -> Json:
    return {
        "id": code.code,
        "shortDescription": _message(f"{code.title[0].upper()}{code.title[1:]}."),
        "fullDescription": _message(code.help.rstrip()),
        "help": {**_message(_help(code)), "markdown": _escaped(_help(code, "````seta", "````"))},
        "defaultConfiguration": {"level": _LEVELS[code.code[0]].value},
    }


def _help(code: Code, opened: str = "", closed: str = "") -> str:
    """What `seta help` says; examples stand between two marks."""
    parts = [code.help.rstrip()]
    for title, program in (("This gets it:", code.bad), ("This does not:", code.good)):
        if program:
            parts += [title, "\n".join(line for line in (opened, *example_lines(program), closed) if line)]
    return "\n\n".join(parts)


def _result(d: Diagnostic) -> Json:
    result: Json = {
        "ruleId": d.code,
        "ruleIndex": _RULE_INDEX[d.code],
        "level": d.severity.value,
        "message": _message("\n".join(sentences(d, edited=False))),
        "locations": [{"physicalLocation": _place(d.primary.source, d.primary.span)}],
    }
    if d.related:
        result["relatedLocations"] = [_related(number, label) for number, label in enumerate(d.related, start=1)]
    if fixes := [_fix(fix) for fix in d.fixes if fix.edits]:
        result["fixes"] = fixes
    return result


def _related(number: int, label: Label) -> Json:
    location: Json = {"id": number, "physicalLocation": _place(label.source, label.span)}
    return {**location, "message": _message(label.text)} if label.text else location


def _fix(fix: Fix) -> Json:
    by_path: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        by_path.setdefault(edit.source.path, []).append(edit)
    changes: list[Json] = [
        {"artifactLocation": _artifact(path), "replacements": [_replacement(edit) for edit in edits]}
        for path, edits in by_path.items()
    ]
    return {"description": _message(fix.title), "artifactChanges": changes, "properties": {"kind": fix.kind}}


def _replacement(edit: Edit) -> Json:
    return {"deletedRegion": _region(edit.source, edit.span), "insertedContent": {"text": edit.text}}


def _place(source: Source, span: Span) -> Json:
    return {"artifactLocation": _artifact(source.path), "region": _region(source, span)}


def _region(source: Source, span: Span) -> Json:
    start, end = source.position(span.start), source.position(span.end)
    return {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column}


def _artifact(path: str) -> Json:
    """Where a file is: from the folder that was worked in, if it lies there."""
    if PurePosixPath(path).is_absolute():
        return {"uri": f"file://{quote(path)}"}
    return {"uri": quote(path), "uriBaseId": _ROOT}


def _message(text: str) -> Json:
    return {"text": _escaped(text)}


def _escaped(text: str) -> str:
    """A number in braces would be read as the place of an argument; other braces mean themselves to all readers."""
    return _PLACEHOLDER.sub(r"{{\1}}", text)
