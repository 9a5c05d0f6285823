"""What a flow tells its senders beside the types of its payload: what it is for, what its fields mean, what it answers.

Nothing of it belongs to the plan: a comment changes no run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compiler.pipeline import Compiled
from compiler.types import EnumOf, FieldOf, ListOf, NoneType, OptionalOf, Prim, RecordOf, Type
from dsl import nodes

Schema = Mapping[str, Any]
Path = tuple[str, ...]  # JSON keys from the top of a body; items of an array have the path of the array


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that the flow itself gives. `schema` is JSON Schema (2020-12); None: it has no body."""

    status: int
    schema: Schema | None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """`doc` is of the flow, `fields` are those of its payload that say something, in text order."""

    doc: str
    fields: tuple[tuple[Path, str], ...]
    replies: tuple[Reply, ...]


def contract_of(flow: Compiled) -> Contract:
    """What a compiled flow tells its senders."""
    written, facts = flow.expanded.flow, flow.facts
    return Contract(written.doc, tuple(_docs(facts.payload, (), outermost=True)), tuple(_replies(flow)))


def _docs(kind: Type, path: Path, *, outermost: bool = False) -> Iterator[tuple[Path, str]]:
    """What is written about the fields of a type."""
    match kind:
        case OptionalOf(inner) | ListOf(inner):
            yield from _docs(inner, path)
        case RecordOf(fields):
            for field in fields:
                whole = outermost and not field.key  # a body under one name has no key of its own
                here = path if whole else (*path, field.key)
                if field.doc:
                    yield here, field.doc
                yield from _docs(field.type, here)
        case _:
            pass


def _replies(flow: Compiled) -> Iterator[Reply]:
    """The answers in text order: the immediate one, or those of `respond`."""
    for node in nodes.walk(flow.expanded.flow):
        match node:
            case nodes.Answer(status=status, body=body):
                yield Reply(status, _body(flow, body))
            case nodes.Respond(status=status, body=body, doc=doc):
                yield Reply(status, _body(flow, body), doc)
            case _:
                pass


def _body(flow: Compiled, body: nodes.Expr | None) -> Schema | None:
    return None if body is None else schema_of(flow.facts.type_of(body))


_TEXT: Final = {"type": "string"}
_SCHEMAS: Final[dict[str, Schema]] = {
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "decimal": {"type": "number"},
    "json": {},
    "email": {**_TEXT, "format": "email"},
    "url": {**_TEXT, "format": "uri"},
    "datetime": {**_TEXT, "format": "date-time"},
    "date": {**_TEXT, "format": "date"},
    "duration": {**_TEXT, "format": "duration"},
}


def schema_of(kind: Type) -> Schema:
    """What JSON Schema can say of a value of a type that leaves us. Ranges hold at the door, and are not known here."""
    match kind:
        case Prim(name):
            return _SCHEMAS.get(name, _TEXT)
        case EnumOf(values):
            return {"enum": list(values)}
        case ListOf(item):
            return {"type": "array", "items": schema_of(item)}
        case OptionalOf(inner):
            found = schema_of(inner)
            return {"anyOf": [found, {"type": "null"}]} if found else found
        case RecordOf(fields):
            return _object(fields)
        case NoneType():
            return {"type": "null"}
        case _:
            return {}


def _object(fields: tuple[FieldOf, ...]) -> Schema:
    properties = {field.key or field.name: _documented(field) for field in fields}
    required = [field.key or field.name for field in fields if not isinstance(field.type, OptionalOf)]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _documented(field: FieldOf) -> Schema:
    schema = schema_of(field.type)
    return {**schema, "description": field.doc} if field.doc else schema
