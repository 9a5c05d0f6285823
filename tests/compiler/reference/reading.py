"""JSON that has the shape it should have, as values of the interpreter."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from compiler import ir
from compiler.types import Written
from tests.compiler.reference.trace import Record

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def read_payload(payload: ir.Object, value: Any) -> Record:
    """A record, or the whole body under one name."""
    match payload.fields:
        case (ir.ShapeField(name=name, key="", shape=shape),):
            return Record({name: read(shape, value)})
        case fields:
            return _record(fields, value)


def _record(fields: Sequence[ir.ShapeField], value: Mapping[str, Any]) -> Record:
    found = Record((f.name, _field(f, value.get(f.key))) for f in fields)
    found.keys_in_json = {f.name: f.key for f in fields}
    return found


def _field(field: ir.ShapeField, value: Any) -> Any:
    """Null takes the default; empty text is absence unless the type is text."""
    if value is None or (value == "" and not _takes_empty(field.shape)):
        return read(field.shape, _json(field.default.json)) if isinstance(field.default, Written) else field.default
    return read(field.shape, value)


def _json(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def _takes_empty(shape: ir.Shape) -> bool:
    match shape:
        case ir.OneOf(values=values):
            return "" in values
        case ir.Scalar(name=name):
            return name in ("text", "json")
        case _:
            return False


def read(shape: ir.Shape, value: Any) -> Any:
    """A value of a shape."""
    match shape:
        case ir.Object(fields=fields):
            return _record(fields, value)
        case ir.Many(item=item):
            return [read(item, part) for part in value]
        case ir.Maybe(inner=inner):
            return None if value is None else read(inner, value)
        case ir.Scalar(name=name):
            return _scalar(name, value)
        case _:
            return value


def _scalar(name: str, value: Any) -> Any:
    match name:
        case "decimal":
            return Decimal(value)
        case "scalar":
            return str(value)
        case "datetime":
            return datetime.fromisoformat(value)
        case "date":
            return date.fromisoformat(value)
        case "duration":
            number = value.rstrip("".join(_UNITS))
            return int(number) * _UNITS[value[len(number) :]]
        case _:
            return value
