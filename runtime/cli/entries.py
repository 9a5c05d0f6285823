"""Entries of the catalog as documents: each with the line that a flow writes."""

from collections.abc import Iterable
from typing import Final

import msgspec

from compiler.catalog import (
    Catalog,
    EffectClass,
    Entity,
    Example,
    Field,
    Function,
    Param,
    Scheme,
    Slot,
    Template,
    TemplateParam,
    Verb,
)

_BY_PLACE: Final = ("secret", "old", "user", "password")  # parameters of schemes
_LITERALS: Final = {"": "", "static": ' "NAME"', "url": ' "URL"'}


class VerbEntry(msgspec.Struct, frozen=True):
    """A step with an effect."""

    name: str
    signature: str
    doc: str
    effect: EffectClass
    literal: str
    clauses: tuple[Slot, ...]
    fields: tuple[Field, ...]
    result: str
    connection: str
    failures: tuple[str, ...]
    service_failures: tuple[str, ...]


class FunctionEntry(msgspec.Struct, frozen=True):
    """A function."""

    name: str
    signature: str
    doc: str
    params: tuple[Param, ...]
    result: str
    rewrites: bool
    failures: tuple[str, ...]
    examples: tuple[Example, ...]


class EntityEntry(msgspec.Struct, frozen=True):
    """A record that verbs give and take."""

    name: str
    signature: str
    doc: str
    key: str
    fields: tuple[Field, ...]


class TemplateEntry(msgspec.Struct, frozen=True):
    """A message template of the catalog file."""

    name: str
    signature: str
    doc: str
    language: str
    params: tuple[TemplateParam, ...]


class SchemeEntry(msgspec.Struct, frozen=True):
    """A way in which a delivery proves who sent it."""

    name: str
    signature: str
    doc: str
    proof: str
    params: tuple[Param, ...]


class Document(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.catalog/1"):
    """`seta catalog --json`."""

    verbs: list[VerbEntry]
    functions: list[FunctionEntry]
    entities: list[EntityEntry]
    templates: list[TemplateEntry]
    schemes: list[SchemeEntry]


AnyEntry = VerbEntry | FunctionEntry | EntityEntry | TemplateEntry | SchemeEntry


def entries(known: Catalog) -> list[AnyEntry]:
    """All of a catalog: verbs, functions, records, schemes, templates, each in order of name."""
    return [
        *(_verb(verb) for _, verb in sorted(known.verbs.items())),
        *(_function(function) for _, function in sorted(known.functions.items())),
        *(_entity(entity) for _, entity in sorted(known.entities.items())),
        *(_scheme(scheme) for _, scheme in sorted(known.schemes.items())),
        *(_template(template, known) for _, template in sorted(known.templates.items())),
    ]


def document(found: Iterable[AnyEntry]) -> Document:
    """Entries by kind."""
    made = Document([], [], [], [], [])
    for entry in found:
        match entry:
            case VerbEntry():
                made.verbs.append(entry)
            case FunctionEntry():
                made.functions.append(entry)
            case EntityEntry():
                made.entities.append(entry)
            case TemplateEntry():
                made.templates.append(entry)
            case SchemeEntry():
                made.schemes.append(entry)
    return made


def param_type(param: Param) -> str:
    """The type of a parameter; of one that may be left out an optional one."""
    return param.type if param.required else f"{param.type.removesuffix('?')}?"


def _verb(verb: Verb) -> VerbEntry:
    result = f"{verb.result}?" if verb.finds else verb.result
    return VerbEntry(
        name=verb.title,
        signature=f"{_step(verb)}: {result}" if result else _step(verb),
        doc=verb.doc,
        effect=verb.effect,
        literal=verb.literal,
        clauses=verb.slots,
        fields=verb.fields,
        result=result,
        connection=verb.connection,
        failures=verb.failures,
        service_failures=verb.service_failures,
    )


def slot_of(slot: Slot) -> str:
    """A clause with what it takes."""
    return f"{slot.clause} {' | '.join((*slot.types, *(('{NAME: text}',) if slot.keys else ())))}"


def _step(verb: Verb) -> str:
    """The step as a flow writes it; what stands in brackets may be left out."""
    parts = [verb.title + _LITERALS[verb.literal]]
    for slot in verb.slots:
        clause = slot_of(slot)
        parts.append(f"[{clause}]" if slot.fills or not slot.required else clause)
    if verb.with_ == "exact":
        needed = any(not field.type.endswith("?") for field in verb.fields)
        fields = ", ".join(field.name + "?" * field.type.endswith("?") for field in verb.fields)
        parts.append(f"with {{{fields}}}" if needed else f"[with {{{fields}}}]")
    elif verb.with_:
        names = ", ".join(field.name for field in verb.fields) or "…"
        parts.append(f"[with {{{names}}}]")
    return " ".join(parts)


def _function(function: Function) -> FunctionEntry:
    params = ", ".join(f"{param.name}: {param_type(param)}" for param in function.params)
    return FunctionEntry(
        name=function.name,
        signature=f"{function.name}({params}): {function.result}",
        doc=function.doc,
        params=function.params,
        result=function.result,
        rewrites=function.rewrites,
        failures=function.failures,
        examples=function.examples,
    )


def _entity(entity: Entity) -> EntityEntry:
    fields = ", ".join(f"{field.name}: {field.type}" for field in entity.fields)
    return EntityEntry(entity.name, f"{entity.name} = {{{fields}}}", entity.doc, entity.key, entity.fields)


def _template(template: Template, known: Catalog) -> TemplateEntry:
    """A template with the step that sends it."""
    sending = next((verb.title for _, verb in sorted(known.verbs.items()) if verb.with_ == "params"), "")
    params = ", ".join(f"{param.name}: {param.type}" for param in template.params)
    signature = f'{sending} "{template.name}"' + (f" with {{{params}}}" if params else "")
    return TemplateEntry(template.name, signature, template.doc, template.language, template.params)


def _scheme(scheme: Scheme) -> SchemeEntry:
    return SchemeEntry(scheme.name, _clause(scheme), scheme.doc, scheme.proof, scheme.params)


def _clause(scheme: Scheme) -> str:
    """The clause of a trigger as a flow writes it; what stands in brackets may be left out."""
    words = {"signed": f"signed {scheme.name}", "token": 'token header "X-Token" '}.get(scheme.clause, scheme.name)
    given = [param for param in scheme.params if scheme.clause != "token" or param.type != "header"]
    return f"{words}({', '.join(map(_given, given))})"


def _given(param: Param) -> str:
    """An argument as people write it: a secret by place, all else by name."""
    named = f"{param.name}: " if param.type != "secret" or param.name not in _BY_PLACE else ""
    value = f"secret.{param.name.upper()}" if param.type == "secret" else "…"
    return f"{named}{value}" if param.required else f"[{named}{value}]"
