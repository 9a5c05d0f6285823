"""What a flow does, by its plan alone: an interpreter with rules of its own, read from docs/language.md.

Effects are answered by a script, waits are over at once. The trace is compared with that of the generated Python.
"""

import json
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from compiler import ir
from runtime.steps import catalog
from tests.compiler.reference.numbers import Fault
from tests.compiler.reference.reading import read, read_payload
from tests.compiler.reference.trace import Delivery, Record, Refusal, Tape, literal
from tests.compiler.reference.values import Values, text

_CATALOG = catalog()


class _Failed(Exception):  # noqa: N818  # the language calls it a failure
    """A failure on its way to whoever handles it."""

    def __init__(self, step: str, code: str, message: str | None = None) -> None:
        super().__init__(code)
        self.step, self.code, self.message = step, code, code if message is None else message

    def told(self) -> Record:
        """What a flow may know of it."""
        return Record(step=self.step, code=self.code, message=self.message, attempt=1)


class _Stopped(Exception):  # noqa: N818  # not an error
    """The flow stopped itself."""


def interpret(plan: ir.Plan, delivery: Delivery) -> list[str]:
    """The trace of a plan."""
    tape = Tape()
    payload = read_payload(plan.payload, json.loads(delivery.body, parse_float=Decimal))
    values = Values(plan, delivery, payload)
    _before(plan, values, tape)
    machine = _Machine(plan, delivery, values, tape)
    try:
        machine.run(plan.ops, {})
        tape.note("end", "")
    except _Stopped:
        tape.note("stop", "")
    except _Failed as failure:
        tape.note("failed", failure.step, failure.code, failure.message)
        if plan.handler is not None:
            _handle(machine, plan.handler, {plan.handler_error: failure.told()})
    return tape.lines


def _before(plan: ir.Plan, values: Values, tape: Tape) -> None:
    """What the door asks of a plan: the keys of a delivery, the immediate answer."""
    if plan.dedupe is not None:
        tape.note("dedupe", "", _key(plan.dedupe.key, values), plan.dedupe.window)
    if plan.serial is not None:
        tape.note("serial", "", _key(plan.serial, values))
    if plan.answer is not None:
        tape.note("answer", "", plan.answer.status, values.value(plan.answer.body, {}))


def _key(expr: ir.Expr, values: Values) -> str | None:
    key = values.value(expr, {})
    return None if key is None else text(key)


def _handle(machine: "_Machine", handler: Sequence[ir.Op], names: dict[str, Any]) -> None:
    try:
        machine.run(handler, names)
        machine.tape.note("handled", "")
    except _Stopped:
        machine.tape.note("settled", "")
    except _Failed as second:
        machine.tape.note("dead", second.step, second.code, second.message)


