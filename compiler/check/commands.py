"""Commands: verbs of the catalog with their literal, slots (rule R4) and clauses."""

from dataclasses import dataclass
from typing import Literal

from compiler.catalog import EffectClass, Slot, Verb
from compiler.check.addresses import Addresses
from compiler.check.connections import Connections
from compiler.check.expressions import Expressions
from compiler.check.facts import Environment, Facts
from compiler.check.given import Given
from compiler.check.keys import ForeignKeys
from compiler.check.written import TypeReader, catalog_type
from compiler.expand import Fill, title
from compiler.reports import Reports, listed, way
from compiler.scope import Binding, Scope
from compiler.types import (
    OptionalOf,
    Type,
    Unknown,
    fits,
    is_text,
    optional,
    required,
    show,
)
from dsl import nodes
from dsl.diagnostics import Fix

MAX_RETRIES = 1000

_WORDS: dict[type[nodes.Node], str] = {
    nodes.By: "by",
    nodes.To: "to",
    nodes.From: "from",
    nodes.With: "with",
    nodes.As: "as",
    nodes.Via: "via",
    nodes.Unknown: "unknown",
    nodes.Retry: "retry",
    nodes.Every: "every",
    nodes.Within: "within",
    nodes.OrElse: "else",
}


def word(clause: nodes.Clause) -> str:
    """The word that a clause begins with."""
    return _WORDS[type(clause)]


@dataclass(frozen=True, slots=True)
class Result:
    """What a command gives: its type, or None where it binds nothing."""

    type: Type | None


