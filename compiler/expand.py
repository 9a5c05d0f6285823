"""The fill-in rules that need no types: R1 payload inferred from use, R2 rewriting calls, R3 the noun as binding.

Gives the flow with all of it written out, and a list of what was filled in. R4 needs types: `compiler.check` fills it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from compiler.catalog import Catalog, Field, Function, Slot, Verb
from compiler.reports import Reports, listed
from compiler.scope import ROOTS
from dsl import nodes
from dsl.source import Span

Rule = Literal["R1", "R2", "R3", "R4"]

# The types that a payload inferred from use may have: what a slot needs, and what is then asked of the sender.
_INFERRED = {
    "text": "scalar",
    "scalar": "scalar",
    "phone": "phone",
    "email": "email",
    "int": "int",
    "decimal": "decimal",
}


@dataclass(frozen=True, slots=True)
class Fill:
    """Something the text leaves out: `text` may be written at `offset`, `says` tells a person what it means."""

    rule: Rule
    offset: int
    text: str
    says: str


@dataclass(frozen=True, slots=True)
class Expanded:
    """A flow with its fill-ins written out. `lenient` names the payload fields that only an `upsert` inferred."""

    flow: nodes.Flow
    name: str
    fills: tuple[Fill, ...]
    lenient: frozenset[str]
    inferred: bool


def expand(flow: nodes.Flow, name: str, catalog: Catalog, reports: Reports) -> Expanded:
    """Apply R1, R2 and R3 to a flow."""
    inference = _Inference(catalog, reports)
    declared = flow.trigger.payload
    known = {f.name.text for f in declared.fields} if isinstance(declared, nodes.RecordType) else set()
    if declared is None:
        inference.chain(flow.chain, set())
        known = set(inference.fields)
    there = _there(declared) if declared is not None else {n for n, f in inference.fields.items() if not f.lenient}
    writer = _Writer(catalog, known, there, declared if isinstance(declared, nodes.RecordType) else None)
    chain = writer.chain(flow.chain)
    handler = writer.chain(flow.handler) if flow.handler else None
    trigger = flow.trigger
    fills = writer.fills
    if declared is None:
        trigger = replace(trigger, payload=inference.record(trigger.span))
        fills = [*inference.fills(trigger), *fills]
    lenient = frozenset(n for n, f in inference.fields.items() if f.lenient)
    flow = replace(flow, trigger=trigger, chain=chain, handler=handler)
    return Expanded(flow, name, tuple(fills), lenient, declared is None)


def _there(payload: nodes.RecordType | nodes.NamedPayload) -> set[str]:
    """The fields of a payload that are surely never absent; what a declared type is, is not known here."""
    fields = payload.fields if isinstance(payload, nodes.RecordType) else ()
    return {f.name.text for f in fields if isinstance(f.type, nodes.TypeName) and f.type.name in _NEVER_ABSENT}


_NEVER_ABSENT = frozenset({"text", "scalar", "phone", "email", "url", "cpf", "cnpj", "int", "decimal"})


# --- R1

MAX_INFERRED = 100  # fields; who has more wants to see them written down


@dataclass(frozen=True, slots=True)
class _Inferred:
    type: str
    span: Span
    why: str
    lenient: bool = False


class _Inference:
    """Finds bare names that stand as a whole argument in a typed slot."""

    def __init__(self, catalog: Catalog, reports: Reports) -> None:
        self._catalog = catalog
        self._reports = reports
        self.fields: dict[str, _Inferred] = {}

    def record(self, span: Span) -> nodes.RecordType:
        """The payload as a declaration."""
        return nodes.RecordType(span, tuple(self._declared(n, f) for n, f in self.fields.items()))

    def _declared(self, name: str, field: _Inferred) -> nodes.FieldDecl:
        kind: nodes.TypeExpr = nodes.TypeName(field.span, field.type)
        if field.lenient:
            kind = nodes.OptionalType(field.span, kind)
        return nodes.FieldDecl(field.span, nodes.Name(field.span, name), None, kind, None)

    def fills(self, trigger: nodes.Trigger) -> list[Fill]:
        """What R1 says: the whole declaration, and why each field is in it."""
        if not self.fields:
            return []
        parts = [f"{n}: {f.type}{'?' if f.lenient else ''}" for n, f in self.fields.items()]
        reasons: dict[str, list[str]] = {}
        for name, field in self.fields.items():
            reasons.setdefault(field.why, []).append(name)
        why = "; ".join(f"{listed(names)} {reason}" for reason, names in reasons.items())
        return [Fill("R1", trigger.span.end, f" {{{', '.join(parts)}}}", f"payload inferred from use: {why}")]

    def chain(self, chain: nodes.Chain, bound: set[str]) -> None:
        """Infer along a chain; `bound` are the names that steps before have bound."""
        for step in chain.steps:
            for name, kind, why in self._slots(step):
                self._infer(name, kind, why, bound)
            self._aliases(step, bound)
            for inner in _chains(step):
                self.chain(inner, set(bound))
            bound |= set(_bound_by(step, self._catalog))

    def _slots(self, step: nodes.Step) -> Iterator[tuple[nodes.NameRef, str, str]]:
        """Bare names in typed slots of a step, with the slot's type."""
        if isinstance(step, nodes.Command):
            yield from self._clause_slots(step)
        for node in _own_nodes(step):
            if isinstance(node, nodes.FunctionCall) and (found := self._catalog.functions.get(node.name.text)):
                yield from _argument_slots(node, found)

    def _clause_slots(self, step: nodes.Command) -> Iterator[tuple[nodes.NameRef, str, str]]:
        verb = self._catalog.verbs.get(title(step))
        for clause in step.clauses:
            if verb and isinstance(clause, nodes.By) and isinstance(clause.value, nodes.Record):
                yield from _key_slots(clause.value, verb)
            elif verb and isinstance(clause, nodes.By | nodes.To) and isinstance(clause.value, nodes.NameRef):
                word = "by" if isinstance(clause, nodes.By) else "to"
                for slot in verb.slots:
                    if slot.clause == word and (kind := _decodable(_told_by_name(clause.value.name, slot, verb))):
                        yield clause.value, kind, f"is {word} of {verb.title}"

    def _infer(self, ref: nodes.NameRef, kind: str, why: str, bound: set[str]) -> None:
        name = ref.name
        if name in ROOTS or name in bound:
            return
        known = self.fields.get(name)
        if known is not None and not known.lenient:
            return
        if len(self.fields) == MAX_INFERRED:
            message = f"more than {MAX_INFERRED} fields of the payload are inferred"
            self._reports.add("E105", ref.span, message, "declare the payload")
        inferred = _Inferred(kind, ref.span, why)
        if len(self.fields) >= MAX_INFERRED:
            self.fields[name] = inferred
            return
        meant = self._reports.nearest(name, (set(self.fields) | bound) - {name})
        if known is None and meant is not None and not (self.fields.get(meant) or _NOT_LENIENT).lenient:
            self._reports.add(
                "E202",
                ref.span,
                f"is `{name}` another field of the payload, or a slip for `{meant}`?",
                f"did you mean `{meant}`?",
                notes=["a payload that is not declared is inferred from use, but never from two names so alike"],
                fixes=[
                    self._reports.replace(f"replace `{name}` by `{meant}`", ref.span, meant),
                ],
            )
        self.fields[name] = inferred

    def _aliases(self, step: nodes.Step, bound: set[str]) -> None:
        verb = self._catalog.verbs.get(title(step)) if isinstance(step, nodes.Command) else None
        if verb is None or not isinstance(step, nodes.Command) or not _infers(verb, step):
            return
        for field in _open_fields(verb, step, None):
            for alias in dict.fromkeys((*field.aliases, field.name)):
                if alias not in bound and alias not in self.fields:
                    why = f"may be {field.name} of {verb.title}"
                    self.fields[alias] = _Inferred(_INFERRED_OPTIONAL[field.type], step.span, why, lenient=True)


