"""Checked flows become plans: names become variables, clauses become policies, steps get their ids."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from compiler.catalog import EffectClass, Verb
from compiler.check.commands import is_setting
from compiler.check.declarations import calls
from compiler.check.facts import Environment, Facts
from compiler.check.facts import PayloadField as DeclaredField
from compiler.check.flow import MAX_ITEMS
from compiler.check.patterns import pattern_value
from compiler.expand import Expanded
from compiler.ir import (
    Answer,
    Apply,
    Assign,
    At,
    Branch,
    Call,
    Code,
    Const,
    Dedupe,
    Each,
    Effect,
    Emit,
    Expr,
    Fail,
    For,
    Fork,
    Function,
    Get,
    Hole,
    ListOf,
    LogLine,
    Many,
    Negative,
    Not,
    Object,
    OneOf,
    Op,
    Operation,
    Parallel,
    PayloadField,
    Plan,
    Policy,
    RecordOf,
    RequestField,
    Respond,
    RunField,
    Scalar,
    Setting,
    Shape,
    ShapeField,
    Stop,
    Suspend,
    SuspendUntil,
    TextOf,
    Try,
    Var,
    WaitFor,
)
from compiler.scope import Binding
from compiler.types import JSON, OptionalOf, Prim, Type, is_text, required
from compiler.types import EnumOf as EnumType
from compiler.types import ListOf as ListType
from compiler.types import RecordOf as RecordType
from dsl import nodes
from dsl.source import Span

DEFAULT_LIMIT = 1024 * 1024


def lower(expanded: Expanded, facts: Facts, environment: Environment) -> Plan:
    """The plan of a flow without errors."""
    flow, trigger = expanded.flow, expanded.flow.trigger
    shapes = _Shapes(environment)
    lowering = _Lowering(facts, environment, shapes)
    handler = lowering.chain(flow.handler, "on_error/") if flow.handler is not None else None
    return Plan(
        flow=expanded.name,
        path=trigger.path.static if trigger.path else None,
        limit=next((c.size for c in trigger.clauses if isinstance(c, nodes.Limit)), DEFAULT_LIMIT),
        payload=Object(tuple(shapes.payload(field) for field in facts.fields)),
        ops=lowering.chain(flow.chain, ""),
        handler=handler,
        handler_error=facts.binds[id(flow.handler)].variable if flow.handler is not None else "",
        functions=_functions(flow, environment, shapes),
        headers=tuple(sorted(facts.headers)),
        query=tuple(sorted(facts.query)),
        responds=facts.responds,
        **lowering.clauses(trigger),
    )


def _functions(flow: nodes.Flow, environment: Environment, shapes: "_Shapes") -> tuple[Function, ...]:
    """The defs that a flow reaches, in order of name."""
    reached: set[str] = set()
    waiting = list(calls(flow, environment.defs))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(calls(environment.defs[name].node, environment.defs))
    found = []
    for name in sorted(reached):
        definition = environment.defs[name]
        lowering = _Lowering(definition.facts, environment, shapes)
        params = tuple(param for param, _ in definition.params)
        found.append(Function(name, params, lowering.expr(definition.node.body)))
    return tuple(found)


class _Shapes:
    """Types as shapes of JSON."""

    def __init__(self, environment: Environment) -> None:
        self._region = environment.region

    def payload(self, field: DeclaredField) -> ShapeField:
        """A field of the payload."""
        optional = isinstance(field.type, OptionalOf)
        shape = self.of(required(field.type))
        needed = not optional and field.default is None
        return ShapeField(field.name, field.key, shape, needed, field.default, field.lenient)

    def of(self, kind: Type) -> Shape:
        """The shape of a type."""
        match kind:
            case Prim("phone"):
                return Scalar("phone", (self._region,))
            case Prim(name, low=low, high=high) if low is not None or high is not None:
                return Scalar(name, (low, high))
            case Prim(name):
                return Scalar(name)
            case EnumType(values):
                return OneOf(values)
            case ListType(item):
                return Many(self.of(item))
            case RecordType(fields=fields):
                return Object(tuple(self._field(f.name, f.key, f.type) for f in fields))
            case OptionalOf(inner):
                return self.of(inner)
            case _:
                raise AssertionError(f"{kind} has no shape: the checker refuses it")

    def _field(self, name: str, key: str, kind: Type) -> ShapeField:
        return ShapeField(name, key or name, self.of(required(kind)), not isinstance(kind, OptionalOf))


class _Ids:
    """Stable step ids: block path, verb_noun[_binding], `~2` for repeats in text order."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def take(self, block: str, words: list[str]) -> str:
        name = block + "_".join(words)
        self._seen[name] = self._seen.get(name, 0) + 1
        count = self._seen[name]
        return name if count == 1 else f"{name}~{count}"


