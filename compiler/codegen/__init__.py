"""Plans become Python: an `ast.Module` whose nodes stand where the flow's text stands.

What the generated module calls is handed to it by the loader: constructors of shapes and specs, functions of the
catalog, helpers. It imports nothing, and text of a flow only ever becomes an `ast.Constant`.
"""

import ast
import sys
from collections.abc import Iterator
from datetime import timedelta

from compiler import ir
from compiler.codegen.names import ANSWER, DEDUPE, FLOW, HELPERS, ON_ERROR, PAYLOAD, SERIAL, Names
from compiler.codegen.nodes import TOP, byte_position
from compiler.codegen.specs import Specs
from compiler.codegen.values import def_key, own_key
from compiler.ir import applied
from dsl.source import Source, Span

__all__ = ["ANSWER", "DEDUPE", "FLOW", "HELPERS", "ON_ERROR", "PAYLOAD", "SERIAL", "byte_position", "generate"]


def generate(plan: ir.Plan, source: Source) -> ast.Module:
    """The Python of a plan."""
    return _Module(plan, source).build()


class _Module(Specs):
    """Builds the module of one plan."""

    def __init__(self, plan: ir.Plan, source: Source) -> None:
        super().__init__(source, Names(applied(plan)))
        self._plan = plan

    def build(self) -> ast.Module:
        plan = self._plan
        body: list[ast.stmt] = [self.assign(TOP, PAYLOAD, self.payload(plan.payload))]
        body.extend(self._own(function) for function in plan.own)
        effects = (op for op in ir.all_steps(plan) if isinstance(op, ir.Effect))
        body.extend(self.assign(TOP, self.spec_name(op.step), self.spec(op)) for op in effects)
        body.extend(self._definition(function) for function in plan.functions)
        body.extend(self._of_the_trigger())
        body.extend(self._entry(FLOW, plan.flow, ("p", "ctx"), plan.ops))
        if plan.handler is not None:
            params = ("p", "ctx", self.names.of(plan.handler_error))
            body.extend(self._entry(ON_ERROR, f"{plan.flow}_on_error", params, plan.handler))
        return ast.Module(body=body, type_ignores=[])

    def _entry(self, entry: str, name: str, params: tuple[str, ...], ops: tuple[ir.Op, ...]) -> list[ast.stmt]:
        """A coroutine under the flow's name, and the constant under which the loader finds it."""
        function = self.names.of(f"{name}#{entry}")
        return [self._flow(function, params, ops), self.assign(TOP, entry, self.name(TOP, function))]

    def _own(self, function: ir.OwnFunction) -> ast.stmt:
        """Python of the folder, as this plan calls it."""
        handed = self.call(TOP, "own", self.const(TOP, function.name), self.shape(function.result))
        return self.assign(TOP, self.names.of(own_key(function.name)), handed)

    def _of_the_trigger(self) -> Iterator[ast.stmt]:
        """Functions of the delivery alone: the keys of `dedupe` and `serial`, the immediate answer."""
        if self._plan.dedupe is not None:
            yield self._plain(DEDUPE, ("p", "ctx"), self.expr(self._plan.dedupe.key))
        if self._plan.serial is not None:
            yield self._plain(SERIAL, ("p", "ctx"), self.expr(self._plan.serial))
        if self._plan.answer is not None:
            yield self._plain(ANSWER, ("ctx",), self.expr(self._plan.answer.body))

    def _definition(self, function: ir.Function) -> ast.stmt:
        """A `def` of the folder. Its text may be in another file, so its nodes stand at the top of this one."""
        body = _scoped(function)
        params = tuple(self.names.of(param) for param in body.params)
        statement = self._plain(self.names.of(def_key(function.name)), params, self.expr(body.body))
        for node in ast.walk(statement):
            if hasattr(node, "lineno"):
                self.put(TOP, node)  # type: ignore[type-var]  # every node with a place
        return statement

    def _plain(self, name: str, params: tuple[str, ...], value: ast.expr) -> ast.stmt:
        body: list[ast.stmt] = [self.put(TOP, ast.Return(value))]
        function = ast.FunctionDef(name, self.arguments(params), body, [], None, None)
        if sys.version_info >= (3, 12):
            function.type_params = []
        return self.put(TOP, function)

    def _flow(self, name: str, params: tuple[str, ...], ops: tuple[ir.Op, ...]) -> ast.stmt:
        """A chain as a coroutine that says whether the flow stopped itself."""
        body = self._ops(ops)
        body.append(self.put(TOP, ast.Return(self.const(TOP, False))))  # noqa: FBT003  # the value itself
        return self._coroutine(TOP, name, params, body)

    def _coroutine(self, span: Span, name: str, params: tuple[str, ...], body: list[ast.stmt]) -> ast.stmt:
        function = ast.AsyncFunctionDef(name, self.arguments(params), body, [], None, None)
        if sys.version_info >= (3, 12):
            function.type_params = []
        return self.put(span, function)

    def _ops(self, ops: tuple[ir.Op, ...]) -> list[ast.stmt]:
        return [statement for op in ops for statement in self._op(op)]

    def _op(self, op: ir.Op) -> list[ast.stmt]:  # noqa: C901, PLR0912  # one case a kind of operation
        match op:
            case ir.Assign(span=span, target=target, value=value):
                return [self.assign(span, self.names.of(target), self.expr(value))]
            case ir.Effect():
                return [self._effect(op)]
            case ir.Suspend(span=span, step=step, duration=duration):
                return [self._awaited(span, "sleep", self.const(span, step), self._milliseconds(duration))]
            case ir.SuspendUntil(span=span, step=step, instant=instant, zone=zone):
                until = self.call(span, "instant", self.expr(instant), self.const(span, zone))
                return [self._awaited(span, "sleep_until", self.const(span, step), until)]
            case ir.WaitFor():
                return [self._wait_for(op)]
            case ir.Emit(span=span, step=step, event=event):
                parts = (self.const(span, step), self.const(span, event), self.expr(op.key), self.expr(op.value))
                return [self._awaited(span, "emit", *parts)]
            case ir.Respond(span=span, step=step, status=status, body=body):
                answer = (self.const(span, step), self.const(span, status), self.expr(body))
                return [self._awaited(span, "respond", *answer)]
            case ir.LogLine(span=span, step=step, value=value):
                line = self.method(span, "log", self.const(span, step), self.expr(value))
                return [self.statement(span, line)]
            case ir.Stop(span=span):
                return [self.put(span, ast.Return(self.const(span, True)))]  # noqa: FBT003  # the value itself
            case ir.Fail(span=span, message=message):
                return [self.put(span, ast.Raise(self.call(span, "failed", self.expr(message)), None))]
            case ir.Branch():
                return [self._branch(op)]
            case ir.Try():
                return self._try(op)
            case ir.Parallel():
                return self._parallel(op)
            case ir.For():
                return self._for(op)

    def _milliseconds(self, duration: ir.Expr) -> ast.expr:
        if isinstance(duration, ir.Const) and isinstance(duration.value, timedelta):
            return self.const(duration.span, duration.value // timedelta(milliseconds=1))
        return self.call(duration.span, "milliseconds", self.expr(duration))

    def _wait_for(self, op: ir.WaitFor) -> ast.stmt:
        span = op.span
        typed = self.call(span, "reader", self.shape(op.result)) if op.result is not None else None
        read = typed or self.name(span, "read_json")
        parts = (self.const(span, op.step), self.const(span, op.event), self.expr(op.key))
        call = self.method(span, "wait_for", *parts, self.const(span, op.within), read)
        waited = self.put(span, ast.Await(call))
        if op.target is None:
            return self.statement(span, waited)
        return self.assign(span, self.names.of(op.target), waited)

    def _try(self, op: ir.Try) -> list[ast.stmt]:
        """Handlers catch failures of steps and nothing else: a suspended run leaves by a BaseException.

        What handles a failure stands behind the `try`, not inside: Python nests only so many of those.
        """
        span, error = op.span, self.names.of(op.error)
        caught = self.names.of(f"failure#{op.error}")
        told = self.assign(span, error, self.method(span, "error", self.name(span, caught)))
        handler = self.put(span, ast.ExceptHandler(self.name(span, "Failure"), caught, [told]))
        attempt = self.put(span, ast.Try(self._ops(op.ops), [handler], [], []))
        failed = self.put(span, ast.Compare(self.name(span, error), [ast.IsNot()], [self.const(span, None)]))
        body: list[ast.stmt] = self._ops(op.handler) or [self.put(span, ast.Pass())]
        choice = self.put(span, ast.If(failed, body, self._ops(op.after)))
        return [self.assign(span, error, self.const(span, None)), attempt, choice]

    def _parallel(self, op: ir.Parallel) -> list[ast.stmt]:
        """Each branch is a coroutine that returns what it binds."""
        span, statements, names = op.span, list[ast.stmt](), list[ast.expr]()
        targets: list[ast.expr] = []
        for branch in op.branches:
            name = self.names.of(f"{branch.name}#{op.step}/{branch.name}")
            leaves: list[ast.expr] = [self.name(span, self.names.of(leaf)) for leaf in branch.leaves]
            result = self.put(span, ast.Return(self.put(span, ast.Tuple(leaves, ast.Load()))))
            statements.append(self._coroutine(span, name, ("ctx",), [*self._ops(branch.ops), result]))
            names.append(self.name(span, name))
            stored = [self.put(span, ast.Name(self.names.of(leaf), ast.Store())) for leaf in branch.leaves]
            targets.append(self.put(span, ast.Tuple(list[ast.expr](stored), ast.Store())))
        call = self.put(span, ast.Await(self.method(span, "all", self.const(span, op.step), *names)))
        if not any(branch.leaves for branch in op.branches):
            return [*statements, self.statement(span, call)]
        target = self.put(span, ast.List(targets, ast.Store()))
        return [*statements, self.put(span, ast.Assign([target], call))]

    def _for(self, op: ir.For) -> list[ast.stmt]:
        span, name = op.span, self.names.of(f"each#{op.step}")
        body = self._ops(op.ops) or [self.put(span, ast.Pass())]
        function = self._coroutine(span, name, ("ctx", self.names.of(op.name)), body)
        call = self.method(span, "each", self.const(span, op.step), self.expr(op.items), self.name(span, name))
        call.keywords = [
            self.put(span, ast.keyword("most", self.const(span, op.most))),
            self.put(span, ast.keyword("at_once", self.const(span, op.at_once))),
        ]
        return [function, self.statement(span, self.put(span, ast.Await(call)))]

    def _awaited(self, span: Span, method: str, *args: ast.expr) -> ast.stmt:
        return self.statement(span, self.put(span, ast.Await(self.method(span, method, *args))))

    def _effect(self, op: ir.Effect) -> ast.stmt:
        spec = self.name(op.span, self.spec_name(op.step))
        args = [self.expr(arg) for arg in op.args]
        call = self.put(op.span, ast.Await(self.method(op.span, "step", spec, *args)))
        if op.target is None:
            return self.statement(op.span, call)
        return self.assign(op.span, self.names.of(op.target), call)

    def _branch(self, op: ir.Branch) -> ast.stmt:
        rest = self._ops(op.otherwise)
        for condition, ops in reversed(op.arms):
            body = self._ops(ops) or [self.put(op.span, ast.Pass())]
            rest = [self.put(op.span, ast.If(self.expr(condition), body, rest))]
        return rest[0]


def _scoped(function: ir.Function) -> ir.Function:
    """A def whose parameters are unique in the module."""
    renamed = {param: f"{param}#{function.name}()" for param in function.params}
    return ir.Function(function.name, tuple(renamed.values()), ir.renamed(function.body, renamed))
