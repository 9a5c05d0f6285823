"""What leaves a flow: to which host or connection each step sends, and which of it is personal data."""

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.catalog import Verb
from compiler.check.commands import is_setting
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
            found.append(Egress(_written(flow, step), _where(step, verb), names, personal))
    return found


def _written(flow: Compiled, step: nodes.Command) -> str:
    at = flow.source.position(step.span.start)
    return f"{at.line}:{at.column}"


def _where(step: nodes.Command, verb: Verb) -> str:
    """A host as the flow writes it, or the kind of connection."""
    if verb.literal != "url" or step.literal is None:
        return verb.connection or "own Python"
    text = "".join(part if isinstance(part, str) else "{…}" for part in step.literal.parts)
    first = step.literal.parts[0]
    if isinstance(first, nodes.Hole) and isinstance(first.path, nodes.FieldOf):
        return f"config.{first.path.name.text}"
    return text.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0]


def _parts(flow: Compiled, step: nodes.Command) -> Iterator[tuple[str, Type]]:  # noqa: C901  # one case a kind of clause
    """What a step hands over, piece by piece, under the names that it has there."""
    filled = flow.facts.slots.get(id(step), {})
    for value in filled.values():
        yield _name(flow, value), flow.facts.type_of(value)
    for clause in step.clauses:
        if isinstance(clause, nodes.By | nodes.To):
            yield _name(flow, clause.value), flow.facts.type_of(clause.value)
        elif isinstance(clause, nodes.With) and isinstance(clause.value, nodes.Record):
            for entry in clause.value.entries:
                yield entry.key.text, flow.facts.type_of(entry.value)
        elif isinstance(clause, nodes.With):
            yield from _fields(flow, clause.value)
    for part in step.literal.parts if step.literal is not None else ():
        if isinstance(part, nodes.Hole) and not is_setting(part):
            yield _name(flow, part.path), flow.facts.type_of(part.path)


def _fields(flow: Compiled, value: nodes.Expr) -> Iterator[tuple[str, Type]]:
    kind = flow.facts.type_of(value)
    if isinstance(kind, RecordOf):
        yield from ((field.name, field.type) for field in kind.fields)
    else:
        yield _name(flow, value), kind


def _name(flow: Compiled, value: nodes.Expr) -> str:
    return value.name if isinstance(value, nodes.NameRef) else flow.source.slice(value.span)
