"""What a flow does, by its plan alone: an interpreter with rules of its own, read from docs/language.md.

Effects are answered by a script, waits are over at once. What happens is told as a trace, one line an effect, to be
compared with the trace of the generated Python (tests/compiler/test_generated.py).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, Overflow
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from compiler import ir
from runtime import context as running
from runtime.failures import StepFailure
from runtime.functions import FUNCTIONS


@dataclass(frozen=True, slots=True)
class Refusal:
    """The failure that an effect answers with."""

    code: str
    message: str = "scripted"


Script = Callable[[str, tuple[Any, ...]], bytes | Refusal]  # step id with its indexes, arguments -> what comes back


@dataclass(frozen=True, slots=True)
class Delivery:
    """All that a run takes from outside."""

    body: bytes
    script: Script
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    at: int = 1_700_000_000_000


class Record(dict[str, Any]):
    """A record by the flow's names; `keys_in_json` where they differ."""

    keys_in_json: Mapping[str, str] = {}


def outward(value: Any) -> Any:
    """A value as it leaves: absent fields are left out, names are JSON keys, instants are UTC."""
    match value:
        case Record():
            return {value.keys_in_json.get(k, k): outward(v) for k, v in value.items() if v is not None}
        case dict():
            return {key: outward(item) for key, item in value.items()}
        case msgspec.Struct():
            names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
            found = {key: outward(getattr(value, name)) for key, name in names}
            return {key: item for key, item in found.items() if item is not None}
        case running.Failed(step, code, message, attempt):
            return {"step": step, "code": code, "message": message, "attempt": attempt}
        case list():
            return [outward(item) for item in value]
        case datetime():
            return value.astimezone(UTC)
        case _:
            return value


class Tape:
    """A trace under way."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, what: str, step: str, *values: Any) -> None:
        self.lines.append(f"{what} {step} " + ", ".join(repr(outward(value)) for value in values))

    def append(self, name: str, other: "Tape") -> None:
        self.lines.extend(f"{name} | {line}" for line in other.lines)


# --- the plan, interpreted

_DIGITS, _ROOMY = Context(prec=28, rounding=ROUND_HALF_EVEN), Context(prec=200)
_APPLIED: dict[str, Callable[..., Any]] = {signature.name: function for signature, function in FUNCTIONS}


class _Failed(Exception):  # noqa: N818  # the language calls it a failure
    """A failure on its way to whoever handles it."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.code, self.message, self.step = code, message or code, ""


class _Stopped(Exception):  # noqa: N818  # not an error
    """The flow stopped itself."""


def interpret(plan: ir.Plan, delivery: Delivery) -> list[str]:
    """The trace of a plan."""
    tape = Tape()
    payload = _read_payload(plan.payload, json.loads(delivery.body, parse_float=Decimal))
    machine = _Machine(plan, delivery, payload, tape)
    try:
        machine.run(plan.ops, {})
        tape.note("end", "")
    except _Stopped:
        tape.note("stop", "")
    except _Failed as failure:
        tape.note("failed", failure.step, failure.code, failure.message)
        _handle(machine, plan, failure)
    return tape.lines


def _handle(machine: "_Machine", plan: ir.Plan, failure: _Failed) -> None:
    if plan.handler is None:
        return
    try:
        machine.run(plan.handler, {plan.handler_error: _told(failure)})
        machine.tape.note("handled", "")
    except _Stopped:
        machine.tape.note("settled", "")
    except _Failed as second:
        machine.tape.note("dead", second.step, second.code, second.message)


def _told(failure: _Failed) -> Record:
    return Record(step=failure.step, code=failure.code, message=failure.message, attempt=1)