_NOT_LENIENT = _Inferred("", Span(0, 0), "")
_INFERRED_OPTIONAL = {
    "text": "text",
    "phone": "phone",
    "email": "email",
    "text?": "text",
    "phone?": "phone",
    "email?": "email",
}


def _argument_slots(call: nodes.FunctionCall, function: Function) -> Iterator[tuple[nodes.NameRef, str, str]]:
    for arg, param in zip(call.args, function.params, strict=False):
        if arg.name is None and isinstance(arg.value, nodes.NameRef) and (kind := _decodable((param.type,))):
            yield arg.value, kind, f"is {param.name} of {function.name}"


def _key_slots(key: nodes.Record, verb: Verb) -> Iterator[tuple[nodes.NameRef, str, str]]:
    """The values of another system's keys."""
    if any(slot.keys for slot in verb.slots):
        for entry in key.entries:
            if isinstance(entry.value, nodes.NameRef):
                yield entry.value, "scalar", f"is a key of {verb.title}"


def _told_by_name(name: str, slot: Slot, verb: Verb) -> tuple[str, ...]:
    """The types of a slot; where a name is that of a field of one of them, this one."""
    fields = (f.type for f in verb.fields if name == f.name or name in f.aliases)
    return next(((kind,) for kind in fields if kind in slot.types), slot.types)


