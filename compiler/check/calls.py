"""Calls of functions: of the catalog, and of the folder's own `def`s."""

from compiler.catalog import Function, Param
from compiler.check.arguments import paired
from compiler.check.basis import Basis
from compiler.check.facts import Definition
from compiler.check.written import catalog_type
from compiler.reports import listed
from compiler.scope import Scope
from compiler.types import (
    Type,
    Unknown,
    bind,
    is_pii,
    show,
    substitute,
    with_pii,
)
from dsl import nodes


class Calls(Basis):
    """Checks calls."""

    def _call(self, expr: nodes.FunctionCall, scope: Scope) -> Type:
        if (definition := self.environment.defs.get(expr.name.text)) is not None:
            return self._definition(expr, definition, scope)
        function = self.environment.catalog.functions.get(expr.name.text)
        if function is None:
            for arg in expr.args:
                self.check(arg.value, scope)
            return self._no_function(expr)
        bound: dict[str, Type] = {}
        for arg, param in paired(expr.args, function.params, function.name, expr.span, self.reports):
            self._argument(arg, param, function, scope, bound)
        result = substitute(catalog_type(function.result, self.environment.catalog), bound)
        personal = any(is_pii(self.facts.types.get(id(arg.value), Unknown())) for arg in expr.args)
        return with_pii(result) if personal else result

    def _definition(self, expr: nodes.FunctionCall, definition: Definition, scope: Scope) -> Type:
        """A call of a `def` of the folder: arguments go by place."""
        name = expr.name.text
        if len(expr.args) != len(definition.params) or any(arg.name is not None for arg in expr.args):
            signature = ", ".join(f"{param}: {show(kind)}" for param, kind in definition.params)
            self.mismatch("E213", expr.span, f"{name} takes {len(definition.params)} by place", f"{name}({signature})")
        for arg, (param, kind) in zip(expr.args, definition.params, strict=False):
            self.expect(arg.value, kind, scope, f"{param} of {name}")
        return definition.result

    def _argument(self, arg: nodes.Arg, param: Param, function: Function, scope: Scope, bound: dict[str, Type]) -> None:
        wanted = catalog_type(param.type, self.environment.catalog)
        found = self.check(arg.value, scope)
        if not bind(wanted, found, bound):
            self.expect(arg.value, substitute(wanted, bound), scope, f"{param.name} of {function.name}")
        if param.constant and not (isinstance(arg.value, nodes.Text) and arg.value.static is not None):
            self.mismatch(
                "E215",
                arg.value.span,
                f"{param.name} of {function.name} is part of the plan: only quoted text may stand here",
                "not a literal",
            )

    def _no_function(self, expr: nodes.FunctionCall) -> Type:
        meant = self.reports.nearest(expr.name.text, [*self.environment.catalog.functions, *self.environment.defs])
        fixes = []
        if meant is not None:
            fixes.append(
                self.reports.replace(f"replace `{expr.name.text}` by `{meant}`", expr.name.span, meant, safe=True)
            )
        self.reports.add(
            "E203",
            expr.name.span,
            f"there is no function `{expr.name.text}`",
            f"did you mean `{meant}`?" if meant else "unknown function",
            notes=[f"the folder defines {listed(sorted(self.environment.defs))}"] if self.environment.defs else [],
            fixes=fixes,
        )
        return Unknown()