class _Machine:
    """Runs operations. `names` maps variables to values, and is changed by what they bind."""

    def __init__(self, plan: ir.Plan, delivery: Delivery, payload: Record, tape: Tape, index: str = "") -> None:
        self._plan, self._delivery, self._payload, self._index = plan, delivery, payload, index
        self.tape = tape

    def run(self, ops: Sequence[ir.Op], names: dict[str, Any]) -> None:
        for op in ops:
            try:
                self._op(op, names)
            except _Failed as failure:
                failure.step = failure.step or self._id(getattr(op, "step", "") or self._around(op))
                raise

    def _id(self, step: str) -> str:
        return f"{step}{self._index}"

    def _around(self, op: ir.Op) -> str:
        """The step that an operation without a name of its own belongs to: the innermost around it."""
        around = [s for s in ir.all_steps(self._plan) if s.span.start <= op.span.start and op.span.end <= s.span.end]
        return min(around, key=lambda step: step.span.end - step.span.start).step if around else ""

    def _op(self, op: ir.Op, names: dict[str, Any]) -> None:  # noqa: C901, PLR0912, PLR0915  # a case a kind
        match op:
            case ir.Assign(target=target, value=value):
                names[target] = self.value(value, names)
            case ir.Effect():
                args = [self.value(arg, names) for arg in op.args]
                self.tape.note("step", self._id(op.step), op.verb, op.effect, literal(op.literal), args)
                found = self._answer(op.step, args, op.result)
                names |= {op.target: found} if op.target else {}
            case ir.Suspend(step=step, duration=duration):
                waited = self.value(duration, names) // timedelta(milliseconds=1)
                self.tape.note("sleep", self._id(step), waited)
            case ir.SuspendUntil(step=step, instant=instant, zone=zone):
                until = self.value(instant, names)
                if not isinstance(until, datetime):
                    until = datetime.combine(until, time(), ZoneInfo(zone))
                self.tape.note("sleep until", self._id(step), until)
            case ir.WaitFor(step=step, event=event, target=target):
                key = self.value(op.key, names)
                self.tape.note("wait for", self._id(step), event, key, op.within)
                found = self._answer(step, [key], op.result)
                names |= {target: found} if target else {}
            case ir.Emit(step=step, event=event, key=key, value=value):
                self.tape.note("emit", self._id(step), event, self.value(key, names), self.value(value, names))
            case ir.Respond(step=step, status=status, body=body):
                self.tape.note("respond", self._id(step), status, self.value(body, names))
            case ir.LogLine(step=step, value=value):
                self.tape.note("log", self._id(step), self.value(value, names))
            case ir.Stop():
                raise _Stopped
            case ir.Fail(message=message):
                raise _Failed("failed", self.value(message, names))
            case ir.Branch(arms=arms, otherwise=otherwise):
                chosen = next((ops for condition, ops in arms if self.value(condition, names)), otherwise)
                self.run(chosen, names)
            case ir.Try():
                self._try(op, names)
            case ir.Parallel():
                self._parallel(op, names)
            case ir.For():
                self._for(op, names)

    def _answer(self, step: str, args: Sequence[Any], shape: ir.Shape | None) -> Any:
        answer = self._delivery.script(self._id(step), tuple(args))
        if isinstance(answer, Refusal):
            raise _Failed(answer.code, answer.message)
        found = json.loads(answer, parse_float=Decimal)
        return found if shape is None else _read(shape, found)

    def _try(self, op: ir.Try, names: dict[str, Any]) -> None:
        try:
            self.run(op.ops, names)
        except _Failed as failure:
            names[op.error] = _told(failure)
            self.run(op.handler, names)
        else:
            self.run(op.after, names)

    def _parallel(self, op: ir.Parallel, names: dict[str, Any]) -> None:
        first: _Failed | None = None
        bound: dict[str, Any] = {}
        for number, branch in enumerate(op.branches):
            inner, own = dict(names), Tape()
            try:
                self._within(own, self._index).run(branch.ops, inner)
            except _Failed as failure:
                first = first or failure
            self.tape.append(f"{self._id(op.step)} {number}", own)
            bound |= {name: value for name, value in inner.items() if name not in names}
        if first is not None:
            raise first
        names.update(bound)

    def _for(self, op: ir.For, names: dict[str, Any]) -> None:
        items = self.value(op.items, names)
        self.tape.note("for", self._id(op.step), len(items), op.most, op.at_once)
        if len(items) > op.most:
            raise _Failed("too_many")
        for index, item in enumerate(items):
            self._within(self.tape, f"{self._index}[{index}]").run(op.ops, {**names, op.name: item})

    def _within(self, tape: Tape, index: str) -> "_Machine":
        return _Machine(self._plan, self._delivery, self._payload, tape, index)

    # --- values

    def value(self, expr: ir.Expr, names: Mapping[str, Any]) -> Any:  # noqa: C901, PLR0912  # a case a kind
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
            case ir.Call(name=name, args=args):
                function = next(f for f in self._plan.functions if f.name == name)
                given = [self.value(arg, names) for arg in args]
                return self.value(function.body, dict(zip(function.params, given, strict=True)))
            case ir.Operation():
                return self._operation(expr, names)
            case ir.Not(value=value):
                return not self.value(value, names)
            case ir.Negative(value=value):
                return _calculated("-", 0, self.value(value, names))
            case ir.TextOf(parts=parts):
                return "".join(_text(self.value(part, names)) for part in parts)
            case ir.RecordOf(entries=entries):
                pairs = ((key, self.value(entry, names)) for key, entry in entries)
                return Record((key, value) for key, value in pairs if value is not None)
            case ir.ListOf(items=items):
                return [self.value(item, names) for item in items]
            case ir.Each():
                inner = [{**names, expr.name: item} for item in self.value(expr.items, names)]
                condition = expr.condition
                return [self.value(expr.value, n) for n in inner if condition is None or self.value(condition, n)]

    def _apply(self, expr: ir.Apply, names: Mapping[str, Any]) -> Any:
        args = [self.value(arg, names) for arg in expr.args]
        named = {name: self.value(arg, names) for name, arg in expr.named}
        if expr.function == "setting":
            return self._delivery.config[args[0]]
        try:
            return _APPLIED[expr.function](*args, **named)
        except StepFailure as failure:
            raise _Failed(failure.code) from failure

    def _operation(self, expr: ir.Operation, names: Mapping[str, Any]) -> Any:
        left = self.value(expr.left, names)
        if (expr.op == "and" and not left) or (expr.op == "or" and left) or (expr.op == "??" and left is not None):
            return left
        right = self.value(expr.right, names)
        match expr.op:
            case "and" | "or" | "??":
                return right
            case "join":
                return left + right
            case "in" | "holds":
                return any(_same(left, item) for item in right)
            case "==" | "same":
                return _same(left, right)
            case "!=":
                return not _same(left, right)
            case "<" | "<=" | ">" | ">=":
                below, equal = left < right, left == right
                return {"<": below, "<=": below or equal, ">": not (below or equal), ">=": not below}[expr.op]
            case "+" | "-" | "*" | "/" | "%":
                return _calculated(expr.op, left, right)


