"""The trigger: where a flow answers, who may call it, and what it takes."""

import re

from compiler.check.facts import PayloadField
from compiler.check.written import read_type, unique_fields
from compiler.expand import Expanded
from compiler.reports import Reports
from compiler.types import (
    BOOL,
    DECIMAL,
    INT,
    TEXT,
    FieldOf,
    NoneType,
    OptionalOf,
    RecordOf,
    Type,
    Unknown,
    fits,
    show,
)
from dsl import nodes
from dsl.diagnostics import Fix

_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_OURS = ("/v1", "/livez", "/readyz")
MAX_BODY = 100 * 1024 * 1024

_LATER: dict[type[nodes.Node], str] = {
    nodes.Signed: "signed",
    nodes.Token: "token",
    nodes.Basic: "basic",
    nodes.Cors: "cors",
    nodes.Accept: "accept",
    nodes.Dedupe: "dedupe",
    nodes.Answer: "answer",
    nodes.AnswerWithin: "answer within",
    nodes.Serial: "serial",
    nodes.Keep: "keep",
    nodes.Concurrency: "concurrency",
}


def check_trigger(expanded: Expanded, reports: Reports) -> None:
    """Kind, path and clauses of a trigger."""
    trigger = expanded.flow.trigger
    _once(trigger, reports)
    for clause in trigger.clauses:
        if (name := _LATER.get(type(clause))) is not None:
            reports.not_yet(clause.span, f"the trigger clause `{name}`")
        if isinstance(clause, nodes.Limit) and not 0 < clause.size <= MAX_BODY:
            reports.add("E219", clause.span, "a body may have up to 100 MB", "out of range")
    _check_path(trigger, reports)


def _once(trigger: nodes.Trigger, reports: Reports) -> None:
    seen: dict[type[nodes.Node], nodes.Node] = {}
    for clause in trigger.clauses:
        first = seen.setdefault(type(clause), clause)
        if first is not clause:
            related = [(first.span, "first given here")]
            reports.add("E207", clause.span, "this clause is given twice", "given again here", related=related)


def _check_path(trigger: nodes.Trigger, reports: Reports) -> None:
    guarded = any(isinstance(c, nodes.Signed | nodes.Token | nodes.Basic | nodes.Open) for c in trigger.clauses)
    if trigger.path is None:
        return
    path = trigger.path.static
    if path is None or not _PATH.fullmatch(path) or any(path == o or path.startswith(f"{o}/") for o in _OURS):
        reports.add(
            "E219",
            trigger.path.span,
            "this is not a path that a webhook can have",
            "not a path",
            notes=['a path looks like "/leads" or "/erp/orders"; /v1, /livez and /readyz are taken'],
        )
    if not guarded:
        reports.add(
            "E602",
            trigger.path.span,
            "a path that anybody can guess must say who may call it",
            "anybody could start this flow",
            fixes=[
                Fix(f'on webhook "{path}" open    anybody may call it', "choose"),
                Fix("on webhook    without a path: the address is unguessable", "choose"),
            ],
        )


def payload_fields(expanded: Expanded, reports: Reports) -> tuple[RecordOf, tuple[PayloadField, ...]]:
    """The payload's type, and its fields as the door reads them."""
    declared = expanded.flow.trigger.payload
    if isinstance(declared, nodes.NamedPayload):
        reports.not_yet(declared.span, "a payload under one name")
        return RecordOf((FieldOf(declared.name.text, Unknown()),)), ()
    if declared is None:
        return RecordOf(()), ()
    fields = tuple(
        _payload_field(field, expanded.lenient, reports) for field in unique_fields(declared.fields, reports)
    )
    _unique_keys(declared, reports)
    return RecordOf(tuple(FieldOf(f.name, f.type, f.key) for f in fields)), fields


def _unique_keys(declared: nodes.RecordType, reports: Reports) -> None:
    seen: dict[str, nodes.FieldDecl] = {}
    for field in declared.fields:
        key = (field.key.static if field.key else None) or field.name.text
        first = seen.setdefault(key, field)
        if first is not field and first.name.text != field.name.text:
            related = [(first.span, "first read here")]
            reports.add("E207", field.span, f'the key "{key}" is read twice', "read again here", related=related)


def _payload_field(field: nodes.FieldDecl, lenient: frozenset[str], reports: Reports) -> PayloadField:
    kind = read_type(field.type, reports)
    default = _default(field, field.default, kind, reports) if field.default is not None else None
    key = (field.key.static if field.key else None) or field.name.text
    return PayloadField(field.name.text, key, kind, default, field.name.text in lenient, show(kind))


def _default(field: nodes.FieldDecl, given: nodes.Expr, kind: Type, reports: Reports) -> str | int | bool | None:
    """The value of a literal default."""
    value: str | int | bool | None
    found: Type
    match given:
        case nodes.Text() as text if text.static is not None:
            value, found = text.static, kind if _in_enum(kind, text.static) else TEXT
        case nodes.IntLit(value=number):
            value, found = number, INT
        case nodes.BoolLit(value=flag):
            value, found = flag, BOOL
        case nodes.NoneLit():
            value, found = None, NoneType()
        case _:
            reports.not_yet(given.span, "a default that is not text, int, true, false or none")
            return None
    if not fits(found, kind) or (kind == DECIMAL and found == INT):
        wanted = show(kind)
        message = f"the default of `{field.name.text}` must be {wanted}, but this is {show(found)}"
        reports.add("E301", given.span, message, f"{wanted} is required")
    return value


def _in_enum(kind: Type, text: str) -> bool:
    values = getattr(kind.inner if isinstance(kind, OptionalOf) else kind, "values", ())
    return text in values
