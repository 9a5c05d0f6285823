"""A body that a flow takes, made up from what it declares: for the line that people paste to try it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, get_args
from urllib.parse import urlencode

import msgspec

from runtime.shapes import Field, Shape
from runtime.shapes.kinds import Kind, Schema

_BY_NAME: Final[dict[str, Any]] = {
    "nome": "João Silva",
    "name": "João Silva",
    "email": "joao@example.com",
    "e-mail": "joao@example.com",
    "telefone": "11999998888",
    "celular": "11999998888",
    "whatsapp": "11999998888",
    "phone": "11999998888",
    "valor": 10.5,
    "id": "A-1",
}
_BY_KIND: Final[dict[str, Any]] = {
    "phone": "11999998888",
    "email": "joao@example.com",
    "url": "https://example.com",
    "cpf": "52998224725",
    "cnpj": "11222333000181",
    "text or number": "A-1",
    "json": {},
    "date": "2026-01-31",
    "datetime": "2026-01-31T12:00:00Z",
    "duration": "2h",
}
_BY_TYPE: Final[dict[Any, Any]] = {str: "texto", int: 1, bool: True, Decimal: 10.5}


def sample_of(accept: Sequence[str], shape: Shape) -> str:
    """Make a body of the first kind that a flow takes."""
    if "json" in accept:
        return sample(shape)
    value = example(shape)
    return value if isinstance(value, str) else urlencode([pair for name in value for pair in _flat(name, value[name])])


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """The fields of a form that a value takes, nested by PHP's brackets."""
    match value:
        case dict() if value:
            for key, part in value.items():
                yield from _flat(f"{name}[{key}]", part)
        case list() if value:
            for index, part in enumerate(value):
                yield from _flat(f"{name}[{index}]", part)
        case str():
            yield name, value
        case _:
            yield name, msgspec.json.encode(value).decode()


def sample(shape: Shape) -> str:
    """Make a JSON body with the required fields, and of the others those that add something to look at."""
    return msgspec.json.encode(example(shape)).decode()


def example(shape: Shape) -> Any:
    """Such a body as a value."""
    first = shape.fields[0] if shape.fields else None
    if first is not None and not first.key:  # the whole body under one name
        return _value("", first.kind)
    body: dict[str, Any] = {}
    for field in shape.fields:
        value = _bounded(_value(field.key, field.kind), field.kind.schema)
        if field.required or (_is_known(field) and value not in body.values()):
            body[field.key] = value
    return body


def _bounded(value: Any, schema: Schema) -> Any:
    """The nearest value to one that lies within the bounds of its type."""
    match value:
        case str():
            return value[: schema.get("maxLength")].ljust(schema.get("minLength", 0), "o")
        case int() | float() if not isinstance(value, bool):
            return min(max(value, schema.get("minimum", value)), schema.get("maximum", value))
        case _:
            return value


def _is_known(field: Field) -> bool:
    return field.key.lower() in _BY_NAME or not field.lenient


def _value(key: str, kind: Kind) -> Any:
    """Choose by kind where that leaves no choice, then by name, then by type."""
    if kind.fields:
        return {field.key: _bounded(_value(field.key, field.kind), field.kind.schema) for field in _needed(kind)}
    if kind.item is not None:
        return [_bounded(_value("", kind.item), kind.item.schema)]
    name, bare = kind.name.removesuffix(" or null"), _bare(kind.annotation)
    if name in _BY_KIND and name not in ("text or number", "json"):
        return _BY_KIND[name]
    named = _BY_NAME.get(key.lower())
    if named is not None and _fits(named, name, bare):
        return named
    return _BY_KIND[name] if name in _BY_KIND else _by_type(bare)


def _needed(kind: Kind) -> Iterator[Field]:
    return (field for field in kind.fields if field.required)


def _fits(value: Any, kind: str, bare: Any) -> bool:
    if bare is msgspec.Raw:
        return kind in ("text or number", "json")
    return bare is str if isinstance(value, str) else bare is Decimal


def _bare(annotation: Any) -> Any:
    """Take what a type is annotated with off it, and None from a union."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    inner = [part for part in get_args(annotation) if part is not type(None)]
    return inner[0] if type(None) in get_args(annotation) else annotation


def _by_type(bare: Any) -> Any:
    if bare in _BY_TYPE:
        return _BY_TYPE[bare]
    choices = get_args(bare)  # of a Literal
    return choices[0] if choices else {}
