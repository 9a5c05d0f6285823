"""What checks of all kinds of expressions share."""

from compiler.check.facts import Environment, Facts
from compiler.reports import Reports, way
from compiler.scope import Scope
from compiler.types import (
    SECRET,
    EnumOf,
    OptionalOf,
    Type,
    Unknown,
    fits,
    required,
    show,
)
from dsl import nodes
from dsl.diagnostics import Fix
from dsl.source import Span


class Basis:
    """Facts and reports of one flow, and the ways of saying that a type does not fit."""

    def __init__(self, environment: Environment, facts: Facts, reports: Reports) -> None:
        self.environment = environment
        self.facts = facts
        self.reports = reports
        self._loops = 0

    def expect(self, expr: nodes.Expr, wanted: Type, scope: Scope, where: str, purpose: str = "") -> Type:
        """Check an expression that must have a type; `where` names the slot in the message, `purpose` what of it."""
        found = self.check(expr, scope)
        if fits(found, wanted) or _is_value_of(expr, required(wanted)):
            return found
        if isinstance(found, OptionalOf) and fits(found.inner, wanted):
            self.absent(expr, found, wanted, where, purpose)
        elif found == SECRET:
            self.secret(expr.span)
        else:
            self.reports.add(
                "E301",
                expr.span,
                f"{where} needs {show(wanted)}{purpose}, but this is {show(found)}",
                f"this is {show(found)}, {show(wanted)} is required",
            )
        return Unknown()

    def absent(self, expr: nodes.Expr, found: OptionalOf, wanted: Type, where: str, purpose: str = "") -> None:
        """Report what may be absent where it must not; whoever declared it so is shown."""
        text = self.reports.source.slice(expr.span)
        related: list[tuple[Span, str]] = []
        fixes: list[Fix] = [self.reports.replace("use a default", expr.span, f"{text} ?? ", snippet=f"{text} ?? …")]
        if isinstance(expr, nodes.NameRef) and (binding := self.facts.names.get(id(expr))) is not None:
            declared = binding.origin == "payload" and not binding.lenient
            if binding.span != expr.span:
                since = "optional since this declaration" if declared else "may be absent since here"
                related.append((binding.span, since))
            if declared:
                fixes.append(way(f"{expr.name}: {show(found.inner)}", "require it"))
            elif binding.lenient:
                fixes.append(way(f"on webhook {{{expr.name}: {show(found.inner)}}}", "declare and require it"))
        self.reports.add(
            "E311",
            expr.span,
            f"`{text}` may be absent, but {where} needs {show(wanted)}{purpose}",
            f"this is {show(found)}, {show(wanted)} is required",
            related=related,
            fixes=fixes,
        )

    def secret(self, span: Span) -> None:
        self.reports.add("E601", span, "a secret may go only into a parameter that takes one", "this is a secret")

    def mismatch(self, code: str, span: Span, message: str, label: str) -> Type:
        self.reports.add(code, span, message, label)
        return Unknown()

    def present(self, expr: nodes.Expr, scope: Scope) -> Type:
        """The type of an operand, which must not be absent."""
        found = self.check(expr, scope)
        if isinstance(found, OptionalOf):
            self.absent(expr, found, found.inner, "this operator")
            return Unknown()
        return found

    def check(self, expr: nodes.Expr, scope: Scope) -> Type:
        """The type of an expression in a scope."""
        raise NotImplementedError


def _is_value_of(expr: nodes.Expr, wanted: Type) -> bool:
    """Whether quoted text is one of the texts that are wanted."""
    return isinstance(wanted, EnumOf) and isinstance(expr, nodes.Text) and expr.static in wanted.values
