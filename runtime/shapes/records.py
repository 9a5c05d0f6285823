"""Record types at the door: the struct that msgspec fills, and the slow way that tells every problem."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from runtime.shapes.kinds import Kind, Schema, anything, or_null
from runtime.shapes.problems import Enough, MisfitError, Mismatch, Problem, describe, refuse
from runtime.shapes.reading import load_exactly, loads, of_form, opened


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record: `name` in the flow, `key` in the JSON.

    A `lenient` field never rejects a body: a value that does not fit counts as absent, and is noted.
    """

    name: str
    key: str
    kind: Kind
    required: bool = True
    default: Any = None
    default_in_json: Any = None
    lenient: bool = False

    @property
    def schema(self) -> Schema:
        """What JSON Schema can say of a value: null is absence, and so is empty text where it is no value itself."""
        kind = self.kind
        if self.required:
            return kind.schema if kind.keeps_empty else _not_empty(kind.schema)
        optional = or_null(kind.schema)
        if not kind.keeps_empty:
            optional = {"anyOf": [*optional["anyOf"], {"const": ""}]}
        return {**optional, **({} if self.default is None else {"default": self.default_in_json})}

    def absent(self, value: object) -> bool:
        """Whether this value, read the slow way, counts as none at all."""
        return value is None or (value == "" and not self.kind.keeps_empty)


def _not_empty(schema: Schema) -> Schema:
    """The schema of a text that may not be empty, where it does not say so by itself."""
    says = {"enum", "format", "minLength", "pattern"} & schema.keys()
    return schema if says or "string" not in schema.get("type", ()) else {**schema, "minLength": 1}


