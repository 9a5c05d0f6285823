"""Checked flows become plans: names become variables, clauses become policies, steps get their ids."""

from compiler.catalog import EffectClass, Verb
from compiler.check.commands import is_setting
from compiler.check.facts import Environment, Facts
from compiler.expand import Expanded
from compiler.ir import (
    Apply,
    Assign,
    At,
    Branch,
    Code,
    Const,
    Effect,
    Expr,
    Fail,
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
    PayloadField,
    Plan,
    Policy,
    RecordOf,
    RunField,
    Scalar,
    Setting,
    Shape,
    ShapeField,
    Stop,
    Suspend,
    TextOf,
    Var,
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
    trigger = expanded.flow.trigger
    limit = next((c.size for c in trigger.clauses if isinstance(c, nodes.Limit)), DEFAULT_LIMIT)
    path = trigger.path.static if trigger.path else None
    shapes = _Shapes(environment)
    lowering = _Lowering(facts, environment, shapes)
    payload = Object(
        tuple(
            ShapeField(
                f.name,
                f.key,
                shapes.of(required(f.type)),
                not isinstance(f.type, OptionalOf) and f.default is None,
                f.default,
                f.lenient,
            )
            for f in facts.fields
        )
    )
    return Plan(expanded.name, path, limit, payload, lowering.chain(expanded.flow.chain, ""))


class _Shapes:
    """Types as shapes of JSON."""

    def __init__(self, environment: Environment) -> None:
        self._region = environment.region

    def of(self, kind: Type) -> Shape:
        match kind:
            case Prim("phone"):
                return Scalar("phone", (self._region,))
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
        return tuple(op for step in chain.steps for op in self._step(step, block))

    def _step(self, step: nodes.Step, block: str) -> list[Op]:  # noqa: C901  # one case a kind of node
        match step:
            case nodes.BindStep():
                return [self._bind(step, block)]
            case nodes.Command():
                return [self._command(step, block)]
            case nodes.CodeStep():
                return [self._code(step, block)]
            case nodes.If():
                return self._if(step, block)
            case nodes.Wait():
                return [Suspend(step.span, self._ids.take(block, ["wait"]), self._expr(step.duration))]
            case nodes.Log():
                return [LogLine(step.span, self._ids.take(block, ["log"]), self._expr(step.value))]
            case nodes.Stop():
                return [Stop(step.span, self._ids.take(block, ["stop"]))]
            case nodes.Fail():
                return [Fail(step.span, self._ids.take(block, ["fail"]), self._expr(step.value))]
            case _:
                raise AssertionError(f"{type(step).__name__} has no plan: the checker refuses it")

    def _bind(self, step: nodes.BindStep, block: str) -> Assign:
        words = [step.name.text]
        if isinstance(step.value, nodes.FunctionCall):
            words = [step.value.name.text, step.name.text]
        target = self._facts.binds[id(step)].variable
        return Assign(step.span, self._ids.take(block, words), target, self._expr(step.value))

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
            values.append(Const(step.head, None) if value is None else self._expr(value))
        return values

    def _with(self, step: nodes.Command, verb: Verb) -> list[Expr]:
        if not verb.with_:
            return []
        given = next((c.value for c in step.clauses if isinstance(c, nodes.With)), None)
        if given is None:
            return [Const(step.head, None)]
        value = self._expr(given)
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
                holes.append(self._expr(part.path))
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
        )

    def _if(self, step: nodes.If, block: str) -> list[Op]:
        """A branch; each path ends by leaving its values for what follows."""
        name = self._ids.take(block, ["if"])
        merged = self._facts.merges[id(step)]
        arms: list[tuple[Expr, tuple[Op, ...]]] = []
        for index, arm in enumerate(step.arms):
            ops = self.chain(arm.chain, f"{name}/{index + 1}/" if index else f"{name}/")
            left = tuple(_leave(m.binding, m.sources[index], step.span) for m in merged)
            arms.append((self._expr(arm.condition), (*ops, *left)))
        otherwise = self.chain(step.otherwise, f"{name}/else/") if step.otherwise else ()
        left = tuple(_leave(m.binding, m.sources[-1], step.span) for m in merged)
        return [Branch(step.span, name, tuple(arms), (*otherwise, *left))]

    # --- expressions

    def _expr(self, expr: nodes.Expr) -> Expr:  # noqa: C901, PLR0912  # one case a kind of node
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
                return Const(expr.span, duration)
            case nodes.Text():
                return self._text(expr)
            case nodes.FieldOf():
                return self._field(expr)
            case nodes.Index():
                return At(expr.span, self._expr(expr.value), self._expr(expr.index))
            case nodes.FunctionCall():
                return self._call(expr)
            case nodes.Unary(op="not"):
                return Not(expr.span, self._expr(expr.value))
            case nodes.Unary():
                return Negative(expr.span, self._expr(expr.value))
            case nodes.Binary():
                return self._binary(expr)
            case nodes.Record():
                entries = tuple((entry.key.text, self._expr(entry.value)) for entry in expr.entries)
                return RecordOf(expr.span, entries)
            case nodes.ListLit():
                return ListOf(expr.span, tuple(self._expr(item) for item in expr.items))
            case nodes.Comprehension():
                raise AssertionError("the checker refuses it")

    def _name(self, expr: nodes.NameRef) -> Expr:
        if self._facts.roots.get(id(expr)) == "payload":
            fields = ((f.name, PayloadField(expr.span, f.name)) for f in self._facts.payload.fields)
            return RecordOf(expr.span, tuple(fields))
        return _value_of(self._facts.names[id(expr)], expr.span)

    def _text(self, expr: nodes.Text) -> Expr:
        if (static := expr.static) is not None:
            return Const(expr.span, static)
        parts = (Const(expr.span, p) if isinstance(p, str) else self._expr(p.path) for p in expr.parts)
        return TextOf(expr.span, tuple(parts))

    def _field(self, expr: nodes.FieldOf) -> Expr:
        root = self._facts.roots.get(id(expr))
        if root == "run":
            return RunField(expr.span, expr.name.text)
        if root == "config":
            return Apply(expr.span, "setting", (Const(expr.span, expr.name.text),))
        if isinstance(expr.value, nodes.NameRef) and self._facts.roots.get(id(expr.value)) == "payload":
            return PayloadField(expr.span, expr.name.text)
        found = self._facts.type_of(expr.value)
        kind = required(found)
        if not isinstance(kind, RecordType):
            return Get(expr.span, self._expr(expr.value), expr.name.text, "maybe")
        field = kind.field(expr.name.text)
        name = field.name if field is not None else expr.name.text
        if isinstance(found, OptionalOf):
            return Get(expr.span, self._expr(expr.value), name, "maybe")
        return Get(expr.span, self._expr(expr.value), name, "struct" if kind.name else "record")

    def _call(self, expr: nodes.FunctionCall) -> Expr:
        """A call; a `region` that the flow leaves out is the folder's, and so part of the plan."""
        function = self._environment.catalog.functions[expr.name.text]
        args = tuple(self._expr(arg.value) for arg in expr.args if arg.name is None)
        named = [(arg.name.text, self._expr(arg.value)) for arg in expr.args if arg.name is not None]
        given = {param.name for param in function.params[: len(args)]} | {name for name, _ in named}
        if "region" in {param.name for param in function.params} - given:
            named.append(("region", Const(expr.span, self._environment.region)))
        return Apply(expr.span, function.name, args, tuple(named))

    def _binary(self, expr: nodes.Binary) -> Expr:
        left, right = self._expr(expr.left), self._expr(expr.right)
        op = expr.op
        if op == "in":
            raise AssertionError("the checker refuses it")
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
    if every is None:
        return Policy(tries)
    low = every.low.milliseconds if isinstance(every.low, nodes.DurationLit) else None
    high = every.high.milliseconds if isinstance(every.high, nodes.DurationLit) else low
    return Policy(tries, low, high)
