"""Plans become Python: an `ast.Module` whose nodes stand where the flow's text stands.

What the generated module calls is handed to it by the loader: constructors of shapes and specs, functions of the
catalog, helpers. It imports nothing, and text of a flow only ever becomes an `ast.Constant`.
"""

import ast
import keyword
import re
import sys
from collections.abc import Iterable
from decimal import Decimal
from typing import TypeVar

from compiler import ir
from dsl.source import Source, Span

# The names that generated modules use, beside the functions of the catalog (all of runtime.values and its like).
_OPERATORS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}
_COMPARE: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
}
_TOP = Span(0, 0)
T = TypeVar("T", ast.expr, ast.stmt, ast.arg, ast.keyword, ast.Name, ast.Call)


def generate(plan: ir.Plan, source: Source) -> ast.Module:
    """The Python of a plan."""
    return _Module(plan, source).build()


def identifier(name: str) -> str:
    """A name of the language as a Python name that shadows nothing of ours."""
    safe = re.sub(r"\W", "_", name)
    return f"{safe}_" if keyword.iskeyword(safe) or safe in ("p", "ctx") else safe


class _Module:
    def __init__(self, plan: ir.Plan, source: Source) -> None:
        self._plan = plan
        self._at = _Places(source)
        self._source = source
        self._specs: dict[str, str] = {}

    def build(self) -> ast.Module:
        body: list[ast.stmt] = [self._assign(_TOP, "PAYLOAD", self._record("Payload", self._plan.payload))]
        for op in ir.steps(self._plan.ops):
            if isinstance(op, ir.Effect):
                name = self._spec_name(op.step)
                body.append(self._assign(_TOP, name, self._spec(op)))
        body.append(self._function())
        return ast.Module(body=body, type_ignores=[])

    def _spec_name(self, step: str) -> str:
        name = re.sub(r"\W", "_", step).upper()
        while name in self._specs.values():
            name += "_"
        self._specs[step] = name
        return name

    # --- small builders

    def _name(self, span: Span, name: str) -> ast.Name:
        return self._at.put(span, ast.Name(name, ast.Load()))

    def _const(self, span: Span, value: str | int | None) -> ast.expr:
        return self._at.put(span, ast.Constant(value))

    def _call(self, span: Span, function: str, *args: ast.expr, **named: ast.expr) -> ast.Call:
        keywords = [self._at.put(span, ast.keyword(key, value)) for key, value in named.items()]
        return self._at.put(span, ast.Call(self._name(span, function), list(args), keywords))

    def _method(self, span: Span, method: str, *args: ast.expr) -> ast.Call:
        function = self._at.put(span, ast.Attribute(self._name(span, "ctx"), method, ast.Load()))
        return self._at.put(span, ast.Call(function, list(args), []))

    def _assign(self, span: Span, target: str, value: ast.expr) -> ast.stmt:
        name = self._at.put(span, ast.Name(target, ast.Store()))
        return self._at.put(span, ast.Assign([name], value))

    def _statement(self, span: Span, value: ast.expr) -> ast.stmt:
        return self._at.put(span, ast.Expr(value))

    # --- shapes and specs

    def _record(self, name: str, record: ir.Object) -> ast.expr:
        fields = [self._field(field) for field in record.fields]
        return self._call(_TOP, "record", self._const(_TOP, name), *fields)

    def _field(self, field: ir.ShapeField) -> ast.expr:
        named: dict[str, ast.expr] = {}
        if field.key != field.name:
            named["key"] = self._const(_TOP, field.key)
        if not field.required:
            named["required"] = self._const(_TOP, False)  # noqa: FBT003  # the value itself
        if field.default is not None:
            named["default"] = self._const(_TOP, field.default)
        if field.lenient:
            named["lenient"] = self._const(_TOP, True)  # noqa: FBT003  # the value itself
        name = self._const(_TOP, identifier(field.name))
        return self._call(_TOP, "field", name, self._shape(field.shape), **named)

    def _shape(self, shape: ir.Shape) -> ast.expr:
        match shape:
            case ir.Scalar(name, options) if options:
                return self._call(_TOP, f"{name}_kind", *(self._const(_TOP, option) for option in options))
            case ir.Scalar(name):
                return self._name(_TOP, f"{name}_kind")
            case ir.OneOf(values):
                return self._call(_TOP, "enum", *(self._const(_TOP, value) for value in values))
            case ir.Many(item):
                return self._call(_TOP, "array", self._shape(item))
            case ir.Object():
                return self._call(_TOP, "nested", self._record("Record", shape))

    def _spec(self, op: ir.Effect) -> ast.expr:
        named: dict[str, ast.expr] = {}
        if op.literal:
            named["literal"] = self._tuple(self._part(part) for part in op.literal)
        policy = {k: v for k in ("tries", "low", "high") if (v := getattr(op.policy, k)) is not None}
        if policy:
            named["policy"] = self._call(_TOP, "policy", **{k: self._const(_TOP, v) for k, v in policy.items()})
        if op.result is not None:
            named["result"] = self._call(_TOP, "reader", self._shape(op.result))
        if op.code is not None:
            named["block"] = self._block(op.code)
        parts = (self._const(_TOP, part) for part in (op.step, op.verb, op.effect))
        return self._call(_TOP, "step", *parts, **named)

    def _part(self, part: str | ir.Setting | ir.Hole) -> ast.expr:
        match part:
            case str():
                return self._const(_TOP, part)
            case ir.Setting(name):
                return self._call(_TOP, "setting", self._const(_TOP, name))
            case ir.Hole():
                return self._call(_TOP, "hole")

    def _block(self, code: ir.Code) -> ast.expr:
        params = self._tuple(self._const(_TOP, param) for param in code.params)
        line = self._source.position(code.body.start).line
        return self._call(
            _TOP,
            "block",
            self._const(_TOP, code.python),
            params,
            self._const(_TOP, self._source.path),
            self._const(_TOP, line),
        )

    def _tuple(self, items: Iterable[ast.expr]) -> ast.expr:
        return self._at.put(_TOP, ast.Tuple(list(items), ast.Load()))

    # --- the function

    def _function(self) -> ast.stmt:
        arguments = ast.arguments(
            [], [self._at.put(_TOP, ast.arg("p")), self._at.put(_TOP, ast.arg("ctx"))], None, [], [], None, []
        )
        body = self._ops(self._plan.ops)
        body.append(self._at.put(_TOP, ast.Return(self._const(_TOP, False))))  # noqa: FBT003  # the value itself
        function = ast.AsyncFunctionDef(identifier(self._plan.flow), arguments, body, [], None, None)
        if sys.version_info >= (3, 12):
            function.type_params = []
        return self._at.put(_TOP, function)

    def _ops(self, ops: tuple[ir.Op, ...]) -> list[ast.stmt]:
        return [self._op(op) for op in ops]

    def _op(self, op: ir.Op) -> ast.stmt:
        match op:
            case ir.Assign(span=span, target=target, value=value):
                return self._assign(span, identifier(target), self._expr(value))
            case ir.Effect():
                return self._effect(op)
            case ir.Suspend(span=span, step=step, duration=duration):
                return self._awaited(span, "sleep", self._const(span, step), self._expr(duration))
            case ir.LogLine(span=span, step=step, value=value):
                return self._statement(span, self._method(span, "log", self._const(span, step), self._expr(value)))
            case ir.Stop(span=span):
                return self._at.put(span, ast.Return(self._const(span, True)))  # noqa: FBT003  # the value itself
            case ir.Fail(span=span, message=message):
                return self._at.put(span, ast.Raise(self._call(span, "failed", self._expr(message)), None))
            case ir.Branch():
                return self._branch(op)

    def _awaited(self, span: Span, method: str, *args: ast.expr) -> ast.stmt:
        return self._statement(span, self._at.put(span, ast.Await(self._method(span, method, *args))))

    def _effect(self, op: ir.Effect) -> ast.stmt:
        spec = self._name(op.span, self._specs[op.step])
        args = [self._expr(arg) for arg in op.args]
        call = self._at.put(op.span, ast.Await(self._method(op.span, "step", spec, *args)))
        if op.target is None:
            return self._statement(op.span, call)
        return self._assign(op.span, identifier(op.target), call)

    def _branch(self, op: ir.Branch) -> ast.stmt:
        rest = self._ops(op.otherwise)
        for condition, ops in reversed(op.arms):
            body = self._ops(ops) or [self._at.put(op.span, ast.Pass())]
            rest = [self._at.put(op.span, ast.If(self._expr(condition), body, rest))]
        return rest[0]

    # --- expressions

    def _expr(self, expr: ir.Expr) -> ast.expr:  # noqa: C901, PLR0912  # one case a kind of node
        span = expr.span
        match expr:
            case ir.Const(value=value):
                if isinstance(value, Decimal):
                    return self._call(span, "exact", self._const(span, str(value)))
                return self._const(span, value)
            case ir.Var(name=name):
                return self._name(span, identifier(name))
            case ir.PayloadField(name=name):
                return self._at.put(span, ast.Attribute(self._name(span, "p"), identifier(name), ast.Load()))
            case ir.RunField(name=name):
                run = self._at.put(span, ast.Attribute(self._name(span, "ctx"), "run", ast.Load()))
                return self._at.put(span, ast.Attribute(run, name, ast.Load()))
            case ir.Get():
                return self._get(expr)
            case ir.At(value=value, index=index):
                return self._call(span, "element", self._expr(value), self._expr(index))
            case ir.Apply():
                return self._apply(expr)
            case ir.Operation():
                return self._operation(expr)
            case ir.Not(value=value):
                return self._at.put(span, ast.UnaryOp(ast.Not(), self._expr(value)))
            case ir.Negative(value=value):
                return self._call(span, "negative", self._expr(value))
            case ir.TextOf(parts=parts):
                return self._call(span, "text_of", *(self._expr(part) for part in parts))
            case ir.RecordOf(entries=entries):
                keys = [self._const(span, key) for key, _ in entries]
                values = [self._expr(value) for _, value in entries]
                return self._call(span, "given", self._at.put(span, ast.Dict(list(keys), values)))
            case ir.ListOf(items=items):
                return self._at.put(span, ast.List([self._expr(item) for item in items], ast.Load()))

    def _get(self, expr: ir.Get) -> ast.expr:
        value = self._expr(expr.value)
        if expr.how == "struct":
            return self._at.put(expr.span, ast.Attribute(value, expr.name, ast.Load()))
        helper = "member" if expr.how == "record" else "maybe_member"
        return self._call(expr.span, helper, value, self._const(expr.span, expr.name))

    def _apply(self, expr: ir.Apply) -> ast.expr:
        args = [self._expr(arg) for arg in expr.args]
        if expr.function == "setting":
            return self._method(expr.span, "setting", *args)
        named = {name: self._expr(value) for name, value in expr.named}
        return self._call(expr.span, expr.function, *args, **named)

    def _operation(self, expr: ir.Operation) -> ast.expr:
        span, left, right = expr.span, self._expr(expr.left), self._expr(expr.right)
        match expr.op:
            case "and":
                return self._at.put(span, ast.BoolOp(ast.And(), [left, right]))
            case "or":
                return self._at.put(span, ast.BoolOp(ast.Or(), [left, right]))
            case "??":
                return self._either(span, left, right)
            case "join":
                return self._at.put(span, ast.BinOp(left, ast.Add(), right))
            case "+" | "-" | "*" | "/" | "%":
                return self._call(span, _OPERATORS[expr.op], left, right)
            case _:
                return self._at.put(span, ast.Compare(left, [_COMPARE[expr.op]()], [right]))

    def _either(self, span: Span, left: ast.expr, right: ast.expr) -> ast.expr:
        """`left ?? right`: the right side is computed only where it is needed."""
        kept = self._at.put(span, ast.NamedExpr(self._at.put(span, ast.Name("_", ast.Store())), left))
        absent = self._at.put(span, ast.Compare(kept, [ast.Is()], [self._const(span, None)]))
        return self._at.put(span, ast.IfExp(absent, right, self._name(span, "_")))


class _Places:
    """Gives nodes their place: 1-based lines, and columns in UTF-8 bytes as Python counts them."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def put(self, span: Span, node: T) -> T:
        node.lineno, node.col_offset = byte_position(self._source, span.start)
        node.end_lineno, node.end_col_offset = byte_position(self._source, span.end)
        return node


def byte_position(source: Source, offset: int) -> tuple[int, int]:
    """Line (from 1) and column in UTF-8 bytes (from 0) of an offset."""
    position = source.position(offset)
    line = source.line(position.line)
    return position.line, len(line[: position.column - 1].encode())
