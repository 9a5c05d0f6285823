"""Values of expressions of a plan."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from compiler import ir
from runtime.failures import StepFailure
from runtime.functions import FUNCTIONS
from tests.compiler.reference.numbers import Fault, calculated, same
from tests.compiler.reference.trace import Delivery, Record

Names = Mapping[str, Any]

_FUNCTIONS: dict[str, Callable[..., Any]] = {signature.name: function for signature, function in FUNCTIONS}


class Values:
    """Evaluates the expressions of one run; raises Fault."""

    def __init__(self, plan: ir.Plan, delivery: Delivery, payload: Record) -> None:
        self._plan, self._delivery, self._payload = plan, delivery, payload

    def value(self, expr: ir.Expr, names: Names) -> Any:  # noqa: C901, PLR0912  # one case a kind of node
        match expr:
            case ir.Const(value=value):
                return value
            case ir.Var(name=name):
                return names[name]
            case ir.PayloadField(name=name):
                return self._payload[name]
            case ir.RunField(name=name):
                at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self._delivery.at)
                return {"id": "r1", "flow": self._plan.flow, "at": at}[name]
            case ir.RequestField(of=of, name=name):
                return (self._delivery.headers if of == "header" else self._delivery.query).get(name)
            case ir.Get(value=value, name=name):
                found = self.value(value, names)
                return found.get(name) if isinstance(found, dict) else None
            case ir.At(value=value, index=index):
                return _element(self.value(value, names), self.value(index, names))
            case ir.Apply():
                return self._apply(expr, names)
            case ir.CallOwn():
                raise AssertionError("the programs that are compared have no Python of a folder")
            case ir.Call():
                return self._call(expr, names)
            case ir.Operation():
                return self._operation(expr, names)
            case ir.Not(value=value):
                return not self.value(value, names)
            case ir.Negative(value=value):
                return calculated("*", -1, self.value(value, names))
            case ir.TextOf(parts=parts):
                return "".join(text(self.value(part, names)) for part in parts)
            case ir.RecordOf(entries=entries):
                pairs = [(key, self.value(entry, names)) for key, entry in entries]
                return Record((key, value) for key, value in pairs if value is not None)
            case ir.ListOf(items=items):
                return [self.value(item, names) for item in items]
            case ir.Each():
                return self._each(expr, names)

    def _each(self, expr: ir.Each, names: Names) -> list[Any]:
        found = []
        for item in self.value(expr.items, names):
            inner = {**names, expr.name: item}
            if expr.condition is None or self.value(expr.condition, inner):
                found.append(self.value(expr.value, inner))
        return found

    def _call(self, expr: ir.Call, names: Names) -> Any:
        """A def sees its parameters alone."""
        function = next(f for f in self._plan.functions if f.name == expr.name)
        given = [self.value(arg, names) for arg in expr.args]
        return self.value(function.body, dict(zip(function.params, given, strict=True)))

    def _apply(self, expr: ir.Apply, names: Names) -> Any:
        args = [self.value(arg, names) for arg in expr.args]
        named = {name: self.value(arg, names) for name, arg in expr.named}
        match expr.function:
            case "setting":
                return self._delivery.config[args[0]]
            case "secret":
                return self._delivery.secrets[args[0]]
            case "exact":  # an int that is widened
                return Decimal(args[0])
            case "as_json":
                return _as_json(args[0])
            case name:
                return _applied(_FUNCTIONS[name], args, named)

    def _operation(self, expr: ir.Operation, names: Names) -> Any:
        """The right side is computed only where it matters."""
        left, op = self.value(expr.left, names), expr.op
        if (op == "and" and not left) or (op == "or" and left) or (op == "??" and left is not None):
            return left
        right = self.value(expr.right, names)
        match op:
            case "and" | "or" | "??":
                return right
            case "join":
                return left + right
            case "+" | "-" | "*" | "/" | "%":
                return calculated(op, left, right)
            case _:
                return _compared(op, left, right)


def _applied(function: Callable[..., Any], args: list[Any], named: dict[str, Any]) -> Any:
    try:
        return function(*args, **named)
    except StepFailure as failure:
        raise Fault(failure.code) from failure


def _compared(op: str, left: Any, right: Any) -> bool:
    match op:
        case "in" | "holds":
            return any(same(left, item) for item in right)
        case "==" | "same":
            return same(left, right)
        case "!=":
            return not same(left, right)
        case "<" | ">=":
            return bool(left < right) == (op == "<")
        case _:
            return bool(right < left) == (op == ">")


def _as_json(value: Any) -> Any:
    """A record under the keys of its JSON."""
    match value:
        case Record():
            return {value.keys_in_json.get(k, k): _as_json(v) for k, v in value.items() if v is not None}
        case list():
            return [_as_json(item) for item in value]
        case _:
            return value


def _element(value: Any, index: Any) -> Any:
    match value, index:
        case list(), int():
            return value[index] if 0 <= index < len(value) else None
        case dict(), str():
            return value.get(index)
        case _:
            return None


def text(value: Any) -> str:
    """A value in text: decimals are written plainly."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