def _decodable(types: tuple[str, ...]) -> str | None:
    return next((_INFERRED[kind] for kind in types if kind in _INFERRED), None)


def _infers(verb: Verb, step: nodes.Command) -> bool:
    return verb.infers_fields and not any(isinstance(clause, nodes.With) for clause in step.clauses)


def _open_fields(verb: Verb, step: nodes.Command, declared: nodes.RecordType | None) -> list[Field]:
    """The fields of an `upsert` that may be filled: all but the one that the key itself fills."""
    key = verb.key_field
    by = next((clause.value for clause in step.clauses if isinstance(clause, nodes.By)), None)
    if isinstance(by, nodes.NameRef):
        key = _key_field(verb, by.name, declared) or key
    elif isinstance(by, nodes.Record):
        key = ""  # another system's, which fills none
    return [field for field in verb.fields if field.inferred and field.name != key]


def _key_field(verb: Verb, name: str, declared: nodes.RecordType | None) -> str | None:
    """The field that a key of that name fills: by its declared type, otherwise by its alias."""
    for field in declared.fields if declared else ():
        if field.name.text == name and isinstance(field.type, nodes.TypeName):
            return next((f.name for f in verb.fields if f.type.removesuffix("?") == field.type.name), None)
    return next((f.name for f in verb.fields if name == f.name or name in f.aliases), None)


# --- R2, R3 and the fields of `upsert`

S = TypeVar("S", bound=nodes.CallStep | nodes.BindStep | nodes.Command | nodes.CodeStep | nodes.WaitFor)


class _Writer:
    """Rewrites steps into their long form."""

    def __init__(self, catalog: Catalog, payload: set[str], there: set[str], declared: nodes.RecordType | None) -> None:
        self._catalog = catalog
        self._payload = payload
        self._there = there  # the fields of the payload that are never absent
        self._declared = declared
        self.fills: list[Fill] = []

    def chain(self, chain: nodes.Chain) -> nodes.Chain:
        return replace(chain, steps=tuple(self._step(step) for step in chain.steps))

    def _step(self, step: nodes.Step) -> nodes.Step:
        match step:
            case nodes.CallStep():
                return self._otherwise(self._call(step))
            case nodes.Command():
                return self._otherwise(self._command(step))
            case nodes.BindStep() | nodes.CodeStep() | nodes.WaitFor():
                return self._otherwise(step)
            case nodes.If():
                arms = tuple(replace(arm, chain=self.chain(arm.chain)) for arm in step.arms)
                return replace(step, arms=arms, otherwise=self.chain(step.otherwise) if step.otherwise else None)
            case nodes.Match():
                return replace(step, cases=tuple(replace(c, chain=self.chain(c.chain)) for c in step.cases))
            case nodes.Parallel():
                return replace(step, branches=tuple(replace(b, chain=self.chain(b.chain)) for b in step.branches))
            case nodes.For():
                return replace(step, chain=self.chain(step.chain))
            case _:
                return step

    def _otherwise(self, step: S) -> S:
        """The `else` of a step is a chain of its own."""
        clauses = tuple(
            replace(clause, chain=self.chain(clause.chain)) if isinstance(clause, nodes.OrElse) else clause
            for clause in step.clauses
        )
        return replace(step, clauses=clauses)

    def _call(self, step: nodes.CallStep) -> nodes.CallStep | nodes.BindStep:
        """R2: `f(x)` rewrites `x`; `f(x) as y` is `y = f(x)`."""
        function = self._catalog.functions.get(step.call.name.text)
        named = next((clause for clause in step.clauses if isinstance(clause, nodes.As)), None)
        if named is not None and named.type is None:
            rest = tuple(clause for clause in step.clauses if clause is not named)
            return nodes.BindStep(step.span, named.name, step.call, rest)
        first = step.call.args[0].value if step.call.args else None
        if function is None or not function.rewrites or not isinstance(first, nodes.NameRef):
            return step
        says = f"`{function.name}({first.name})` as a step rewrites `{first.name}`"
        self.fills.append(Fill("R2", step.span.start, f"{first.name} = ", says))
        return nodes.BindStep(step.span, nodes.Name(first.span, first.name), step.call, step.clauses)

    def _command(self, step: nodes.Command) -> nodes.Command:
        verb = self._catalog.verbs.get(title(step))
        if verb is None:
            return step
        if _infers(verb, step):
            step = self._with_fields(step, verb)
        named = any(isinstance(clause, nodes.As) for clause in step.clauses)
        if verb.result and verb.noun and not named and step.noun is not None:
            says = f"the result of `{verb.title}` is called `{verb.noun}`"
            self.fills.append(Fill("R3", step.span.end, f" as {verb.noun}", says))
            bound = nodes.As(step.noun.span, nodes.Name(step.noun.span, verb.noun), None)
            step = replace(step, clauses=(*step.clauses, bound))
        return step

    def _with_fields(self, step: nodes.Command, verb: Verb) -> nodes.Command:
        """The `with` that an `upsert` leaves out: each field from the first of its aliases that is there."""
        entries = []
        for field in _open_fields(verb, step, self._declared):
            found = self._up_to_one_that_is_there(dict.fromkeys((*field.aliases, field.name)))
            if found:
                entries.append(_entry(field.name, found, step.head))
        if not entries:
            return step
        written = ", ".join(f"{e.key.text}: {_written(e.value)}" for e in entries)
        says = f"`{verb.title}` without `with` takes its fields by name"
        self.fills.append(Fill("R1", step.span.end, f" with {{{written}}}", says))
        record = nodes.Record(step.head, tuple(entries))
        return replace(step, clauses=(*step.clauses, nodes.With(step.head, record)))

    def _up_to_one_that_is_there(self, aliases: Iterable[str]) -> list[str]:
        """The aliases that the payload has, in order; behind one that is never absent, none is ever asked."""
        found = [alias for alias in aliases if alias in self._payload]
        there = next((n for n, alias in enumerate(found) if alias in self._there), len(found))
        return found[: there + 1]


