"""What leaves a flow: to which host or connection each step sends, and which of it is personal data."""

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.catalog import Verb
from compiler.check.addresses import is_setting
from compiler.pipeline import Compiled
from compiler.types import RecordOf, Type, is_pii
from dsl import nodes


@dataclass(frozen=True, slots=True)
class Egress:
    """One step through which data leaves."""

    step: str
    where: str
    fields: tuple[str, ...]
    personal: tuple[str, ...]


def egress(flow: Compiled) -> list[Egress]:
    """Every step that sends something out, in text order."""
    found = []
    for step in nodes.walk(flow.expanded.flow):
        verb = flow.facts.verbs.get(id(step))
        if isinstance(step, nodes.Command) and verb is not None:
            parts = list(_parts(flow, step))
            personal = tuple(dict.fromkeys(name for name, kind in parts if is_pii(kind)))
            names = tuple(dict.fromkeys(name for name, _ in parts))
            found.append(Egress(_written(flow, step), _where(flow, step, verb), names, personal))
    return found


def _written(flow: Compiled, step: nodes.Command) -> str:
    at = flow.source.position(step.span.start)
    return f"{at.line}:{at.column}"


def _where(flow: Compiled, step: nodes.Command, verb: Verb) -> str:
    """A host as the flow or its connection has it, or what the connection is needed for."""
    connection = flow.facts.connections.get(id(step))
    if connection is not None:
        onward = ", and on to where that redirects" if connection.redirects else ""
        return f"{connection.origin.partition('://')[2] or verb.connection} via {connection.name}{onward}"
    if verb.literal != "url":
        return verb.connection or "own Python"
    to = next((clause.value for clause in step.clauses if isinstance(clause, nodes.To)), None)
    return _host(flow, to or step.literal)


def _host(flow: Compiled, address: nodes.Expr | None) -> str:
    """The host of an address without a connection: literal, one setting, or whatever a value says."""
    if isinstance(address, nodes.FieldOf) and is_setting(address):
        return f"config.{address.name.text}"
    if not isinstance(address, nodes.Text):
        return f"any host: {_name(flow, address)}" if address is not None else ""
    first = address.parts[0]
    if isinstance(first, nodes.Hole) and isinstance(first.path, nodes.FieldOf):
        return f"config.{first.path.name.text}"
    text = "".join(part if isinstance(part, str) else "{…}" for part in address.parts)
    return text.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0]


def _parts(flow: Compiled, step: nodes.Command) -> Iterator[tuple[str, Type]]:
    """What a step hands over, piece by piece, under the names that it has there."""
    filled = flow.facts.slots.get(id(step), {})
    for value in filled.values():
        yield _name(flow, value), flow.facts.type_of(value)
    for clause in step.clauses:
        if isinstance(clause, nodes.By | nodes.To) and not isinstance(clause.value, nodes.Record):
            yield from _named(flow, clause.value)
        elif isinstance(clause, nodes.By | nodes.With) and isinstance(clause.value, nodes.Record):
            for entry in clause.value.entries:
                yield entry.key.text, flow.facts.type_of(entry.value)
        elif isinstance(clause, nodes.With):
            yield from _fields(flow, clause.value)
    if step.literal is not None:
        yield from _named(flow, step.literal)


def _named(flow: Compiled, value: nodes.Expr) -> Iterator[tuple[str, Type]]:
    """A value, or what text has in its holes; settings are no data."""
    if isinstance(value, nodes.Text):
        for part in value.parts:
            if isinstance(part, nodes.Hole):
                yield from _named(flow, part.path)
    elif not is_setting(value):
        yield _name(flow, value), flow.facts.type_of(value)


def _fields(flow: Compiled, value: nodes.Expr) -> Iterator[tuple[str, Type]]:
    kind = flow.facts.type_of(value)
    if isinstance(kind, RecordOf):
        yield from ((field.name, field.type) for field in kind.fields)
    else:
        yield _name(flow, value), kind


def _name(flow: Compiled, value: nodes.Expr) -> str:
    return value.name if isinstance(value, nodes.NameRef) else flow.source.slice(value.span)
