"""Plans become Python: an `ast.Module` whose nodes stand where the flow's text stands.

What the generated module calls is handed to it by the loader: constructors of shapes and specs, functions of the
catalog, helpers. It imports nothing, and text of a flow only ever becomes an `ast.Constant`.
"""

import ast
import keyword
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
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
T = TypeVar("T", bound=ast.expr | ast.stmt | ast.arg | ast.keyword | ast.ExceptHandler)


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
        body: list[ast.stmt] = [self._assign(_TOP, "PAYLOAD", self._payload(self._plan.payload))]
        for op in ir.all_steps(self._plan):
            if isinstance(op, ir.Effect):
                name = self._spec_name(op.step)
                body.append(self._assign(_TOP, name, self._spec(op)))
        body.extend(self._definition(function) for function in self._plan.functions)
        body.extend(self._of_the_trigger())
        body.append(self._flow(identifier(self._plan.flow), ("p", "ctx"), self._plan.ops))
        if self._plan.handler is not None:
            names = ("p", "ctx", identifier(self._plan.handler_error))
            body.append(self._flow("on_error", names, self._plan.handler))
        return ast.Module(body=body, type_ignores=[])

    def _of_the_trigger(self) -> Iterator[ast.stmt]:
        """Functions of the delivery alone: the key of `dedupe`, the immediate answer."""
        if self._plan.dedupe is not None:
            yield self._plain("dedupe_key", ("p", "ctx"), self._expr(self._plan.dedupe.key))
        if self._plan.answer is not None:
            yield self._plain("answer_body", ("ctx",), self._expr(self._plan.answer.body))

    def _definition(self, function: ir.Function) -> ast.stmt:
        """A `def` of the folder. Its text may be in another file, so its nodes stand at the top of this one."""
        params = tuple(identifier(param) for param in function.params)
        statement = self._plain(def_name(function.name), params, self._expr(function.body))
        for node in ast.walk(statement):
            if hasattr(node, "lineno"):
                self._at.put(_TOP, node)  # type: ignore[type-var]  # every node with a place
        return statement

    def _plain(self, name: str, params: tuple[str, ...], value: ast.expr) -> ast.stmt:
        body: list[ast.stmt] = [self._at.put(_TOP, ast.Return(value))]
        function = ast.FunctionDef(name, self._arguments(params), body, [], None, None)
        if sys.version_info >= (3, 12):
            function.type_params = []
        return self._at.put(_TOP, function)

    def _arguments(self, names: tuple[str, ...]) -> ast.arguments:
        return ast.arguments([], [self._at.put(_TOP, ast.arg(name)) for name in names], None, [], [], None, [])

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

    def _payload(self, payload: ir.Object) -> ast.expr:
        """The shape of the body: a record, or one value under a name (its key is then empty)."""
        match payload.fields:
            case (ir.ShapeField(name=name, key="", shape=shape),):
                return self._call(_TOP, "whole", self._const(_TOP, identifier(name)), self._shape(shape))
            case _:
                return self._record("Payload", payload)

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
            named["default"] = self._value(_TOP, field.default)
        if field.lenient:
            named["lenient"] = self._const(_TOP, True)  # noqa: FBT003  # the value itself
        name = self._const(_TOP, identifier(field.name))
        return self._call(_TOP, "field", name, self._shape(field.shape), **named)

    def _shape(self, shape: ir.Shape) -> ast.expr:
        match shape:
            case ir.Scalar("phone", options):
                return self._call(_TOP, "phone_kind", *(self._const(_TOP, option) for option in options))
            case ir.Scalar(name, options) if options:
                bounds = [self._const(_TOP, option) for option in options]
                return self._call(_TOP, "ranged", self._name(_TOP, f"{name}_kind"), *bounds)
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
        said = ("tries", "low", "high", "unknown")
        policy = {k: v for k in said if (v := getattr(op.policy, k)) is not None}
        if policy:
            named["policy"] = self._call(_TOP, "policy", **{k: self._const(_TOP, v) for k, v in policy.items()})
        if op.result is not None:
            named["result"] = self._call(_TOP, "reader", self._shape(op.result))
        if op.code is not None:
            named["block"] = self._block(op.code)
        if op.within is not None:
            named["within"] = self._const(_TOP, op.within)
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

    # --- functions

    def _flow(self, name: str, params: tuple[str, ...], ops: tuple[ir.Op, ...]) -> ast.stmt:
        """A chain as a coroutine that says whether the flow stopped itself."""
        body = self._ops(ops)
        body.append(self._at.put(_TOP, ast.Return(self._const(_TOP, False))))  # noqa: FBT003  # the value itself
        return self._coroutine(_TOP, name, params, body)

    def _coroutine(self, span: Span, name: str, params: tuple[str, ...], body: list[ast.stmt]) -> ast.stmt:
        function = ast.AsyncFunctionDef(name, self._arguments(params), body, [], None, None)
        if sys.version_info >= (3, 12):
            function.type_params = []
        return self._at.put(span, function)

    def _ops(self, ops: tuple[ir.Op, ...]) -> list[ast.stmt]:
        return [statement for op in ops for statement in self._op(op)]

    def _op(self, op: ir.Op) -> list[ast.stmt]:  # noqa: C901, PLR0912  # one case a kind of operation
        match op:
            case ir.Assign(span=span, target=target, value=value):
                return [self._assign(span, identifier(target), self._expr(value))]
            case ir.Effect():
                return [self._effect(op)]
            case ir.Suspend(span=span, step=step, duration=duration):
                return [self._awaited(span, "sleep", self._const(span, step), self._milliseconds(duration))]
            case ir.SuspendUntil(span=span, step=step, instant=instant, zone=zone):
                until = self._call(span, "instant", self._expr(instant), self._const(span, zone))
                return [self._awaited(span, "sleep_until", self._const(span, step), until)]
            case ir.WaitFor():
                return [self._wait_for(op)]
            case ir.Emit(span=span, step=step, event=event):
                parts = (self._const(span, step), self._const(span, event), self._expr(op.key), self._expr(op.value))
                return [self._awaited(span, "emit", *parts)]
            case ir.Respond(span=span, step=step, status=status, body=body):
                answer = (self._const(span, step), self._const(span, status), self._expr(body))
                return [self._awaited(span, "respond", *answer)]
            case ir.LogLine(span=span, step=step, value=value):
                line = self._method(span, "log", self._const(span, step), self._expr(value))
                return [self._statement(span, line)]
            case ir.Stop(span=span):
                return [self._at.put(span, ast.Return(self._const(span, True)))]  # noqa: FBT003  # the value itself
            case ir.Fail(span=span, message=message):
                return [self._at.put(span, ast.Raise(self._call(span, "failed", self._expr(message)), None))]
            case ir.Branch():
                return [self._branch(op)]
            case ir.Try():
                return [self._try(op)]
            case ir.Parallel():
                return self._parallel(op)
            case ir.For():
                return self._for(op)

    def _milliseconds(self, duration: ir.Expr) -> ast.expr:
        if isinstance(duration, ir.Const) and isinstance(duration.value, timedelta):
            return self._const(duration.span, duration.value // timedelta(milliseconds=1))
        return self._call(duration.span, "milliseconds", self._expr(duration))

    def _wait_for(self, op: ir.WaitFor) -> ast.stmt:
        span = op.span
        typed = self._call(span, "reader", self._shape(op.result)) if op.result is not None else None
        read = typed or self._name(span, "read_json")
        parts = (self._const(span, op.step), self._const(span, op.event), self._expr(op.key))
        call = self._method(span, "wait_for", *parts, self._const(span, op.within), read)
        waited = self._at.put(span, ast.Await(call))
        if op.target is None:
            return self._statement(span, waited)
        return self._assign(span, identifier(op.target), waited)

    def _try(self, op: ir.Try) -> ast.stmt:
        """Handlers catch failures of steps and nothing else: a suspended run leaves by a BaseException."""
        span, caught = op.span, f"{identifier(op.error)}_caught"
        told = self._assign(span, identifier(op.error), self._method(span, "error", self._name(span, caught)))
        handler = self._at.put(
            span, ast.ExceptHandler(self._name(span, "Failure"), caught, [told, *self._ops(op.handler)])
        )
        return self._at.put(span, ast.Try(self._ops(op.ops), [handler], self._ops(op.after), []))

    def _parallel(self, op: ir.Parallel) -> list[ast.stmt]:
        """Each branch is a coroutine that returns what it binds."""
        span, statements, names = op.span, list[ast.stmt](), list[ast.expr]()
        targets: list[ast.expr] = []
        for branch in op.branches:
            name = identifier(f"{op.step}_{branch.name}")
            leaves: list[ast.expr] = [self._name(span, identifier(leaf)) for leaf in branch.leaves]
            result = self._at.put(span, ast.Return(self._at.put(span, ast.Tuple(leaves, ast.Load()))))
            statements.append(self._coroutine(span, name, ("ctx",), [*self._ops(branch.ops), result]))
            names.append(self._name(span, name))
            stored = [self._at.put(span, ast.Name(identifier(leaf), ast.Store())) for leaf in branch.leaves]
            targets.append(self._at.put(span, ast.Tuple(list[ast.expr](stored), ast.Store())))
        call = self._at.put(span, ast.Await(self._method(span, "all", self._const(span, op.step), *names)))
        if not any(branch.leaves for branch in op.branches):
            return [*statements, self._statement(span, call)]
        target = self._at.put(span, ast.List(targets, ast.Store()))
        return [*statements, self._at.put(span, ast.Assign([target], call))]

    def _for(self, op: ir.For) -> list[ast.stmt]:
        span, name = op.span, identifier(f"{op.step}_body")
        body = self._ops(op.ops) or [self._at.put(span, ast.Pass())]
        function = self._coroutine(span, name, ("ctx", identifier(op.name)), body)
        call = self._method(
            span, "each", self._const(span, op.step), self._expr(op.items), self._name(span, name)
        )
        call.keywords = [
            self._at.put(span, ast.keyword("most", self._const(span, op.most))),
            self._at.put(span, ast.keyword("at_once", self._const(span, op.at_once))),
        ]
        return [function, self._statement(span, self._at.put(span, ast.Await(call)))]

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
                return self._value(span, value)
            case ir.Var(name=name):
                return self._name(span, identifier(name))
            case ir.PayloadField(name=name):
                return self._at.put(span, ast.Attribute(self._name(span, "p"), identifier(name), ast.Load()))
            case ir.RequestField(of=of, name=name):
                return self._method(span, of, self._const(span, name))
            case ir.Call(name=name, args=args):
                return self._call(span, def_name(name), *(self._expr(arg) for arg in args))
            case ir.Each():
                return self._each(expr)
            case ir.RunField(name="at"):
                return self._call(span, "moment", self._run_field(span, "at"))
            case ir.RunField(name=name):
                return self._run_field(span, name)
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

    def _value(self, span: Span, value: str | int | Decimal | timedelta | None) -> ast.expr:
        match value:
            case Decimal():
                return self._call(span, "exact", self._const(span, str(value)))
            case timedelta():
                return self._call(span, "duration", self._const(span, value // timedelta(milliseconds=1)))
            case _:
                return self._const(span, value)

    def _run_field(self, span: Span, name: str) -> ast.expr:
        run = self._at.put(span, ast.Attribute(self._name(span, "ctx"), "run", ast.Load()))
        return self._at.put(span, ast.Attribute(run, name, ast.Load()))

    def _each(self, expr: ir.Each) -> ast.expr:
        span = expr.span
        target = self._at.put(span, ast.Name(identifier(expr.name), ast.Store()))
        conditions = [self._expr(expr.condition)] if expr.condition is not None else []
        clause = ast.comprehension(target, self._expr(expr.items), conditions, 0)
        return self._at.put(span, ast.ListComp(self._expr(expr.value), [clause]))

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
            case "in":
                return self._at.put(span, ast.Compare(left, [ast.In()], [right]))
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


def def_name(name: str) -> str:
    """The Python name of a `def`: no flow's own name can be it."""
    return f"def_{identifier(name)}"


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