class _Machine:
    """Runs operations. `names` maps variables to values, and is changed by what they bind."""

    def __init__(self, plan: ir.Plan, delivery: Delivery, values: Values, tape: Tape, index: str = "") -> None:
        self.tape = tape
        self._plan, self._delivery, self._values, self._index = plan, delivery, values, index

    def _inner(self, tape: Tape, index: str) -> "_Machine":
        return _Machine(self._plan, self._delivery, self._values, tape, index)

    def run(self, ops: Sequence[ir.Op], names: dict[str, Any]) -> None:
        for op in ops:
            try:
                self._op(op, names)
            except Fault as fault:
                step = getattr(op, "step", "") or self._around(op)
                raise _Failed(self._id(step), str(fault)) from fault

    def _id(self, step: str) -> str:
        return f"{step}{self._index}"

    def _around(self, op: ir.Op) -> str:
        """The step that an operation without an id belongs to: the innermost around it in the text."""
        around = [s for s in ir.all_steps(self._plan) if s.span.start <= op.span.start and op.span.end <= s.span.end]
        return min(around, key=lambda step: step.span.end - step.span.start).step

    def _op(self, op: ir.Op, names: dict[str, Any]) -> None:
        match op:
            case ir.Assign(target=target, value=value):
                names[target] = self._values.value(value, names)
            case ir.Branch(arms=arms, otherwise=otherwise):
                chosen = next((ops for condition, ops in arms if self._values.value(condition, names)), otherwise)
                self.run(chosen, names)
            case ir.Try():
                self._try(op, names)
            case ir.Parallel():
                self._parallel(op, names)
            case ir.For():
                self._for(op, names)
            case ir.Stop():
                raise _Stopped
            case ir.Fail(step=step, message=message):
                raise _Failed(self._id(step), "failed", self._values.value(message, names))
            case _:
                self._effect(op, names)

    def _effect(
        self,
        op: ir.Effect | ir.Suspend | ir.SuspendUntil | ir.WaitFor | ir.Emit | ir.Respond | ir.LogLine,
        names: dict[str, Any],
    ) -> None:
        id_ = self._id(op.step)
        match op:
            case ir.Effect():
                args = [self._values.value(arg, names) for arg in op.args]
                self.tape.note("step", id_, op.verb, op.effect, literal(op.literal), args)
                self._answer(op, args, names)
            case ir.WaitFor():
                key = self._values.value(op.key, names)
                self.tape.note("wait for", id_, op.event, key, op.within)
                self._answer(op, [key], names)
            case ir.Suspend():
                duration = self._values.value(op.duration, names)
                self.tape.note("sleep", id_, duration // timedelta(milliseconds=1))
            case ir.SuspendUntil():
                self.tape.note("sleep until", id_, _moment(self._values.value(op.instant, names), op.zone))
            case ir.Emit():
                key, value = self._values.value(op.key, names), self._values.value(op.value, names)
                self.tape.note("emit", id_, op.event, key, value)
            case ir.Respond():
                self.tape.note("respond", id_, op.status, self._values.value(op.body, names))
            case ir.LogLine():
                self.tape.note("log", id_, self._values.value(op.value, names))

    def _answer(self, op: ir.Effect | ir.WaitFor, args: Sequence[Any], names: dict[str, Any]) -> None:
        """What comes back is bound; absent fields of an entity are absent."""
        answer = self._delivery.script(self._id(op.step), args)
        if isinstance(answer, Refusal):
            raise _Failed(self._id(op.step), answer.code, answer.message)
        found = json.loads(answer, parse_float=Decimal)
        verb = _CATALOG.verbs.get(op.verb) if isinstance(op, ir.Effect) else None
        if op.result is not None:
            found = read(op.result, found)
        elif verb is not None and verb.result in _CATALOG.entities and found is not None:
            found = Record(found)
        if op.target is not None:
            names[op.target] = found

    def _try(self, op: ir.Try, names: dict[str, Any]) -> None:
        try:
            self.run(op.ops, names)
        except _Failed as failure:
            names[op.error] = failure.told()
            self.run(op.handler, names)
        else:
            self.run(op.after, names)

    def _parallel(self, op: ir.Parallel, names: dict[str, Any]) -> None:
        """All branches finish; then all that they have bound is there, or the first failure in text order counts."""
        failures: list[_Failed] = []
        bound: dict[str, Any] = {}
        for number, branch in enumerate(op.branches):
            inner, tape = dict(names), Tape()
            try:
                self._inner(tape, self._index).run(branch.ops, inner)
            except _Failed as failure:
                failures.append(failure)
            self.tape.append(f"{self._id(op.step)} {number}", tape)
            bound |= {name: value for name, value in inner.items() if name not in names}
        if failures:
            raise failures[0]
        names.update(bound)

    def _for(self, op: ir.For, names: dict[str, Any]) -> None:
        items = self._values.value(op.items, names)
        self.tape.note("for", self._id(op.step), len(items), op.most, op.at_once)
        if len(items) > op.most:
            raise _Failed(self._id(op.step), "too_many")
        for index, item in enumerate(items):
            self._inner(self.tape, f"{self._index}[{index}]").run(op.ops, {**names, op.name: item})


def _moment(value: Any, zone: str) -> datetime:
    """An instant; a date is its first moment."""
    return value if isinstance(value, datetime) else datetime.combine(value, time(), ZoneInfo(zone))
