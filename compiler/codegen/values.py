"""Expressions of a plan become expressions of Python."""

import ast

from compiler import ir
from compiler.codegen.names import attribute
from compiler.codegen.nodes import Nodes
from dsl.source import Span

_OPERATORS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}
_COMPARE: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
}


class Values(Nodes):
    """Builds expressions."""

    def expr(self, expr: ir.Expr) -> ast.expr:  # noqa: C901, PLR0912  # one case a kind of node
        span = expr.span
        match expr:
            case ir.Const(value=value):
                return self.value(span, value)
            case ir.Var(name=name):
                return self.variable(span, name)
            case ir.PayloadField(name=name):
                return self.attribute(span, name)
            case ir.RequestField(of=of, name=name):
                return self.method(span, of, self.const(span, name))
            case ir.Call(name=name, args=args):
                return self.call(span, self.names.of(def_key(name)), *(self.expr(arg) for arg in args))
            case ir.Each():
                return self._each(expr)
            case ir.RunField(name="at"):
                return self.call(span, "moment", self._run_field(span, "at"))
            case ir.RunField(name=name):
                return self._run_field(span, name)
            case ir.Get():
                return self._get(expr)
            case ir.At(value=value, index=index):
                return self.call(span, "element", self.expr(value), self.expr(index))
            case ir.Apply():
                return self._apply(expr)
            case ir.CallOwn(function=function, args=args):
                named = {name: self.expr(arg) for name, arg in args}
                return self.call(span, self.names.of(own_key(function)), **named)
            case ir.Operation():
                return self._operation(expr)
            case ir.Not(value=value):
                return self.put(span, ast.UnaryOp(ast.Not(), self.expr(value)))
            case ir.Negative(value=value):
                return self.call(span, "negative", self.expr(value))
            case ir.TextOf(parts=parts):
                return self.call(span, "text_of", *(self.expr(part) for part in parts))
            case ir.RecordOf(entries=entries):
                keys = [self.const(span, key) for key, _ in entries]
                values = [self.expr(value) for _, value in entries]
                return self.call(span, "given", self.put(span, ast.Dict(list(keys), values)))
            case ir.ListOf(items=items):
                return self.put(span, ast.List([self.expr(item) for item in items], ast.Load()))

    def _run_field(self, span: Span, name: str) -> ast.expr:
        run = self.put(span, ast.Attribute(self.name(span, "ctx"), "run", ast.Load()))
        return self.put(span, ast.Attribute(run, name, ast.Load()))

    def _each(self, expr: ir.Each) -> ast.expr:
        span = expr.span
        target = self.put(span, ast.Name(self.names.of(expr.name), ast.Store()))
        conditions = [self.expr(expr.condition)] if expr.condition is not None else []
        clause = ast.comprehension(target, self.expr(expr.items), conditions, 0)
        return self.put(span, ast.ListComp(self.expr(expr.value), [clause]))

    def _get(self, expr: ir.Get) -> ast.expr:
        value = self.expr(expr.value)
        if expr.how == "struct":
            return self.put(expr.span, ast.Attribute(value, expr.name, ast.Load()))
        helper = "member" if expr.how == "record" else "maybe_member"
        parts = [value, self.const(expr.span, expr.name)]
        if attribute(expr.name) != expr.name:
            parts.append(self.const(expr.span, attribute(expr.name)))
        return self.call(expr.span, helper, *parts)

    def _apply(self, expr: ir.Apply) -> ast.expr:
        args = [self.expr(arg) for arg in expr.args]
        if expr.function in ("setting", "secret"):
            return self.method(expr.span, expr.function, *args)
        named = {name: self.expr(value) for name, value in expr.named}
        return self.call(expr.span, expr.function, *args, **named)

    def _operation(self, expr: ir.Operation) -> ast.expr:
        span = expr.span
        if expr.op == "??":
            return self._either(expr)
        left, right = self.expr(expr.left), self.expr(expr.right)
        match expr.op:
            case "and":
                return self.put(span, ast.BoolOp(ast.And(), [left, right]))
            case "or":
                return self.put(span, ast.BoolOp(ast.Or(), [left, right]))
            case "same" | "holds":
                return self.call(span, expr.op, left, right)
            case "in":
                return self.put(span, ast.Compare(left, [ast.In()], [right]))
            case "join":
                return self.put(span, ast.BinOp(left, ast.Add(), right))
            case "+" | "-" | "*" | "/" | "%":
                return self.call(span, _OPERATORS[expr.op], left, right)
            case _:
                return self.put(span, ast.Compare(left, [_COMPARE[expr.op]()], [right]))

    def _either(self, expr: ir.Operation) -> ast.expr:
        """`left ?? right`: the right side is computed only where it is needed."""
        span, left, right = expr.span, self.expr(expr.left), self.expr(expr.right)
        if isinstance(expr.left, ir.Var | ir.PayloadField):
            absent = self.put(span, ast.Compare(self.expr(expr.left), [ast.Is()], [self.const(span, None)]))
            return self.put(span, ast.IfExp(absent, right, left))
        if isinstance(expr.right, ir.Var | ir.PayloadField | ir.Const):
            return self.call(span, "either", left, right)
        later = self.put(span, ast.Lambda(self.arguments(()), right))
        return self.call(span, "either_lazily", left, later)


def own_key(name: str) -> str:
    """The key of a function of the folder's Python among the names of a module."""
    return f"{name}#own"


def def_key(name: str) -> str:
    """The key of a `def` among the names of a module."""
    return f"{name}#def"
