"""Steps with an effect: commands and code."""

from compiler.catalog import EffectClass, Verb
from compiler.check.addresses import is_setting
from compiler.ir import (
    Code,
    Connection,
    Const,
    Effect,
    Expr,
    Hole,
    LiteralPart,
    Policy,
    RecordOf,
    Setting,
    Template,
    Whole,
)
from compiler.lower.shapes import Shapes
from compiler.lower.values import Values, value_of
from compiler.types import JSON
from dsl import nodes


class Ids:
    """Stable step ids: block path, verb_noun[_binding], `~2` for repeats in text order."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def take(self, block: str, words: list[str]) -> str:
        """The id of the next step of these words in a block."""
        name = block + "_".join(words)
        self._seen[name] = self._seen.get(name, 0) + 1
        count = self._seen[name]
        return name if count == 1 else f"{name}~{count}"


class Commands:
    """Lowers the commands of one flow."""

    def __init__(self, values: Values, shapes: Shapes, ids: Ids) -> None:
        self._values = values
        self._facts = values.facts
        self._shapes = shapes
        self._ids = ids

    def command(self, step: nodes.Command, block: str) -> Effect:
        """A verb with its arguments, in the order of its slots, its `with`, its holes."""
        verb = self._facts.verbs[id(step)]
        binding = self._facts.binds.get(id(step))
        words = verb.title.split()
        if binding is not None and binding.name != verb.noun:
            words.append(binding.name)
        literal, holes = self._address(step, verb)
        kind = self._facts.results.get(id(step))
        typed = binding is not None and (verb.own or verb.result == "json") and kind is not None and kind != JSON
        return Effect(
            step.span,
            self._ids.take(block, words),
            verb.title,
            verb.effect.value,
            (*self._slots(step, verb), *self._with(step, verb), *holes),
            binding.variable if binding else None,
            literal,
            _policy(step.clauses),
            self._shapes.of(kind) if typed and kind is not None else None,
            within=_within(step.clauses),
            connection=self._connection(step),
            template=self._template(step),
        )

    def _connection(self, step: nodes.Command) -> Connection | None:
        chosen = self._facts.connections.get(id(step))
        return None if chosen is None else Connection(chosen.name, chosen.kind, chosen.idempotent)

    def _template(self, step: nodes.Command) -> Template | None:
        listed = self._facts.templates.get(id(step))
        if listed is None:
            return None
        parts = tuple(param.part for param in listed.params)
        return Template(listed.language, tuple(param.name for param in listed.params), parts if any(parts) else ())

    def _address(self, step: nodes.Command, verb: Verb) -> tuple[tuple[LiteralPart, ...], list[Expr]]:
        """The text after verb and noun; for an HTTP verb also what `to` gives."""
        to = next((c.value for c in step.clauses if isinstance(c, nodes.To)), None)
        if verb.literal != "url" or to is None:
            return self._literal(step.literal)
        if isinstance(to, nodes.Text):
            return self._literal(to)
        if isinstance(to, nodes.FieldOf) and is_setting(to):
            return (Setting(to.name.text),), []
        return (Whole(),), [self._values.expr(to)]

    def _slots(self, step: nodes.Command, verb: Verb) -> list[Expr]:
        values: list[Expr] = []
        filled = self._facts.slots.get(id(step), {})
        for slot in verb.slots:
            kind = nodes.By if slot.clause == "by" else nodes.To
            given = next((c.value for c in step.clauses if isinstance(c, kind)), None)
            value = given if given is not None else filled.get("by" if slot.clause == "by" else "to")
            values.append(Const(step.head, None) if value is None else self._values.expr(value))
        return values

    def _with(self, step: nodes.Command, verb: Verb) -> list[Expr]:
        if not verb.with_:
            return []
        given = next((c.value for c in step.clauses if isinstance(c, nodes.With)), None)
        if given is None:
            return [Const(step.head, None)]
        value = self._values.expr(given)
        if verb.with_ == "fields" and isinstance(value, RecordOf):
            names = {alias: f.name for f in verb.fields for alias in (*f.aliases, f.name)}
            value = RecordOf(value.span, tuple((names[key], entry) for key, entry in value.entries))
        return [value]

    def _literal(self, literal: nodes.Text | None) -> tuple[tuple[LiteralPart, ...], list[Expr]]:
        parts: list[LiteralPart] = []
        holes: list[Expr] = []
        for part in literal.parts if literal is not None else ():
            if isinstance(part, str):
                parts.append(part)
            elif isinstance(part.path, nodes.FieldOf) and is_setting(part.path):
                parts.append(Setting(part.path.name.text))
            else:
                parts.append(Hole())
                holes.append(self._values.expr(part.path))
        return tuple(parts), holes

    def code(self, step: nodes.CodeStep, block: str) -> Effect:
        """Python of the flow, with its parameters."""
        binding = self._facts.binds.get(id(step))
        words = ["code"] if binding is None else ["code", binding.name]
        params = tuple(param.text for param in step.params)
        args = tuple(value_of(self._facts.names[id(param)], param.span) for param in step.params)
        return Effect(
            step.span,
            self._ids.take(block, words),
            "code",
            EffectClass.IDEMPOTENT.value,
            args,
            binding.variable if binding else None,
            result=self._shapes.of(self._facts.results[id(step)]),
            code=Code(params, step.python, step.body),
            within=_within(step.clauses),
        )


def _policy(clauses: tuple[nodes.Clause, ...]) -> Policy:
    tries = next((c.times + 1 for c in clauses if isinstance(c, nodes.Retry)), None)
    every = next((c for c in clauses if isinstance(c, nodes.Every)), None)
    unknown = next((c.policy for c in clauses if isinstance(c, nodes.Unknown)), None)
    if every is None:
        return Policy(tries, unknown=unknown)
    low = every.low.milliseconds if isinstance(every.low, nodes.DurationLit) else None
    high = every.high.milliseconds if isinstance(every.high, nodes.DurationLit) else low
    return Policy(tries, low, high, unknown)


def _within(clauses: tuple[nodes.Clause, ...]) -> int | None:
    """The limit of all attempts and pauses, in ms."""
    limits = (c.limit for c in clauses if isinstance(c, nodes.Within))
    return next((limit.milliseconds for limit in limits if isinstance(limit, nodes.DurationLit)), None)
