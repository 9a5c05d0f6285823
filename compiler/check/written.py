"""Types as flows and the catalog write them, read into types of the compiler."""

from compiler.catalog import Catalog, Entity
from compiler.reports import Reports, listed, nearest
from compiler.types import (
    BOOL,
    DECIMAL,
    DURATION,
    EMAIL,
    INT,
    JSON,
    PHONE,
    SCALAR,
    SECRET,
    TEXT,
    EnumOf,
    FieldOf,
    ListOf,
    RecordOf,
    Type,
    Unknown,
    optional,
)
from dsl import nodes
from dsl.diagnostics import Fix

NAMED: dict[str, Type] = {
    "text": TEXT,
    "int": INT,
    "bool": BOOL,
    "decimal": DECIMAL,
    "scalar": SCALAR,
    "json": JSON,
    "phone": PHONE,
    "email": EMAIL,
}
_LATER = frozenset({"datetime", "date", "duration", "url", "cpf", "cnpj"})
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
}


def read_type(written: nodes.TypeExpr, reports: Reports) -> Type:
    """The type that a flow writes; what cannot be read is reported and Unknown."""
    match written:
        case nodes.TypeName():
            return _named(written, reports)
        case nodes.OptionalType(inner=inner):
            return optional(read_type(inner, reports))
        case nodes.ListType(item=item):
            return ListOf(read_type(item, reports))
        case nodes.EnumType(values=values):
            return EnumOf(tuple(value.static or "" for value in values))
        case nodes.RecordType(fields=fields):
            return RecordOf(tuple(_field(field, reports) for field in unique_fields(fields, reports)))
        case nodes.PiiType():
            reports.not_yet(written.span, "the qualifier `pii`")
            return read_type(written.inner, reports)


def _field(field: nodes.FieldDecl, reports: Reports) -> FieldOf:
    key = field.key.static if field.key is not None else None
    return FieldOf(field.name.text, read_type(field.type, reports), key or field.name.text)


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


def _named(written: nodes.TypeName, reports: Reports) -> Type:
    if written.ranged:
        reports.not_yet(written.span, "a range on a type")
    if (known := NAMED.get(written.name)) is not None:
        return known
    if written.name in _LATER:
        reports.not_yet(written.span, f"type `{written.name}`")
    elif written.name == "secret":
        reports.add(
            "E601",
            written.span,
            "a secret never comes from a payload",
            "secrets are read as `secret.NAME`",
        )
    else:
        _no_such_type(written, reports)
    return Unknown()


def _no_such_type(written: nodes.TypeName, reports: Reports) -> None:
    meant = _HABITS.get(written.name.lower()) or nearest(written.name, NAMED)
    fixes: list[Fix] = []
    if meant is not None:
        fixes.append(reports.replace(f"replace `{written.name}` by `{meant}`", written.span, meant, safe=True))
    reports.add(
        "E205",
        written.span,
        f"there is no type `{written.name}`",
        f"did you mean `{meant}`?" if meant else "unknown type",
        notes=[f"the types are {listed(NAMED)}; `T?` may be absent, `[T]` is an array, `{{a: T}}` an object"],
        fixes=fixes,
    )


def catalog_type(written: str, catalog: Catalog) -> Type:
    """A type as the catalog writes it: a name, with `?` where it may be absent."""
    if written.endswith("?"):
        return optional(catalog_type(written.removesuffix("?"), catalog))
    if written == "secret":
        return SECRET
    if written == "duration":
        return DURATION
    if (entity := catalog.entities.get(written)) is not None:
        return entity_type(entity, catalog)
    return NAMED[written]


def entity_type(entity: Entity, catalog: Catalog) -> RecordOf:
    """The nominal record of an entity."""
    fields = (FieldOf(f.name, catalog_type(f.type, catalog), f.name, f.aliases) for f in entity.fields)
    return RecordOf(tuple(fields), entity.name)