class Commands:
    """Checks the commands of one flow."""

    def __init__(self, environment: Environment, facts: Facts, reports: Reports, expressions: Expressions) -> None:
        self._environment = environment
        self._catalog = environment.catalog
        self._facts = facts
        self._reports = reports
        self._expressions = expressions
        self._types = TypeReader(reports, environment.types)
        self._given = Given(environment.catalog, facts, reports, expressions)
        self._keys = ForeignKeys(facts, reports, expressions)
        self._connections = Connections(environment, reports)
        self._addresses = Addresses(environment, reports, expressions)

    def check(self, step: nodes.Command, scope: Scope) -> Result:
        """Check one command; its result's type where it has one."""
        verb = self._catalog.verbs.get(title(step))
        self.clauses(step.clauses)
        if verb is None:
            self._no_verb(step)
            self._names_only(step, scope)
            return Result(Unknown() if step.noun else None)
        self._facts.verbs[id(step)] = verb
        self._facts.secrets.update(verb.secrets)
        connection = self._connections.chosen(step, verb)
        if connection is not None:
            self._facts.connections[id(step)] = connection
        if verb.literal == "url":
            self._addresses.check(step, verb, connection, scope)
        else:
            self._literal(step, verb)
        for slot in verb.slots:
            self._slot(step, verb, slot, scope)
        self._unexpected(step, verb)
        self._given.check(step, verb, scope)
        for clause in step.clauses:
            if isinstance(clause, nodes.Every):
                self._every(clause)
            elif isinstance(clause, nodes.Retry):
                self._retry(clause)
        return Result(self._result(step, verb))

    def clauses(self, clauses: tuple[nodes.Clause, ...]) -> None:
        """What holds for the clauses of every step: none is given twice."""
        seen: dict[str, nodes.Clause] = {}
        for clause in clauses:
            first = seen.setdefault(word(clause), clause)
            if first is not clause:
                self._reports.add(
                    "E207",
                    clause.span,
                    f"`{word(clause)}` is given twice",
                    "given again here",
                    related=[(first.span, "first given here")],
                )

    # --- the verb and its literal

    def _no_verb(self, step: nodes.Command) -> None:
        written = title(step)
        known = self._catalog.verbs
        meant = self._reports.nearest(written, known)
        fixes: list[Fix] = []
        words = step.verb.span if step.noun is None else step.verb.span.to(step.noun.span)
        if meant is not None:
            fixes.append(self._reports.replace(f"replace `{written}` by `{meant}`", words, meant, safe=True))
        self._reports.add(
            "E204",
            words,
            f"there is no verb `{written}`",
            f"did you mean `{meant}`?" if meant else "unknown verb",
            notes=[f"the catalog has {listed(sorted(known))}"],
            fixes=fixes,
        )

    def _names_only(self, step: nodes.Command, scope: Scope) -> None:
        """The names in an unknown verb's clauses are still looked up."""
        for clause in step.clauses:
            if isinstance(clause, nodes.By | nodes.To | nodes.With):
                self._expressions.check(clause.value, scope)

    def _literal(self, step: nodes.Command, verb: Verb) -> None:
        literal = step.literal
        if literal is None and verb.literal:
            self._reports.add(
                "E215",
                step.head,
                f"`{verb.title}` needs a name in quotes",
                "quoted text is missing",
                fixes=[Fix(f'{verb.title} "…"', "choose")],
            )
        elif literal is not None and not verb.literal:
            self._reports.add("E215", literal.span, f"`{verb.title}` takes no quoted text", "not expected here")
        elif literal is not None:
            self._static(literal, verb)

    def _static(self, literal: nodes.Text, verb: Verb) -> None:
        if literal.static is None:
            self._reports.add(
                "E215",
                literal.span,
                f"the name after `{verb.title}` is part of the plan: it has no holes",
                "a name known when the flow is compiled is required",
            )

    # --- slots

    def _slot(self, step: nodes.Command, verb: Verb, slot: Slot, scope: Scope) -> None:
        given = next((c for c in step.clauses if word(c) == slot.clause), None)
        types = [catalog_type(kind, self._catalog) for kind in slot.types]
        if slot.keys and isinstance(given, nodes.By) and isinstance(given.value, nodes.Record):
            self._keys.check(given.value, verb, self._facts.connections.get(id(step)), scope)
            return
        if isinstance(given, nodes.By | nodes.To):
            self._in_slot(given.value, slot, verb, types, scope)
            return
        if not slot.fills:
            if slot.required:
                self._unsaid(step, verb, slot)
            return
        fitting = [b for b in scope if b.type == types[0] and not b.lenient]
        if len(fitting) == 1:
            self._fill(step, verb, slot, fitting[0])
        elif not any(isinstance(b.type, Unknown) for b in scope):
            self._missing(step, verb, slot, fitting, scope)

    def _in_slot(self, value: nodes.Expr, slot: Slot, verb: Verb, types: list[Type], scope: Scope) -> None:
        found = self._expressions.check(value, scope)
        if any(fits(found, kind) for kind in types):
            return
        wanted = " or ".join(show(kind) for kind in types)
        where = f"{slot.clause} of {verb.title}"
        inner = required(found)
        if isinstance(found, OptionalOf) and any(fits(inner, kind) for kind in types):
            self._expressions.expect(value, inner, scope, where)
            return
        notes = []
        if is_text(inner) and "phone" in slot.types:
            notes.append("`-> format_phone(x)` turns what people type into a phone")
        self._reports.add(
            "E301",
            value.span,
            f"{where} needs {wanted}, but this is {show(found)}",
            f"this is {show(found)}, {wanted} is required",
            notes=notes,
        )

    def _fill(self, step: nodes.Command, verb: Verb, slot: Slot, binding: Binding) -> None:
        """R4: the only value of the slot's nominal type."""
        ref = nodes.NameRef(step.head, binding.name)
        self._facts.names[id(ref)] = binding
        self._facts.types[id(ref)] = binding.type
        clause: Literal["by", "to"] = "by" if slot.clause == "by" else "to"
        self._facts.slots.setdefault(id(step), {})[clause] = ref
        says = f"`{binding.name}` is the only {slot.types[0]} in scope, so it is `{slot.clause}` of `{verb.title}`"
        self._facts.fills.append(Fill("R4", step.head.end, f" {slot.clause} {binding.name}", says))

    def _missing(self, step: nodes.Command, verb: Verb, slot: Slot, fitting: list[Binding], scope: Scope) -> None:
        kind = slot.types[0]
        fixes = [
            Fix(f"{verb.title} {slot.clause} {binding.name}", "choose") for binding in fitting
        ] or self._ways_to_fill(verb, slot, scope)
        if fitting:
            message = f"`{verb.title}` could take more than one {kind}: {listed(b.name for b in fitting)}"
            related = [(b.span, f"`{b.name}` is a {kind}") for b in fitting]
            self._reports.add("E212", step.head, message, "say which", related=related, fixes=fixes)
            return
        there = [f"{b.name}: {show(b.type)}" for b in scope if not b.lenient]
        self._reports.add(
            "E211",
            step.head,
            f"`{verb.title}` needs a {kind}, and none is in scope",
            f"say `{slot.clause} …`",
            notes=[f"in scope: {', '.join(there)}" if there else "nothing is in scope here"],
            fixes=fixes,
        )

    def _unsaid(self, step: nodes.Command, verb: Verb, slot: Slot) -> None:
        """A slot that nothing fills by itself."""
        wanted = " or ".join(slot.types)
        fixes = [Fix(f"{verb.title} {slot.clause} …", "choose")]
        self._reports.add("E211", step.head, f"`{verb.title}` needs `{slot.clause}`: {wanted}", "say it", fixes=fixes)

    def _ways_to_fill(self, verb: Verb, slot: Slot, scope: Scope) -> list[Fix]:
        kind = slot.types[0]
        makers = [f.name for f in self._catalog.functions.values() if f.result == kind and f.rewrites]
        texts = [b.name for b in scope if is_text(b.type) and not b.lenient]
        fixes = [way(f"-> {maker}({name})", "before this step") for maker in makers for name in texts[:2]]
        verbs = [v.title for v in self._catalog.verbs.values() if v.result == kind]
        fixes.extend(way(f"-> {found}", "before this step") for found in verbs)
        return fixes or [Fix(f"{verb.title} {slot.clause} …", "choose")]

    def _unexpected(self, step: nodes.Command, verb: Verb) -> None:
        """Clauses that this verb does not take."""
        taken = {slot.clause for slot in verb.slots} | {"retry", "every", "else"}
        taken |= {"unknown"} if verb.effect is EffectClass.ONCE else set()
        taken |= {"with"} if verb.with_ else set()
        taken |= {"as"} if verb.result else set()
        taken |= {"via"} if verb.connection else set()
        taken |= {"to"} if verb.literal == "url" else set()
        for clause in step.clauses:
            if isinstance(clause, nodes.Within):
                self._constant(clause.limit)
            elif word(clause) not in taken:
                self._reports.add(
                    "E206",
                    clause.span,
                    f"`{verb.title}` takes no `{word(clause)}`",
                    "not expected here",
                    notes=[f"it takes {listed(sorted(taken))}"],
                )

    # --- within, every, result

    def _constant(self, limit: nodes.Expr) -> None:
        if not isinstance(limit, nodes.DurationLit):
            self._reports.add("E215", limit.span, "`within` takes a duration such as 30s or 2h", "not a literal")
        elif not limit.milliseconds:
            self._reports.add("E219", limit.span, "`within` lasts longer than nothing", "out of range")

    def _retry(self, clause: nodes.Retry) -> None:
        if clause.times > MAX_RETRIES:
            self._reports.add("E219", clause.span, f"`retry` is at most {MAX_RETRIES:,}", "out of range")

    def _every(self, clause: nodes.Every) -> None:
        match clause.low, clause.high:
            case nodes.DurationLit(milliseconds=0), _:
                self._reports.add("E219", clause.low.span, "a pause lasts longer than nothing", "out of range")
            case nodes.DurationLit(milliseconds=low), nodes.DurationLit(milliseconds=high) if low > high:
                self._reports.add("E219", clause.span, "the first pause is longer than the longest", "out of range")
            case _:
                pass
        for bound in (clause.low, clause.high):
            if bound is not None and not isinstance(bound, nodes.DurationLit):
                self._reports.add("E215", bound.span, "`every` takes durations such as 1s or 1s..5m", "not a duration")

    def _result(self, step: nodes.Command, verb: Verb) -> Type | None:
        named = next((c for c in step.clauses if isinstance(c, nodes.As)), None)
        if not verb.result:
            return None
        if named is None or named.type is None:
            kind = catalog_type(verb.result, self._catalog)
            return optional(kind) if verb.finds else kind
        if verb.result != "json":
            self._reports.add(
                "E206",
                named.type.span,
                f"the result of `{verb.title}` is {verb.result}: its type is not yours to say",
                "not expected here",
            )
            return catalog_type(verb.result, self._catalog)
        return self._types.read(named.type)