def _entry(field: str, names: list[str], span: Span) -> nodes.Entry:
    value: nodes.Expr = nodes.NameRef(span, names[-1])
    for name in reversed(names[:-1]):
        value = nodes.Binary(span, "??", span, nodes.NameRef(span, name), value)
    return nodes.Entry(span, nodes.Name(span, field), value)


def _written(value: nodes.Expr) -> str:
    match value:
        case nodes.Binary(left=left, right=right):
            return f"{_written(left)} ?? {_written(right)}"
        case nodes.NameRef(name=name):
            return name
        case _:
            raise AssertionError("only names and their alternatives are filled in")


# --- shared


def title(step: nodes.Command) -> str:
    """The words of a command as the catalog has them."""
    return step.verb.text if step.noun is None else f"{step.verb.text} {step.noun.text}"


def _bound_by(step: nodes.Step, catalog: Catalog) -> Iterator[str]:
    """The names that a step binds, before it is written out."""
    match step:
        case nodes.BindStep():
            yield step.name.text
        case nodes.CallStep(call=nodes.FunctionCall(args=(nodes.Arg(value=nodes.NameRef(name=name)), *_))):
            yield name
        case nodes.Command(noun=nodes.Name(text=noun)):
            verb = catalog.verbs.get(title(step))
            if verb is not None and verb.result:
                yield noun
        case _:
            pass
    for clause in getattr(step, "clauses", ()):
        if isinstance(clause, nodes.As):
            yield clause.name.text


def _chains(step: nodes.Step) -> Iterator[nodes.Chain]:
    """The chains directly inside a step."""
    match step:
        case nodes.If():
            yield from (arm.chain for arm in step.arms)
            if step.otherwise is not None:
                yield step.otherwise
        case nodes.Match():
            yield from (case.chain for case in step.cases)
        case nodes.Parallel():
            yield from (branch.chain for branch in step.branches)
        case nodes.For():
            yield step.chain
        case _:
            pass
    yield from (clause.chain for clause in getattr(step, "clauses", ()) if isinstance(clause, nodes.OrElse))


def _own_nodes(step: nodes.Step) -> Iterator[nodes.Node]:
    """The nodes of a step, without the steps inside its blocks."""
    stack: list[nodes.Node] = [step]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(child for child in reversed(list(nodes.children(node))) if not isinstance(child, nodes.Chain))
