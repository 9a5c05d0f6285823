"""Defaults of fields: values that are written out, and fit the type of their field."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from compiler.reports import Reports, listed
from compiler.types import (
    Default,
    EnumOf,
    FieldOf,
    ListOf,
    OptionalOf,
    Prim,
    RecordOf,
    Type,
    Unknown,
    Written,
    required,
    show,
)
from dsl import nodes

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MADE: Final = frozenset({"phone", "email", "url", "cpf", "cnpj"})  # the runtime alone brings them into their form
_encode = msgspec.json.Encoder(decimal_format="number").encode


def default_of(field: nodes.FieldDecl, kind: Type, reports: Reports) -> Default:
    """The default that a field declares, None where there is none; what does not fit the field is reported."""
    if field.default is None:
        return None
    try:
        value = _value(field.default, kind)
    except _MisfitError as found:
        _report(field, found, kind, reports)
        return None
    inner = required(kind)
    as_it_is = isinstance(inner, EnumOf) or (isinstance(inner, Prim) and inner.name in _AS_THEY_ARE)
    return value if as_it_is or value is None else Written(_encode(value).decode())


_AS_THEY_ARE: Final = frozenset({"text", "int", "decimal", "bool", "scalar"})


@dataclass
class _MisfitError(Exception):
    """A part of a default that its type does not take: what it is instead, and what would do."""

    at: nodes.Expr
    wanted: Type
    notes: tuple[str, ...] = ()
    computed: bool = False


def _report(field: nodes.FieldDecl, found: _MisfitError, kind: Type, reports: Reports) -> None:
    name = field.name.text
    if found.computed:
        notes = ["text without holes, numbers, durations, true, false, none, and records and lists of those"]
        message = f"the default of `{name}` is part of the plan: it is written out"
        reports.add("E215", found.at.span, message, "this is computed", notes=[*notes, f"in the flow: {name} ?? …"])
        return
    whole = found.at is field.default
    where = f"the default of `{name}`" if whole else f"this part of the default of `{name}`"
    wanted = show(kind if whole else found.wanted)
    reports.add(
        "E301",
        found.at.span,
        f"{where} must be {wanted}, but this is {_what(found.at)}",
        f"{wanted} is required",
        notes=found.notes,
    )


def _value(expr: nodes.Expr, kind: Type) -> Any:
    """A default as the sender would have written it, in JSON. Raises _MisfitError."""
    inner = required(kind)
    match inner, expr:
        case _, nodes.NoneLit():
            if isinstance(kind, OptionalOf) or inner in (Prim("json"), Unknown()):
                return None
            raise _MisfitError(expr, kind)
        case ListOf(item), nodes.ListLit(items=items):
            return [_value(part, item) for part in items]
        case RecordOf(name=""), nodes.Record():
            return _record(expr, inner)
        case Prim("json") | Unknown(), nodes.ListLit(items=items):
            return [_value(part, inner) for part in items]
        case Prim("json") | Unknown(), nodes.Record(entries=entries):
            return {entry.key.text: _value(entry.value, inner) for entry in entries}
        case _:
            return _plain(expr, inner)


def _record(expr: nodes.Record, kind: RecordOf) -> dict[str, Any]:
    fields = {field.name: field for field in kind.fields}
    unknown = next((entry for entry in expr.entries if entry.key.text not in fields), None)
    if unknown is not None:
        raise _MisfitError(expr, kind, (f"it has no field `{unknown.key.text}`",))
    given = {entry.key.text: entry.value for entry in expr.entries}
    if missing := [field.name for field in kind.fields if _is_needed(field) and field.name not in given]:
        raise _MisfitError(expr, kind, (f"{listed(missing)} is missing",))
    return {fields[name].key or name: _value(value, fields[name].type) for name, value in given.items()}


def _is_needed(field: FieldOf) -> bool:
    return field.default is None and not isinstance(field.type, OptionalOf)


def _plain(expr: nodes.Expr, kind: Type) -> Any:
    """A value that holds no others. Raises _MisfitError."""
    if isinstance(expr, _COMPUTED) or (isinstance(expr, nodes.Text) and expr.static is None):
        raise _MisfitError(expr, kind, computed=True)
    match kind, _literal(expr):
        case (Unknown() | Prim("json"), value) | (Prim("bool"), bool() as value):
            return value
        case _, bool() | None:
            raise _MisfitError(expr, kind, _advice(kind))
        case _, str() as text:
            return _text(text, expr, kind)
        case _, number:
            return _number(number, expr, kind)


_COMPUTED: Final = (
    nodes.NameRef, nodes.FieldOf, nodes.Index, nodes.FunctionCall, nodes.Binary, nodes.Comprehension,
)  # fmt: skip


def _text(text: str, expr: nodes.Expr, kind: Type) -> str:
    match kind:
        case EnumOf(values) if text in values and isinstance(expr, nodes.Text):
            return text
        case Prim("text", low, high) if _within(len(text), low, high) and isinstance(expr, nodes.Text):
            return text
        case Prim("scalar") if isinstance(expr, nodes.Text):
            return text
        case Prim("date" | "datetime" as name) if _is_time(text, name):
            return text
        case Prim("duration") if isinstance(expr, nodes.DurationLit):
            return text
        case _:
            raise _MisfitError(expr, kind, _advice(kind))


def _number(number: int | Decimal, expr: nodes.Expr, kind: Type) -> str | int | Decimal:
    match kind:
        case Prim("scalar"):
            return format(number, "f") if isinstance(number, Decimal) else str(number)
        case Prim("int", low, high) if isinstance(number, int) and _within(number, low, high):
            return number
        case Prim("decimal", low, high) if _within(number, low, high):
            return Decimal(number)
        case _:
            raise _MisfitError(expr, kind, _advice(kind))


def _literal(expr: nodes.Expr) -> str | int | Decimal | bool | None:
    match expr:
        case nodes.Text():
            return expr.static
        case nodes.IntLit(value=number) | nodes.BoolLit(value=number):
            return number
        case nodes.DecimalLit(value=exact):
            return exact
        case nodes.Unary(op="-", value=nodes.IntLit(value=number)):
            return -number
        case nodes.Unary(op="-", value=nodes.DecimalLit(value=exact)):
            return -exact
        case nodes.DurationLit(text=text):
            return text
        case _:
            return None


def _within(size: int | Decimal, low: int | None, high: int | None) -> bool:
    return (low is None or size >= low) and (high is None or size <= high)


def _is_time(text: str, name: str) -> bool:
    """Whether text is a date as JSON has it, or an instant with its offset (RFC 3339)."""
    try:
        if name == "date":
            return bool(_DATE.fullmatch(text)) and date.fromisoformat(text) is not None
        return len(text) > len("2024-01-01") and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _advice(kind: Type) -> tuple[str, ...]:
    match kind:
        case Prim("date"):
            return ('a date is written "2024-12-31"',)
        case Prim("datetime"):
            return ('an instant is written "2024-12-31T10:00:00-03:00"',)
        case Prim("duration"):
            return ("a duration is written 90s, 2h, 3d",)
        case Prim(name, low, high) if low is not None or high is not None:
            return (f"within {name}({_shown(low)}..{_shown(high)})",)
        case Prim(name) if name in _MADE:
            return ("declare it with `?`, and give the default in the flow: x ?? …",)
        case _:
            return ()


def _shown(bound: int | None) -> str:
    return "" if bound is None else str(bound)


_KINDS: Final[dict[type[nodes.Node], str]] = {
    nodes.Text: "text",
    nodes.IntLit: "int",
    nodes.DecimalLit: "decimal",
    nodes.BoolLit: "bool",
    nodes.NoneLit: "none",
    nodes.DurationLit: "duration",
    nodes.Record: "a record",
    nodes.ListLit: "an array",
}


def _what(expr: nodes.Expr) -> str:
    value = expr.value if isinstance(expr, nodes.Unary) else expr
    return _KINDS.get(type(value), "another value")
