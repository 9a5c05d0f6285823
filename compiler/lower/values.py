"""Expressions of the checked tree become expressions of a plan."""

from datetime import timedelta

from compiler.check.facts import Environment, Facts
from compiler.check.failing import of_operator, of_sign
from compiler.ir import (
    Apply,
    At,
    Call,
    CallOwn,
    Const,
    Each,
    Expr,
    Get,
    ListOf,
    Negative,
    Not,
    Operation,
    PayloadField,
    RecordOf,
    RequestField,
    RunField,
    TextOf,
    Var,
)
from compiler.scope import Binding
from compiler.types import DECIMAL, INT, JSON, OptionalOf, Type, is_text, required
from compiler.types import ListOf as ListType
from compiler.types import RecordOf as RecordType
from dsl import nodes
from dsl.source import Span


class Values:
    """Lowers the expressions of one flow or def."""

    def __init__(self, facts: Facts, environment: Environment) -> None:
        self.facts = facts
        self._environment = environment

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
            case nodes.Index() if id(expr) in self.facts.roots:
                return self._request(expr, expr.index)
            case nodes.Index():
                return At(expr.span, self.expr(expr.value), self.expr(expr.index))
            case nodes.FunctionCall():
                return self._call(expr)
            case nodes.Unary(op="not"):
                return Not(expr.span, self.expr(expr.value))
            case nodes.Unary():
                return Negative(expr.span, self.expr(expr.value), tuple(of_sign(expr, self.facts)))
            case nodes.Binary():
                return self._binary(expr)
            case nodes.Record():
                entries = tuple((entry.key.text, self.expr(entry.value)) for entry in expr.entries)
                return RecordOf(expr.span, entries)
            case nodes.ListLit():
                return self._list(expr)
            case nodes.Comprehension():
                return self._each(expr)

    def _name(self, expr: nodes.NameRef) -> Expr:
        if self.facts.roots.get(id(expr)) == "payload":
            fields = ((f.name, PayloadField(expr.span, f.name)) for f in self.facts.payload.fields)
            return RecordOf(expr.span, tuple(fields))
        return value_of(self.facts.names[id(expr)], expr.span)

    def _text(self, expr: nodes.Text) -> Expr:
        if (static := expr.static) is not None:
            return Const(expr.span, static)
        parts = (Const(expr.span, p) if isinstance(p, str) else self.expr(p.path) for p in expr.parts)
        return TextOf(expr.span, tuple(parts))

    def _field(self, expr: nodes.FieldOf) -> Expr:
        root = self.facts.roots.get(id(expr))
        if root in ("headers", "query"):
            return self._request(expr, expr.name)
        if root == "secret":
            return Apply(expr.span, "secret", (Const(expr.span, expr.name.text),))
        if root == "run":
            return RunField(expr.span, expr.name.text)
        if root == "config":
            return Apply(expr.span, "setting", (Const(expr.span, expr.name.text),))
        if isinstance(expr.value, nodes.NameRef) and self.facts.roots.get(id(expr.value)) == "payload":
            return PayloadField(expr.span, expr.name.text)
        found = self.facts.type_of(expr.value)
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
        text = (
            name.text if isinstance(name, nodes.Name) else (name.static or "" if isinstance(name, nodes.Text) else "")
        )
        if self.facts.roots[id(expr)] == "headers":
            return RequestField(expr.span, "header", text.lower())
        return RequestField(expr.span, "query", text)

    def _list(self, expr: nodes.ListLit) -> Expr:
        """An array; one of several types is of json."""
        kind = self.facts.type_of(expr)
        wanted = kind.item if isinstance(kind, ListType) else JSON
        return ListOf(expr.span, tuple(self.widened(item, wanted) for item in expr.items))

    def _each(self, expr: nodes.Comprehension) -> Expr:
        binding = self.facts.binds[id(expr)]
        condition = self.expr(expr.condition) if expr.condition is not None else None
        return Each(expr.span, self.expr(expr.value), binding.variable, self.expr(expr.items), condition)

    def _compared(self, expr: nodes.Binary, left: Expr, right: Expr) -> Expr:
        if expr.op == "in":
            plain = not _structured(self.facts.type_of(expr.left))
            return Operation(expr.span, "in" if plain else "holds", left, right)
        same = Operation(expr.span, "same", left, right)
        return same if expr.op == "==" else Not(expr.span, same)

    def _call(self, expr: nodes.FunctionCall) -> Expr:
        """A call; a `region` or `zone` that the flow leaves out is the folder's, and so part of the plan."""
        if expr.name.text in self._environment.defs:
            wanted = self._environment.defs[expr.name.text].params
            given_values = (self.widened(a.value, kind) for a, (_, kind) in zip(expr.args, wanted, strict=True))
            return Call(expr.span, expr.name.text, tuple(given_values))
        function = self._environment.catalog.functions[expr.name.text]
        kinds = {param.name: param.type for param in function.params}
        by_place = [arg for arg in expr.args if arg.name is None]
        args = tuple(self._argument(a, p.type) for a, p in zip(by_place, function.params, strict=False))
        named = [(a.name.text, self._argument(a, kinds[a.name.text])) for a in expr.args if a.name is not None]
        given = {param.name for param in function.params[: len(args)]} | {name for name, _ in named}
        if function.own:
            by_name = zip((param.name for param in function.params), args, strict=False)
            return CallOwn(expr.span, function.name, (*by_name, *named))
        for name, value in (("region", self._environment.region), ("zone", self._environment.zone)):
            if name in kinds.keys() - given:
                named.append((name, Const(expr.span, value)))
        return Apply(expr.span, function.name, args, tuple(named))

    def _argument(self, arg: nodes.Arg, wanted: str) -> Expr:
        """An argument of a function of the catalog."""
        kind = {"decimal": DECIMAL, "json": JSON}.get(wanted.removesuffix("?"))
        return self.expr(arg.value) if kind is None else self.widened(arg.value, kind)

    def widened(self, expr: nodes.Expr, wanted: Type) -> Expr:
        """An expression as a type: an int becomes a decimal, and a record becomes json under its JSON keys."""
        value, found = self.expr(expr), self.facts.type_of(expr)
        if required(wanted) == DECIMAL and found == INT:
            return Apply(expr.span, "exact", (value,))
        if required(wanted) == JSON and _holds_record(found):
            return Apply(expr.span, "as_json", (value,))
        return value

    def _binary(self, expr: nodes.Binary) -> Expr:
        op, left = expr.op, self.expr(expr.left)
        right = self.widened(expr.right, self.facts.type_of(expr.left)) if op == "??" else self.expr(expr.right)
        if op in ("==", "!=", "in") and (_structured(self.facts.type_of(expr.left)) or op == "in"):
            return self._compared(expr, left, right)
        if op == "+" and is_text(self.facts.type_of(expr.left)):
            return Operation(expr.span, "join", left, right)
        return Operation(expr.span, op, left, right, tuple(sorted(of_operator(expr, self.facts))))


def _structured(kind: Type) -> bool:
    """Whether values of a type may be held in more than one way, and are compared by what they hold."""
    return isinstance(required(kind), RecordType | ListType)


def _holds_record(kind: Type) -> bool:
    """Whether values of a type are records, or arrays of them: as json they have the keys of their JSON."""
    inner = required(kind)
    return _holds_record(inner.item) if isinstance(inner, ListType) else isinstance(inner, RecordType)


def value_of(binding: Binding, span: Span) -> Expr:
    """What a binding stands for at a place."""
    if binding.variable.startswith("p."):
        return PayloadField(span, binding.name)
    return Var(span, binding.variable)
