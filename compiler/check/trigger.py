"""The trigger: where a flow answers, who may call it, and what it takes."""

import re

from compiler.check.bodies import check_bodies
from compiler.check.defaults import default_of
from compiler.check.expressions import Expressions
from compiler.check.facts import Facts, PayloadField
from compiler.check.guard import guard_of, says_who
from compiler.check.written import TypeReader, unique_fields
from compiler.expand import Expanded
from compiler.reports import Reports, way
from compiler.scope import Scope
from compiler.types import (
    DECIMAL,
    INT,
    JSON,
    FieldOf,
    RecordOf,
    Unknown,
    is_text,
    required,
    show,
)
from dsl import nodes

_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_OURS = ("/v1", "/livez", "/readyz")
MAX_BODY = 64 * 1024 * 1024
MAX_FORM = 100 * 1024 * 1024  # of several parts, whose files lie on the disk


def check_trigger(expanded: Expanded, expressions: Expressions, payload: Scope, facts: Facts, reports: Reports) -> None:
    """Path and clauses of a trigger."""
    trigger = expanded.flow.trigger
    _once(trigger, reports)
    for clause in trigger.clauses:
        match clause:
            case nodes.Limit(size=size) if not 0 < size <= _most(trigger):
                reports.add("E219", clause.span, "a body may have up to 64 MB, or 100 MB for multipart", "out of range")
            case nodes.Dedupe(key=key) | nodes.Serial(key=key):
                _key(key, expressions, payload, reports)
                _window(clause, reports)
            case nodes.Concurrency(limit=limit) if limit < 1:
                reports.add("E219", clause.span, "at least one run at a time", "out of range")
            case nodes.Answer():
                _answer(clause, expressions, facts, reports)
            case nodes.AnswerWithin(limit=nodes.DurationLit(milliseconds=0)):
                reports.add("E219", clause.span, "a sender waits longer than nothing", "out of range")
            case nodes.AnswerWithin() if not facts.responds:
                reports.add("E206", clause.span, "`answer within` is for flows that `respond`", "nobody waits")
            case _:
                pass
    check_bodies(trigger, facts, reports)
    facts.guard = guard_of(trigger, expressions, reports)
    _check_path(trigger, reports)


def _most(trigger: nodes.Trigger) -> int:
    kinds = (kind.text for clause in trigger.clauses if isinstance(clause, nodes.Accept) for kind in clause.kinds)
    return MAX_FORM if "multipart" in kinds else MAX_BODY


def _once(trigger: nodes.Trigger, reports: Reports) -> None:
    seen: dict[type[nodes.Node], nodes.Node] = {}
    for clause in trigger.clauses:
        first = seen.setdefault(type(clause), clause)
        if first is not clause:
            related = [(first.span, "first given here")]
            reports.add("E207", clause.span, "this clause is given twice", "given again here", related=related)


def _key(key: nodes.Expr, expressions: Expressions, payload: Scope, reports: Reports) -> None:
    """A key of deliveries is computed from the delivery alone, and may be absent."""
    found = required(expressions.check(key, payload))
    if not (is_text(found) or found in (INT, DECIMAL) or isinstance(found, Unknown)):
        reports.add("E301", key.span, f"a key is text or a number, but this is {show(found)}", "not a key")
    for node in nodes.walk(key):
        if isinstance(node, nodes.NameRef) and node.name in ("run", "config", "secret"):
            reports.add("E206", node.span, "a key of deliveries comes from the delivery alone", "not of the delivery")


def _window(clause: nodes.Node, reports: Reports) -> None:
    match clause:
        case nodes.Dedupe(window=nodes.DurationLit(milliseconds=0) as window):
            reports.add("E219", window.span, "a repeat is known for longer than nothing", "out of range")
        case _:
            pass


def _answer(clause: nodes.Answer, expressions: Expressions, facts: Facts, reports: Reports) -> None:
    if facts.responds:
        reports.add("E504", clause.span, "a flow that uses `respond` has its answer there", "a second answer")
    if not 200 <= clause.status <= 299:
        reports.add("E219", clause.span, "an accepted delivery is answered with 200 to 299", "out of range")
    if clause.body is None:
        return
    beyond = [n for n in nodes.walk(clause.body) if isinstance(n, nodes.NameRef) and n.name != "run"]
    if not beyond:
        expressions.expect(clause.body, JSON, Scope(), "the answer")
    for node in beyond:
        reports.add(
            "E206",
            node.span,
            "the immediate answer is made of literals and `run.id`",
            "the flow has not run yet",
            notes=["`respond` in the flow answers with what the flow knows"],
        )


def _check_path(trigger: nodes.Trigger, reports: Reports) -> None:
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
    if not says_who(trigger):
        reports.add(
            "E602",
            trigger.path.span,
            "a path that anybody can guess must say who may call it",
            "anybody could start this flow",
            fixes=[
                way(f'on webhook "{path}" token header "X-Token" (secret.TOKEN)', "who sends the secret may call it"),
                way(f'on webhook "{path}" open', "anybody may call it"),
                way("on webhook", "without a path: the address is unguessable"),
            ],
        )


def payload_fields(
    expanded: Expanded, types: TypeReader, reports: Reports
) -> tuple[RecordOf, tuple[PayloadField, ...]]:
    """The payload's type, and its fields as the door reads them."""
    declared = expanded.flow.trigger.payload
    if isinstance(declared, nodes.NamedPayload):
        return _named(declared, types)
    if declared is None:
        return RecordOf(()), ()
    fields = tuple(
        _payload_field(field, expanded.lenient, types, reports) for field in unique_fields(declared.fields, reports)
    )
    _unique_keys(declared, reports)
    return RecordOf(tuple(FieldOf(f.name, f.type, f.key, doc=f.doc) for f in fields)), fields


def _named(declared: nodes.NamedPayload, types: TypeReader) -> tuple[RecordOf, tuple[PayloadField, ...]]:
    """The whole body under one name: a field whose key is the body itself."""
    kind = types.read(declared.type)
    name = declared.name.text
    return RecordOf((FieldOf(name, kind),)), (PayloadField(name, "", kind, None, lenient=False),)


def _unique_keys(declared: nodes.RecordType, reports: Reports) -> None:
    seen: dict[str, nodes.FieldDecl] = {}
    for field in declared.fields:
        key = (field.key.static if field.key else None) or field.name.text
        first = seen.setdefault(key, field)
        if first is not field and first.name.text != field.name.text:
            related = [(first.span, "first read here")]
            reports.add("E207", field.span, f'the key "{key}" is read twice', "read again here", related=related)


def _payload_field(
    field: nodes.FieldDecl, lenient: frozenset[str], types: TypeReader, reports: Reports
) -> PayloadField:
    kind = types.read(field.type)
    default = default_of(field, kind, reports)
    key = (field.key.static if field.key else None) or field.name.text
    return PayloadField(field.name.text, key, kind, default, field.name.text in lenient, field.doc)