def field(  # noqa: PLR0913  # all but two are optional
    name: str,
    kind: Kind,
    *,
    key: str = "",
    required: bool = True,
    default: Any = None,
    given: str = "",
    lenient: bool = False,
) -> Field:
    """A field, as generated code writes it; `given` is a default as its sender would have written it, in JSON."""
    if given:
        default = reader(kind)(given.encode())
    shown = json.loads(given) if given else default
    return Field(name, key or name, kind, required, default, shown, lenient)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A payload and the pointers of the lenient fields that were left out."""

    payload: Any
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """A record type at the door."""

    name: str
    fields: tuple[Field, ...]
    struct: type[msgspec.Struct]
    plain: Callable[..., Any]  # the same struct without refinement, for values that are final
    _decode: Callable[[bytes], Any]

    @property
    def keys(self) -> tuple[str, ...]:
        """The JSON keys that are read from the top of a body."""
        return tuple(field.key for field in self.fields)

    @property
    def schema(self) -> Schema:
        """What JSON Schema (2020-12) can say of a body."""
        required = [field.key for field in self.fields if field.required]
        properties = {field.key: field.schema for field in self.fields}
        return {"type": "object", "properties": properties, **({"required": required} if required else {})}

    def decode(self, body: bytes) -> Decoded:
        """Decode a body that was screened for depth.

        Raises:
            NotJsonError: it is not JSON.
            MisfitError: with every problem there is.
        """
        try:
            return Decoded(self._decode(body))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return self.read(loads(body))

    def decode_form(self, body: bytes) -> Decoded:
        """Decode a form that is written as JSON: its texts are read as what the types say.

        Raises as `decode` does.
        """
        return self.read(of_form(loads(body)))

    def take(self, value: Any, pointer: str, problems: list[Problem]) -> Any:
        """The struct from a value read the slow way; problems are noted, and then the struct is of no use."""
        value = opened(value)
        if not isinstance(value, Mapping):
            problems.append(Problem(pointer, "object", describe(value)))
            return None
        return {field.name: _take_field(field, value, pointer, problems) for field in self.fields}

    def kind(self) -> Kind:
        """This record as the type of a field."""

        def take(value: Any, pointer: str, problems: list[Problem]) -> Any:
            before = len(problems)
            taken = self.take(value, pointer, problems)
            return None if len(problems) > before else self.plain(**taken)

        return Kind("object", self.struct, take, self.schema, fields=self.fields)

    def read(self, value: Any) -> Decoded:
        """The payload from a value that was read the slow way. Raises MisfitError with every problem there is."""
        problems: list[Problem] = []
        try:
            taken = self.take(value, "", problems)
        except Enough:
            raise MisfitError(problems) from None
        left_out = {f"/{escaped(field.key)}" for field in self.fields if field.lenient}
        hard = [problem for problem in problems if not _under(problem.pointer, left_out)]
        if hard:
            raise MisfitError(hard)
        return Decoded(self.plain(**taken), tuple(problem.pointer for problem in problems))


def _under(pointer: str, roots: set[str]) -> bool:
    return "/" + pointer[1:].partition("/")[0] in roots


def escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _take_field(field: Field, value: Mapping[str, Any], pointer: str, problems: list[Problem]) -> object:
    given = value.get(field.key)
    here = f"{pointer}/{escaped(field.key)}"
    if not field.absent(given):
        return field.kind.take(given, here, problems)
    if field.required:
        got = describe(given) if field.key in value else "nothing"
        problems.append(Problem(here, field.kind.name, got))
    return field.default


def reader(kind: Kind) -> Callable[[bytes], Any]:
    """Reads JSON that must be of a kind. What it gives raises NotJsonError and MisfitError."""
    return lambda body: _taken(kind, loads(body))


def _taken(kind: Kind, value: Any) -> Any:
    problems: list[Problem] = []
    try:
        taken = kind.take(value, "", problems)
    except Enough:
        raise MisfitError(problems) from None
    if problems:
        raise MisfitError(problems)
    return taken


def _finisher(fields: tuple[Field, ...]) -> Callable[[Any], None] | None:
    """What the struct does after msgspec filled it: refine values, put defaults for null and for empty text."""
    steps = [
        (f.name, f.kind.refine, f.kind.annotation is msgspec.Raw, f)
        for f in fields
        if f.kind.refine is not None or not f.kind.keeps_empty or f.default is not None
    ]
    if not steps:
        return None

    def finish(self: Any) -> None:
        for name, refine, raw, field in steps:
            value = getattr(self, name)
            if value is field.default is not None:
                continue  # it is what refining would give
            if value is None or value == "" or (raw and bytes(value) in (b"null", b'""')):
                _put_absent(self, field, value)
            elif refine is not None:
                setattr(self, name, refine(value))

    return finish


def _put_absent(struct: Any, field: Field, value: Any) -> None:
    """Absence becomes the default; `json` keeps null and empty text as they are, and `text` what its range allows."""
    if value == "" and field.kind.keeps_empty:
        if field.kind.refine is not None:
            field.kind.refine(value)
        return
    if isinstance(value, msgspec.Raw) and field.kind.keeps_empty and bytes(value) != b"null":
        setattr(struct, field.name, "")
        return
    if field.required:
        refuse()
    setattr(struct, field.name, field.default)


def whole(name: str, kind: Kind) -> Shape:
    """A payload that is the whole body, under one name."""
    read = reader(kind)
    struct = msgspec.defstruct(name or "Payload", [(name, Any)], gc=False)

    def decode(body: bytes) -> Any:
        if kind is anything:
            with suppress(Mismatch):
                return struct(load_exactly(body))
        return struct(read(body))

    return _Whole(name, (Field(name, "", kind),), struct, struct, decode)


@dataclass(frozen=True, slots=True)
class _Whole(Shape):
    """Always read the slow way: what does not fit is told then and there."""

    @property
    def keys(self) -> tuple[str, ...]:
        """No key of the body has a meaning of its own: repeats are found while reading."""
        return ()

    @property
    def schema(self) -> Schema:
        """As of its only field."""
        return self.fields[0].kind.schema

    def decode(self, body: bytes) -> Decoded:
        """As for any shape."""
        return Decoded(self._decode(body))

    def read(self, value: Any) -> Decoded:
        """As for any shape."""
        return Decoded(self.struct(_taken(self.fields[0].kind, value)))


def _default_of(field: Field) -> Any:
    """As msgspec takes it: nothing writes to what a flow reads, so that all structs may share an array or a record."""
    if isinstance(field.default, list | dict | msgspec.Struct):
        return msgspec.field(default_factory=lambda: field.default)
    return field.default


def record(name: str, *fields: Field) -> Shape:
    """A record type from its fields."""
    parts: list[Any] = []
    for f in fields:
        if f.required:
            parts.append((f.name, f.kind.annotation))
        elif f.kind.annotation is msgspec.Raw:
            parts.append((f.name, msgspec.Raw, _default_of(f)))
        else:
            parts.append((f.name, f.kind.annotation | None, _default_of(f)))
    finish = _finisher(fields)
    rename = {f.name: f.key for f in fields}
    plain = msgspec.defstruct(name, parts, kw_only=True, gc=False, rename=rename)
    struct = plain
    if finish is not None:
        namespace = {"__post_init__": finish}
        struct = msgspec.defstruct(name, parts, kw_only=True, gc=False, rename=rename, namespace=namespace)
    return Shape(name, fields, struct, plain, msgspec.json.Decoder(struct).decode)