def literal(parts: Sequence[object]) -> list[str]:
    """A literal's parts, whoever holds them."""
    return [part if isinstance(part, str) else f"<{getattr(part, 'name', '')}>" for part in parts]


def _same(left: Any, right: Any) -> bool:
    """Equality by value; a field that is absent is as one that is not there."""
    match left, right:
        case dict(), dict():
            return all(_same(left.get(key), right.get(key)) for key in {*left, *right})
        case list(), list():
            return len(left) == len(right) and all(map(_same, left, right))
        case _:
            return bool(left == right)


def _element(value: Any, index: Any) -> Any:
    match value, index:
        case list(), int():
            return value[index] if -len(value) <= index < len(value) else None
        case dict(), str():
            return value.get(index)
        case _:
            return None


def _text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _calculated(op: str, left: Any, right: Any) -> Any:
    if op in "/%" and right == 0:
        raise _Failed("division_by_zero")
    try:
        if isinstance(left, date | timedelta) or isinstance(right, timedelta):
            return _moved(op, left, right)
        if isinstance(left, int) and isinstance(right, int) and op != "/":
            return _whole(op, left, right)
        return _exact(op, Decimal(left), Decimal(right))
    except (OverflowError, Overflow) as error:
        raise _Failed("overflow") from error


def _moved(op: str, left: Any, right: Any) -> Any:
    """Times: a date moves by whole days."""
    whole = not isinstance(left, date) or isinstance(left, datetime) or isinstance(right, date)
    if not whole and right % timedelta(days=1):
        raise _Failed("not_whole_days")
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case _:
            return left * right


def _whole(op: str, left: int, right: int) -> int:
    found = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__, "%": _remainder}[op](left, right)
    if not -(2**63) <= found < 2**63:
        raise OverflowError
    return found


def _remainder(left: int, right: int) -> int:
    """What a division towards zero leaves: it has the dividend's sign."""
    return abs(left) % abs(right) * (-1 if left < 0 else 1)


def _exact(op: str, left: Decimal, right: Decimal) -> Decimal:
    """Decimals of 28 digits, half-even; no zero below zero."""
    if op == "%":
        places = min(int(left.as_tuple().exponent), int(right.as_tuple().exponent))
        scaled = (int(value.scaleb(-places, _ROOMY)) for value in (left, right))
        return _DIGITS.plus(Decimal(_remainder(*scaled)).scaleb(places, _ROOMY))
    apply = {"+": _DIGITS.add, "-": _DIGITS.subtract, "*": _DIGITS.multiply, "/": _DIGITS.divide}[op]
    return _DIGITS.add(apply(left, right), 0)


# --- what comes from outside, for the interpreter


_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def _read_payload(payload: ir.Object, value: Any) -> Record:
    """A record, or the whole body under one name."""
    match payload.fields:
        case (ir.ShapeField(name=name, key="", shape=shape),):
            return Record({name: _read(shape, value)})
        case fields:
            return _read_record(fields, value)


def _read_record(fields: Sequence[ir.ShapeField], value: Mapping[str, Any]) -> Record:
    found = Record((f.name, _read_field(f, value.get(f.key))) for f in fields)
    found.keys_in_json = {f.name: f.key for f in fields}
    return found


def _read(shape: ir.Shape, value: Any) -> Any:
    match shape:
        case ir.Object(fields=fields):
            return _read_record(fields, value)
        case ir.Many(item=item):
            return [_read(item, part) for part in value]
        case ir.Scalar(name="decimal"):
            return Decimal(value)
        case ir.Scalar(name="scalar"):
            return str(value)
        case ir.Scalar(name="datetime"):
            return datetime.fromisoformat(value)
        case ir.Scalar(name="date"):
            return date.fromisoformat(value)
        case ir.Scalar(name="duration"):
            number = value.rstrip("".join(_UNITS))
            return int(number) * _UNITS[value[len(number) :]]
        case _:
            return value


def _read_field(shape: ir.ShapeField, value: Any) -> Any:
    """Null takes the default; empty text is absence unless the type is text."""
    if value is None or (value == "" and not _takes_empty(shape.shape)):
        return shape.default
    return _read(shape.shape, value)


def _takes_empty(shape: ir.Shape) -> bool:
    match shape:
        case ir.OneOf(values=values):
            return "" in values
        case ir.Scalar(name=name):
            return name in ("text", "json")
        case _:
            return False