class _Lowering:
    def __init__(self, facts: Facts, environment: Environment, shapes: _Shapes) -> None:
        self._facts = facts
        self._environment = environment
        self._shapes = shapes
        self._ids = _Ids()

    def chain(self, chain: nodes.Chain, block: str) -> tuple[Op, ...]:
        """The operations of a chain; `block` begins the ids of its steps."""
        return tuple(op for step in chain.steps for op in self._with_else(step, block))

    def clauses(self, trigger: nodes.Trigger) -> dict[str, Any]:
        """What the trigger's clauses say, by field of a plan."""
        found: dict[str, Any] = {}
        for clause in trigger.clauses:
            match clause:
                case nodes.Dedupe(key=key, window=window):
                    found["dedupe"] = Dedupe(self.expr(key), window.milliseconds)
                case nodes.Answer(status=status, body=body):
                    found["answer"] = Answer(status, self._body(body, clause.span))
                case nodes.AnswerWithin(limit=limit):
                    found["answer_within"] = limit.milliseconds
                case _:
                    pass
        return found

    def _body(self, body: nodes.Expr | None, span: Span) -> Expr:
        return Const(span, None) if body is None else self.expr(body)

    def _with_else(self, step: nodes.Step, block: str) -> list[Op]:
        clause = next((c for c in getattr(step, "clauses", ()) if isinstance(c, nodes.OrElse)), None)
        ops = self._step(step, block)
        if clause is None:
            return ops
        merged = self._facts.merges[id(step)]
        left, failed = (tuple(_leave(m.binding, m.sources[n], step.span) for m in merged) for n in (0, 1))
        inside = self.chain(clause.chain, f"{getattr(ops[-1], 'step', '')}/else/")
        binding, verb = self._facts.binds.get(id(step)), self._facts.verbs.get(id(step))
        if verb is not None and verb.finds and binding is not None:
            nothing = Operation(step.span, "==", Var(step.span, binding.variable), Const(step.span, None))
            return [*ops, Branch(step.span, "", ((nothing, (*inside, *failed)),), left)]
        error = self._facts.binds[id(clause)].variable
        return [Try(step.span, tuple(ops), error, (*inside, *failed), left)]

    def _step(self, step: nodes.Step, block: str) -> list[Op]:  # noqa: C901, PLR0912  # one case a kind of node
        match step:
            case nodes.BindStep():
                return [self._bind(step, block)]
            case nodes.Command() if id(step) not in self._facts.verbs:
                return [self._emit(step, block)]
            case nodes.Command():
                return [self._command(step, block)]
            case nodes.CodeStep():
                return [self._code(step, block)]
            case nodes.If():
                return self._if(step, block)
            case nodes.Match():
                return self._match(step, block)
            case nodes.Parallel():
                return [self._parallel(step, block)]
            case nodes.For():
                return [self._for(step, block)]
            case nodes.Wait():
                return [Suspend(step.span, self._ids.take(block, ["wait"]), self.expr(step.duration))]
            case nodes.WaitUntil():
                id_, instant = self._ids.take(block, ["wait_until"]), self.expr(step.instant)
                return [SuspendUntil(step.span, id_, instant, self._environment.zone)]
            case nodes.WaitFor():
                return [self._wait_for(step, block)]
            case nodes.Respond():
                id_, body = self._ids.take(block, ["respond"]), self._body(step.body, step.span)
                return [Respond(step.span, id_, step.status, body)]
            case nodes.Log():
                return [LogLine(step.span, self._ids.take(block, ["log"]), self.expr(step.value))]
            case nodes.Stop():
                return [Stop(step.span, self._ids.take(block, ["stop"]))]
            case nodes.Fail():
                return [Fail(step.span, self._ids.take(block, ["fail"]), self.expr(step.value))]
            case nodes.CallStep():
                raise AssertionError("the checker refuses it")

    def _emit(self, step: nodes.Command, block: str) -> Emit:
        event = step.noun.text if step.noun is not None else ""
        value = next((c.value for c in step.clauses if isinstance(c, nodes.With)), None)
        id_, key = self._ids.take(block, ["emit", event]), self._key(step.clauses)
        return Emit(step.span, id_, event, key, self._body(value, step.span))

    def _key(self, clauses: tuple[nodes.Clause, ...]) -> Expr:
        """The key of an event, as text."""
        value = next(c.value for c in clauses if isinstance(c, nodes.By))
        return TextOf(value.span, (self.expr(value),))

    def _wait_for(self, step: nodes.WaitFor, block: str) -> WaitFor:
        within = next(c.limit for c in step.clauses if isinstance(c, nodes.Within))
        binding, kind = self._facts.binds.get(id(step)), self._facts.results[id(step)]
        return WaitFor(
            step.span,
            self._ids.take(block, ["wait_for", step.event.text]),
            step.event.text,
            self._key(step.clauses),
            within.milliseconds if isinstance(within, nodes.DurationLit) else 0,
            binding.variable if binding else None,
            self._shapes.of(kind) if kind != JSON else None,
        )

    def _match(self, step: nodes.Match, block: str) -> list[Op]:
        """The subject is computed once; each arm is a branch."""
        name = self._ids.take(block, ["match"])
        subject = f"{name.replace('/', '_').replace('~', '_')}_subject"
        merged = self._facts.merges.get(id(step), [])
        arms: list[tuple[Expr, tuple[Op, ...]]] = []
        otherwise: tuple[Op, ...] = ()
        for index, case in enumerate(step.cases):
            left = tuple(_leave(m.binding, m.sources[index], step.span) for m in merged)
            ops = (*self.chain(case.chain, f"{name}/{_label(case)}/"), *left)
            if not case.patterns:
                otherwise = ops
                break
            arms.append((self._any_of(case, subject), ops))
        assign = Assign(step.subject.span, "", subject, self.expr(step.subject))
        return [assign, Branch(step.span, name, tuple(arms), otherwise)]

    def _any_of(self, case: nodes.Case, subject: str) -> Expr:
        tests: list[Expr] = []
        for pattern in case.patterns:
            value = Const(pattern.span, pattern_value(pattern))
            tests.append(Operation(pattern.span, "==", Var(pattern.span, subject), value))
        found = tests[0]
        for test in tests[1:]:
            found = Operation(case.span, "or", found, test)
        return found

    def _parallel(self, step: nodes.Parallel, block: str) -> Parallel:
        name = self._ids.take(block, ["parallel"])
        forks = []
        for branch in step.branches:
            ops = self.chain(branch.chain, f"{name}/{branch.name.text}/")
            forks.append(Fork(branch.name.text, ops, tuple(_targets(ops))))
        return Parallel(step.span, name, tuple(forks))

    def _for(self, step: nodes.For, block: str) -> For:
        name = self._ids.take(block, ["for"])
        variable = self._facts.binds[id(step)].variable
        most = step.max[0] if step.max else MAX_ITEMS
        at_once = step.parallel[0] if step.parallel else 1
        items = self.expr(step.items)
        return For(step.span, name, variable, items, self.chain(step.chain, f"{name}/"), most, at_once)

    def _bind(self, step: nodes.BindStep, block: str) -> Assign:
        words = [step.name.text]
        if isinstance(step.value, nodes.FunctionCall):
            words = [step.value.name.text, step.name.text]
        target = self._facts.binds[id(step)].variable
        return Assign(step.span, self._ids.take(block, words), target, self.expr(step.value))

    def _command(self, step: nodes.Command, block: str) -> Effect:
        verb = self._facts.verbs[id(step)]
        binding = self._facts.binds.get(id(step))
        words = verb.title.split()
        if binding is not None and binding.name != verb.noun:
            words.append(binding.name)
        literal, holes = self._literal(step.literal)
        kind = self._facts.results.get(id(step))
        typed = binding is not None and verb.result == "json" and kind is not None and kind != JSON
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
        )

    def _slots(self, step: nodes.Command, verb: Verb) -> list[Expr]:
        values: list[Expr] = []
        filled = self._facts.slots.get(id(step), {})
        for slot in verb.slots:
            kind = nodes.By if slot.clause == "by" else nodes.To
            given = next((c.value for c in step.clauses if isinstance(c, kind)), None)
            value = given if given is not None else filled.get("by" if slot.clause == "by" else "to")
            values.append(Const(step.head, None) if value is None else self.expr(value))
        return values

    def _with(self, step: nodes.Command, verb: Verb) -> list[Expr]:
        if not verb.with_:
            return []
        given = next((c.value for c in step.clauses if isinstance(c, nodes.With)), None)
        if given is None:
            return [Const(step.head, None)]
        value = self.expr(given)
        if verb.with_ == "fields" and isinstance(value, RecordOf):
            names = {alias: f.name for f in verb.fields for alias in (*f.aliases, f.name)}
            value = RecordOf(value.span, tuple((names[key], entry) for key, entry in value.entries))
        return [value]

    def _literal(self, literal: nodes.Text | None) -> tuple[tuple[str | Setting | Hole, ...], list[Expr]]:
        parts: list[str | Setting | Hole] = []
        holes: list[Expr] = []
        for part in literal.parts if literal is not None else ():
            if isinstance(part, str):
                parts.append(part)
            elif is_setting(part) and isinstance(part.path, nodes.FieldOf):
                parts.append(Setting(part.path.name.text))
            else:
                parts.append(Hole())
                holes.append(self.expr(part.path))
        return tuple(parts), holes

    def _code(self, step: nodes.CodeStep, block: str) -> Effect:
        binding = self._facts.binds.get(id(step))
        words = ["code"] if binding is None else ["code", binding.name]
        params = tuple(param.text for param in step.params)
        args = tuple(_value_of(self._facts.names[id(param)], param.span) for param in step.params)
        return Effect(
            step.span,
            self._ids.take(block, words),
            "code",
            EffectClass.IDEMPOTENT.value,
            args,
            binding.variable if binding else None,
            result=self._shapes.of(self._facts.results[id(step)]),
            code=Code(params, step.python, step.body),
            within=next(
                (
                    c.limit.milliseconds
                    for c in step.clauses
                    if isinstance(c, nodes.Within) and isinstance(c.limit, nodes.DurationLit)
                ),
                None,
            ),
        )

    def _if(self, step: nodes.If, block: str) -> list[Op]:
        """A branch; each path ends by leaving its values for what follows."""
        name = self._ids.take(block, ["if"])
        merged = self._facts.merges[id(step)]
        arms: list[tuple[Expr, tuple[Op, ...]]] = []
        for index, arm in enumerate(step.arms):
            ops = self.chain(arm.chain, f"{name}/{index + 1}/" if index else f"{name}/")
            left = tuple(_leave(m.binding, m.sources[index], step.span) for m in merged)
            arms.append((self.expr(arm.condition), (*ops, *left)))
        otherwise = self.chain(step.otherwise, f"{name}/else/") if step.otherwise else ()
        left = tuple(_leave(m.binding, m.sources[-1], step.span) for m in merged)
        return [Branch(step.span, name, tuple(arms), (*otherwise, *left))]

    # --- expressions

    def expr(self, expr: nodes.Expr) -> Expr:  # noqa: C901, PLR0912  # one case a kind of node
        match expr:
            case nodes.NameRef():
                return self._name(expr)
            case nodes.IntLit(value=number):
                return Const(expr.span, number)
            case nodes.DecimalLit(value=exact):
                return Const(expr.span, exact)
            case nodes.BoolLit(value=flag):
                return Const(expr.span, flag)
            case nodes.NoneLit():
                return Const(expr.span, None)
            case nodes.DurationLit(milliseconds=duration):
                return Const(expr.span, timedelta(milliseconds=duration))
            case nodes.Text():
                return self._text(expr)
            case nodes.FieldOf():
                return self._field(expr)
            case nodes.Index() if id(expr) in self._facts.roots:
                return self._request(expr, expr.index)
            case nodes.Index():
                return At(expr.span, self.expr(expr.value), self.expr(expr.index))
            case nodes.FunctionCall():
                return self._call(expr)
            case nodes.Unary(op="not"):
                return Not(expr.span, self.expr(expr.value))
            case nodes.Unary():
                return Negative(expr.span, self.expr(expr.value))
            case nodes.Binary():
                return self._binary(expr)
            case nodes.Record():
                entries = tuple((entry.key.text, self.expr(entry.value)) for entry in expr.entries)
                return RecordOf(expr.span, entries)
            case nodes.ListLit():
                return ListOf(expr.span, tuple(self.expr(item) for item in expr.items))
            case nodes.Comprehension():
                return self._each(expr)

    def _name(self, expr: nodes.NameRef) -> Expr:
        if self._facts.roots.get(id(expr)) == "payload":
            fields = ((f.name, PayloadField(expr.span, f.name)) for f in self._facts.payload.fields)
            return RecordOf(expr.span, tuple(fields))
        return _value_of(self._facts.names[id(expr)], expr.span)

    def _text(self, expr: nodes.Text) -> Expr:
        if (static := expr.static) is not None:
            return Const(expr.span, static)
        parts = (Const(expr.span, p) if isinstance(p, str) else self.expr(p.path) for p in expr.parts)
        return TextOf(expr.span, tuple(parts))

    def _field(self, expr: nodes.FieldOf) -> Expr:
        root = self._facts.roots.get(id(expr))
        if root in ("headers", "query"):
            return self._request(expr, expr.name)
        if root == "run":
            return RunField(expr.span, expr.name.text)
        if root == "config":
            return Apply(expr.span, "setting", (Const(expr.span, expr.name.text),))
        if isinstance(expr.value, nodes.NameRef) and self._facts.roots.get(id(expr.value)) == "payload":
            return PayloadField(expr.span, expr.name.text)
        found = self._facts.type_of(expr.value)
        kind = required(found)
        if not isinstance(kind, RecordType):
            return Get(expr.span, self.expr(expr.value), expr.name.text, "maybe")
        field = kind.field(expr.name.text)
        name = field.name if field is not None else expr.name.text
        if isinstance(found, OptionalOf):
            return Get(expr.span, self.expr(expr.value), name, "maybe")
        return Get(expr.span, self.expr(expr.value), name, "struct" if kind.name else "record")

    def _request(self, expr: nodes.Expr, name: nodes.Expr | nodes.Name) -> Expr:
        """A header (their names know no case) or a query parameter."""
        text = name.text if isinstance(name, nodes.Name) else (name.static or "" if isinstance(name, nodes.Text) else "")
        if self._facts.roots[id(expr)] == "headers":
            return RequestField(expr.span, "header", text.lower())
        return RequestField(expr.span, "query", text)

    def _each(self, expr: nodes.Comprehension) -> Expr:
        binding = self._facts.binds[id(expr)]
        condition = self.expr(expr.condition) if expr.condition is not None else None
        return Each(expr.span, self.expr(expr.value), binding.variable, self.expr(expr.items), condition)

    def _call(self, expr: nodes.FunctionCall) -> Expr:
        """A call; a `region` that the flow leaves out is the folder's, and so part of the plan."""
        if expr.name.text in self._environment.defs:
            return Call(expr.span, expr.name.text, tuple(self.expr(arg.value) for arg in expr.args))
        function = self._environment.catalog.functions[expr.name.text]
        args = tuple(self.expr(arg.value) for arg in expr.args if arg.name is None)
        named = [(arg.name.text, self.expr(arg.value)) for arg in expr.args if arg.name is not None]
        given = {param.name for param in function.params[: len(args)]} | {name for name, _ in named}
        if "region" in {param.name for param in function.params} - given:
            named.append(("region", Const(expr.span, self._environment.region)))
        return Apply(expr.span, function.name, args, tuple(named))

    def _binary(self, expr: nodes.Binary) -> Expr:
        left, right = self.expr(expr.left), self.expr(expr.right)
        op = expr.op
        if op == "+" and is_text(self._facts.type_of(expr.left)):
            return Operation(expr.span, "join", left, right)
        return Operation(expr.span, op, left, right)


