"""Types of operators."""

from compiler.check.basis import Basis
from compiler.check.narrow import narrow
from compiler.scope import Scope
from compiler.types import (
    BOOL,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INT,
    JSON,
    PII_TEXT,
    TEXT,
    EnumOf,
    ListOf,
    NoneType,
    OptionalOf,
    Type,
    Unknown,
    fits,
    is_pii,
    is_text,
    join,
    optional,
    required,
    show,
)
from dsl import nodes


class Operators(Basis):
    """Checks unary and binary operators."""

    def _unary(self, expr: nodes.Unary, scope: Scope) -> Type:
        if expr.op == "not":
            self.expect(expr.value, BOOL, scope, "`not`")
            return BOOL
        found = self.check(expr.value, scope)
        if found in (INT, DECIMAL) or isinstance(found, Unknown):
            return found
        return self.mismatch("E302", expr.span, f"`-` needs a number, not {show(found)}", f"this is {show(found)}")

    def _binary(self, expr: nodes.Binary, scope: Scope) -> Type:
        match expr.op:
            case "and" | "or":
                self.expect(expr.left, BOOL, scope, f"`{expr.op}`")
                then = narrow(expr.left, scope, holds=expr.op == "and")
                self.expect(expr.right, BOOL, then, f"`{expr.op}`")
                return BOOL
            case "??":
                return self._coalesce(expr, scope)
            case "==" | "!=":
                return self._equality(expr, scope)
            case "<" | "<=" | ">" | ">=":
                return self._order(expr, scope)
            case "in":
                return self._within(expr, scope)
            case _:
                return self._arithmetic(expr, scope)

    def _coalesce(self, expr: nodes.Binary, scope: Scope) -> Type:
        left, right = self.check(expr.left, scope), self.check(expr.right, scope)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return Unknown()
        if not isinstance(left, OptionalOf | NoneType):
            self.reports.add("W411", expr.op_span, "this is never absent, so its default is never used", "not needed")
            return left
        joined = join([required(left), right]) if not isinstance(left, NoneType) else right
        if required(left) == JSON and fits(required(right), JSON):
            joined = optional(JSON) if isinstance(right, OptionalOf) else JSON
        if required(left) == DECIMAL and right == INT:
            joined = DECIMAL
        if joined is None and is_text(required(left)) and is_text(required(right)):
            joined = TEXT if not isinstance(right, OptionalOf) else optional(TEXT)
        if joined is None:
            message = f"a default for {show(left)} cannot be {show(right)}"
            return self.mismatch("E302", expr.right.span, message, f"this is {show(right)}")
        return joined

    def _equality(self, expr: nodes.Binary, scope: Scope) -> Type:
        left, right = self.check(expr.left, scope), self.check(expr.right, scope)
        if isinstance(left, NoneType) or isinstance(right, NoneType):
            return BOOL
        if JSON in (required(left), required(right)):
            return self.mismatch("E302", expr.span, "json cannot be compared: convert it first", "one side is json")
        if not _comparable(left, right):
            self._operands(expr, left, right, "compares two values of one type")
        return BOOL

    def _within(self, expr: nodes.Binary, scope: Scope) -> Type:
        left, right = self.present(expr.left, scope), self.present(expr.right, scope)
        if _any_unknown((left, right)):
            return BOOL
        if not isinstance(right, ListOf) or not _comparable(left, right.item) or required(right.item) == JSON:
            self._operands(expr, left, right, "asks whether an array holds a value of its type")
        return BOOL

    def _order(self, expr: nodes.Binary, scope: Scope) -> Type:
        left, right = self.present(expr.left, scope), self.present(expr.right, scope)
        same = left == right and left in (INT, DECIMAL, DURATION, DATETIME, DATE)
        if not same and {left, right} != {INT, DECIMAL} and not _any_unknown((left, right)):
            self._operands(expr, left, right, "compares numbers, dates or durations of one type")
        return BOOL

    def _arithmetic(self, expr: nodes.Binary, scope: Scope) -> Type:
        left, right = self.present(expr.left, scope), self.present(expr.right, scope)
        if _any_unknown((left, right)):
            return Unknown()
        if expr.op == "+" and is_text(left) and is_text(right):
            return PII_TEXT if is_pii(left) or is_pii(right) else TEXT
        if {left, right} <= {INT, DECIMAL}:
            return INT if {left, right} == {INT} and expr.op != "/" else DECIMAL
        if (moved := _TIMES.get((left, expr.op, right))) is not None:
            return moved
        needs = "joins text to text, adds numbers, or moves a time" if expr.op == "+" else "needs two numbers"
        return self._operands(expr, left, right, needs)

    def _operands(self, expr: nodes.Binary, left: Type, right: Type, needs: str) -> Type:
        return self.mismatch(
            "E302",
            expr.op_span,
            f"`{expr.op}` {needs}, not {show(left)} and {show(right)}",
            f"{show(left)} on the left, {show(right)} on the right",
        )


_TIMES: dict[tuple[Type, str, Type], Type] = {
    (DATETIME, "+", DURATION): DATETIME,
    (DATETIME, "-", DURATION): DATETIME,
    (DATETIME, "-", DATETIME): DURATION,
    (DATE, "+", DURATION): DATE,
    (DATE, "-", DURATION): DATE,
    (DATE, "-", DATE): DURATION,
    (DURATION, "+", DURATION): DURATION,
    (DURATION, "-", DURATION): DURATION,
    (DURATION, "*", INT): DURATION,
    (INT, "*", DURATION): DURATION,
}


def _any_unknown(types: tuple[Type, ...]) -> bool:
    return any(isinstance(found, Unknown) for found in types)


def _comparable(left: Type, right: Type) -> bool:
    a, b = required(left), required(right)
    if _any_unknown((a, b)) or a == b:
        return True
    if isinstance(a, ListOf) and isinstance(b, ListOf):
        return _any_unknown((a.item, b.item))  # `[]` is an array of any type
    if is_text(a) and is_text(b):
        return not (isinstance(a, EnumOf) and isinstance(b, EnumOf))
    return {a, b} == {INT, DECIMAL}
