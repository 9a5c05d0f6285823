"""Types as flows and the catalog write them, read into types of the compiler."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from compiler.catalog import Catalog, Entity
from compiler.check.defaults import default_of
from compiler.reports import Reports, listed
from compiler.types import (
    BOOL,
    CNPJ,
    CPF,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    EMAIL,
    INT,
    JSON,
    PHONE,
    SCALAR,
    SECRET,
    TEXT,
    URL,
    EnumOf,
    FieldOf,
    ListOf,
    Prim,
    RecordOf,
    Type,
    Unknown,
    Variable,
    optional,
    with_pii,
)
from dsl import Fix, Source, nodes, parse

NAMED: dict[str, Type] = {
    "text": TEXT,
    "int": INT,
    "bool": BOOL,
    "decimal": DECIMAL,
    "scalar": SCALAR,
    "json": JSON,
    "phone": PHONE,
    "email": EMAIL,
    "url": URL,
    "cpf": CPF,
    "cnpj": CNPJ,
    "datetime": DATETIME,
    "date": DATE,
    "duration": DURATION,
}
_RANGED = frozenset({"text", "int", "decimal"})
# Words of other languages that surely mean one of ours.
_HABITS = {
    "string": "text",
    "str": "text",
    "integer": "int",
    "number": "decimal",
    "float": "decimal",
    "boolean": "bool",
    "object": "json",
    "any": "json",
    "timestamp": "datetime",
}

Types = Mapping[str, Type]


class TypeReader:
    """Reads the types that a flow writes; `declared` are those of the folder. What cannot be read is reported."""

    def __init__(self, reports: Reports, declared: Types) -> None:
        self._reports = reports
        self._declared = declared

    def read(self, written: nodes.TypeExpr) -> Type:
        """The type; Unknown where there is none."""
        match written:
            case nodes.TypeName():
                return self._named(written)
            case nodes.OptionalType(inner=inner):
                return optional(self.read(inner))
            case nodes.ListType(item=item):
                return ListOf(self.read(item))
            case nodes.EnumType(values=values):
                return self._enum(values)
            case nodes.RecordType(fields=fields):
                return RecordOf(tuple(self._field(field) for field in unique_fields(fields, self._reports)))
            case nodes.PiiType(inner=inner):
                return with_pii(self.read(inner))

    def _enum(self, values: tuple[nodes.Text, ...]) -> Type:
        texts: dict[str, nodes.Text] = {}
        for value in values:
            if value.static is None:
                self._reports.add("E215", value.span, "the values of a type are plain text, without holes", "a hole")
                return Unknown()
            first = texts.setdefault(value.static, value)
            if first is not value:
                related = [(first.span, "first given here")]
                self._reports.add("E207", value.span, f'"{value.static}" is given twice', "again", related=related)
        return EnumOf(tuple(texts))

    def _field(self, field: nodes.FieldDecl) -> FieldOf:
        key = field.key.static if field.key is not None else None
        kind = self.read(field.type)
        default = default_of(field, kind, self._reports)
        return FieldOf(field.name.text, kind, key or field.name.text, doc=field.doc, default=default)

    def _named(self, written: nodes.TypeName) -> Type:
        known = self._declared.get(written.name) or NAMED.get(written.name)
        if known is None and written.name == "secret":
            message = "a secret never comes from a payload"
            self._reports.add("E601", written.span, message, "secrets are read as `secret.NAME`")
            return Unknown()
        if known is None:
            self._no_such_type(written)
            return Unknown()
        return self._ranged(written, known) if written.ranged else known

    def _ranged(self, written: nodes.TypeName, known: Type) -> Type:
        if not isinstance(known, Prim) or known.name not in _RANGED:
            message = f"{written.name} takes no range"
            self._reports.add("E205", written.span, message, "text(1..200), int(0..) and decimal(0..) do")
            return known
        if written.low is not None and written.high is not None and written.low > written.high:
            self._reports.add("E205", written.span, "this range holds nothing", "its start lies after its end")
        return replace(known, low=written.low, high=written.high)

    def _no_such_type(self, written: nodes.TypeName) -> None:
        names = [*NAMED, *self._declared]
        meant = _HABITS.get(written.name.lower()) or self._reports.nearest(written.name, names)
        fixes: list[Fix] = []
        if meant is not None:
            fixes.append(
                self._reports.replace(f"replace `{written.name}` by `{meant}`", written.span, meant, safe=True)
            )
        self._reports.add(
            "E205",
            written.span,
            f"there is no type `{written.name}`",
            f"did you mean `{meant}`?" if meant else "unknown type",
            notes=[f"the types are {listed(names)}; `T?` may be absent, `[T]` is an array, `{{a: T}}` an object"],
            fixes=fixes,
        )


def unique_fields(fields: tuple[nodes.FieldDecl, ...], reports: Reports) -> list[nodes.FieldDecl]:
    """The fields of a record type without repeats, which are reported."""
    names: dict[str, nodes.FieldDecl] = {}
    for field in fields:
        first = names.setdefault(field.name.text, field)
        if first is not field:
            reports.add(
                "E207",
                field.name.span,
                f"field `{field.name.text}` is declared twice",
                "declared again here",
                related=[(first.name.span, "first declared here")],
            )
    return list(names.values())


# --- the catalog's own way of writing types

_VARIABLE = re.compile(r"[A-Z]")


def catalog_type(written: str, catalog: Catalog) -> Type:
    """A type as the catalog writes it: as flows do, and `secret`, an entity, or one capital for a variable.

    Raises ValueError where it is none.
    """
    if written.endswith("?"):
        return optional(catalog_type(written.removesuffix("?"), catalog))
    if written.startswith("["):
        return ListOf(catalog_type(written[1:-1], catalog))
    if written == "secret":
        return SECRET
    if _VARIABLE.fullmatch(written):
        return Variable(written)
    if (entity := catalog.entities.get(written)) is not None:
        return entity_type(entity, catalog)
    return NAMED.get(written) or _as_in_flows(written)


@lru_cache(maxsize=1024)
def _as_in_flows(written: str) -> Type:
    """A type that is more than a name. Pure, and asked for again by every call of a function."""
    parsed = parse(Source("catalog", f"type t = {written}"))
    items = parsed.file.items if parsed.file is not None else ()
    reports = Reports(Source("catalog", f"type t = {written}"))
    match items:
        case (nodes.TypeDef(type=found),) if not parsed.diagnostics:
            kind = TypeReader(reports, {}).read(found)
            if not reports.diagnostics:
                return kind
        case _:
            pass
    raise ValueError(f"{written!r} is not a type")


def entity_type(entity: Entity, catalog: Catalog) -> RecordOf:
    """The nominal record of an entity."""
    fields = (FieldOf(f.name, catalog_type(f.type, catalog), f.name, f.aliases, f.doc) for f in entity.fields)
    return RecordOf(tuple(fields), entity.name)