def _value_of(binding: Binding, span: Span) -> Expr:
    if binding.variable.startswith("p."):
        return PayloadField(span, binding.name)
    return Var(span, binding.variable)


def _leave(binding: Binding, source: Binding | None, span: Span) -> Assign:
    value: Expr = Const(span, None) if source is None else _value_of(source, span)
    return Assign(span, "", binding.variable, value)


def _policy(clauses: tuple[nodes.Clause, ...]) -> Policy:
    tries = next((c.times + 1 for c in clauses if isinstance(c, nodes.Retry)), None)
    every = next((c for c in clauses if isinstance(c, nodes.Every)), None)
    unknown = next((c.policy for c in clauses if isinstance(c, nodes.Unknown)), None)
    if every is None:
        return Policy(tries, unknown=unknown)
    low = every.low.milliseconds if isinstance(every.low, nodes.DurationLit) else None
    high = every.high.milliseconds if isinstance(every.high, nodes.DurationLit) else low
    return Policy(tries, low, high, unknown)


def _label(case: nodes.Case) -> str:
    """What the ids of the steps in an arm say of it."""
    if not case.patterns:
        return "else"
    value = pattern_value(case.patterns[0])
    return re.sub(r"\W+", "_", str(value).lower()) or "_"


def _targets(ops: tuple[Op, ...]) -> Iterator[str]:
    """The variables that operations assign where what follows sees them."""
    for op in ops:
        match op:
            case Assign(target=target):
                yield target
            case Effect(target=str() as target) | WaitFor(target=str() as target):
                yield target
            case Branch(arms=arms, otherwise=otherwise):
                yield from _common([*(tuple(_targets(inner)) for _, inner in arms), tuple(_targets(otherwise))])
            case Try(ops=tried, handler=handler, after=after):
                yield from _common([tuple(_targets((*tried, *after))), tuple(_targets(handler))])
            case Parallel(branches=branches):
                for branch in branches:
                    yield from branch.leaves
            case _:
                pass


def _common(paths: list[tuple[str, ...]]) -> list[str]:
    """The variables that every path assigns: a merge."""
    return [name for name in paths[0] if all(name in path for path in paths)]
