"""What a delivery is: the media types that a flow takes, with the schema of its payload and an example of each."""

from collections.abc import Mapping
from typing import Any, Final

from runtime.door.answers import media_types
from runtime.door.samples import example
from runtime.program import Program
from runtime.shapes import Field

Schema = Mapping[str, Any]
Docs = Mapping[tuple[str, ...], str]

_OF_FILES: Final = frozenset({"name", "type", "size", "base64"})
_ONLY_OF_FILES: Final = frozenset({"size", "base64"})
_FILE: Final = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
_CONTENT: Final = "the content of a file"
_ANY_JSON: Final = {"type": ["object", "array"]}
_NESTED: Final = {"style": "deepObject", "explode": True}  # a[b]=c

_SAYS: Final = {
    "form": "In a form, objects are fields with brackets (`a[b][c]=1`) or JSON in a field, arrays come again or are "
    "numbered (`a[0]=1`).",
    "text": "Text of any content type is taken, in UTF-8 or ISO-8859-1 as `charset` says.",
}


def request_body(program: Program) -> dict[str, Any]:
    """The body of a delivery."""
    media = dict(zip(program.accept, media_types(program.accept), strict=True))
    says = (f"At most {program.limit:,} bytes.", *(_SAYS[kind] for kind in program.accept if kind in _SAYS))
    content = {media[kind]: _content(kind, program) for kind in program.accept}
    return {"required": True, "description": " ".join(says), "content": content}


def _content(kind: str, program: Program) -> dict[str, Any]:
    schema = payload_schema(program)
    match kind:
        case "form":
            fields = _of_form(schema)
            nested = {key: _NESTED for key, one in fields.get("properties", {}).items() if "properties" in one}
            told = {"schema": fields, "example": example(program.payload)}
            return {**told, **({"encoding": nested} if nested else {})}
        case "multipart":
            parts = _of_form(schema, files=True)
            return {"schema": parts, "example": _as_parts(parts, example(program.payload))}
        case "text":
            value = example(program.payload)
            return {"schema": schema or {"type": "string"}, **({"example": value} if isinstance(value, str) else {})}
        case _:
            return {"schema": schema or _ANY_JSON, "example": example(program.payload)}


def payload_schema(program: Program) -> Schema:
    """The schema of a payload, with what is written about its fields."""
    lenient = {field.key: field for field in program.payload.fields if field.lenient}
    documented = _documented(program.payload.schema, (), program.contract.fields)
    if not lenient:
        return documented
    properties = {
        key: _lenient(lenient[key]) if key in lenient else schema for key, schema in documented["properties"].items()
    }
    return {**documented, "properties": properties}


def _lenient(field: Field) -> Schema:
    """A value of any kind is taken, so that the schema forbids none."""
    return {"description": f"{field.kind.name}; what is something else is left out"}


def _documented(schema: Schema, path: tuple[str, ...], docs: Docs) -> Schema:
    found = dict(schema)
    if "anyOf" in found:
        found["anyOf"] = [_documented(one, path, docs) for one in found["anyOf"]]
    if "items" in found:
        found["items"] = _documented(found["items"], path, docs)
    if "properties" in found:
        found["properties"] = {key: _field(one, (*path, key), docs) for key, one in found["properties"].items()}
    return found


def _field(schema: Schema, path: tuple[str, ...], docs: Docs) -> Schema:
    found = dict(_documented(schema, path, docs))
    said = [text for text in (docs.get(path), found.pop("description", None)) if text]
    return {**found, "description": "\n\n".join(said)} if said else found


def _of_form(schema: Schema, *, files: bool = False) -> Schema:
    """The schema of a form: nothing in it is null, and what is declared as the record of a file is sent as one."""
    if "anyOf" in schema and schema["anyOf"][1:] and {"type": "null"} in schema["anyOf"]:
        others = {key: value for key, value in schema.items() if key != "anyOf"}
        return {**_of_form(schema["anyOf"][0], files=files), **others}
    if "items" in schema:
        item = _of_form(schema["items"], files=files)
        return {"anyOf": [{**schema, "items": item}, item]}  # a field that comes once is an array of one
    properties = schema.get("properties")
    if properties is None:
        return schema
    if files and _ONLY_OF_FILES & properties.keys() and properties.keys() <= _OF_FILES:
        return {**_FILE, **({"description": schema["description"]} if "description" in schema else {})}
    return {**schema, "properties": {key: _of_form(one, files=files) for key, one in properties.items()}}


def _as_parts(schema: Schema, value: Any) -> Any:
    """An example as a form of several parts has it: of a file its content."""
    match schema:
        case {"format": "binary"}:
            return _CONTENT
        case {"anyOf": [first, *_]}:
            return _as_parts(first, value)
        case {"items": item} if isinstance(value, list):
            return [_as_parts(item, one) for one in value]
        case {"properties": properties} if isinstance(value, dict):
            return {key: _as_parts(properties[key], one) for key, one in value.items()}
        case _:
            return value
