"""What a reviewer wants to see of a compiled flow: what was filled in, each step and how it may fail, every stage."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from compiler import ir
from compiler.catalog import Catalog, EffectClass
from compiler.failing import Failing, is_kept_here
from compiler.pipeline import Compiled
from compiler.types import show
from dsl import Source, Span, nodes

_INDENT = "  "


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step for a table: what it is, what it does, with which codes it may fail, and what happens then."""

    id: str
    span: Span
    kind: str
    does: str
    codes: tuple[str, ...]
    failure: str


def long_form(flow: Compiled) -> str:
    """The flow with all that the four rules filled in, one step a line."""
    written = flow.expanded.flow
    text = flow.source.text
    edits = [(fill.offset, fill.text) for fill in sorted(flow.fills, key=lambda f: (f.offset, _clause_order(f.text)))]
    one_line = "\n" not in flow.source.slice(written.span)
    if one_line:
        edits = [*_line_breaks(written.chain, text), *edits]
    head = f"flow {flow.name}\n" if written.name is None else ""
    return head + _edited(text, written.span, edits)


def _clause_order(text: str) -> int:
    """Clauses that are filled in at the same place are written in the order in which people write them."""
    order = ("by", "to", "with", "as")
    word = text.split(maxsplit=1)[0] if text.strip() else ""
    return order.index(word) if word in order else -1


def _line_breaks(chain: nodes.Chain, text: str) -> list[tuple[int, str]]:
    return [(text.rindex("->", 0, step.span.start), f"\n{_INDENT}") for step in chain.steps]


def _edited(text: str, span: Span, edits: list[tuple[int, str]]) -> str:
    parts, at = [], span.start
    for offset, insert in sorted(edits, key=lambda edit: edit[0]):
        before = text[at:offset]
        parts.append(before.rstrip() if insert.startswith("\n") else before)
        parts.append(insert)
        at = offset
    return "".join([*parts, text[at : span.end]])


def caller(flow: Compiled, catalog: Catalog) -> str:
    """Who may call a flow, as the end of a sentence."""
    guard = flow.plan.guard
    if guard is None:
        return "anybody" if flow.plan.path is not None else "whoever knows its address, which nobody can guess"
    proof = catalog.schemes[guard.scheme].proof.format_map({"header": dict(guard.options).get("header", "")})
    return f"who sends {proof}, with {', '.join(f'secret.{name}' for _, name in guard.secrets)}"


def step_lines(flow: Compiled, catalog: Catalog) -> list[StepLine]:
    """Every step of the plan, in text order."""
    resorts, failing = _resorts(flow.plan), Failing(flow.plan, catalog)
    lines = (_step_line(op, flow.source, failing, catalog) for op in ir.all_steps(flow.plan))
    return [replace(line, failure=line.failure.replace(_DEAD, resorts[line.id])) for line in lines]


_DEAD = "dead letter"


def _resorts(plan: ir.Plan) -> dict[str, str]:
    """What comes of each step that fails for good: its `else`, otherwise `on error`, otherwise the dead letter."""
    last = _DEAD if plan.handler is None else "`on error`"
    found = {step.step: last for step in ir.steps(plan.ops)}
    found |= {step.step: _DEAD for step in ir.steps(plan.handler or ())}
    waiting = [plan.ops, plan.handler or ()]
    while waiting:
        for op in waiting.pop():
            waiting.extend(ir.blocks(op))
            if isinstance(op, ir.Try):
                found |= {step.step: "its `else`" for step in ir.steps(op.ops)}
    return found


def _step_line(op: ir.Step, source: Source, failing: Failing, catalog: Catalog) -> StepLine:
    does = " ".join(source.slice(op.span).split("```")[0].split())
    if isinstance(op, ir.Parallel | ir.For | ir.Branch):
        does = does.split("{")[0].strip()
    values = failing.of_step(op)
    codes = tuple(sorted({*values, *failing.of_effect(op)}))
    return StepLine(op.step, op.span, _kind(op), does, codes, _failure(op, values, catalog))


def _kind(op: ir.Step) -> str:  # noqa: C901  # one case a kind of step
    match op:
        case ir.Effect():
            return f"effect, {op.effect}"
        case ir.Assign():
            return "pure"
        case ir.Suspend() | ir.SuspendUntil() | ir.WaitFor():
            return "durable wait"
        case ir.Emit():
            return "event"
        case ir.Respond():
            return "answer"
        case ir.Parallel() | ir.For():
            return "block"
        case ir.Branch():
            return "branch"
        case ir.Fail() | ir.Stop():
            return "end"
        case ir.LogLine():
            return "log"


def _failure(op: ir.Step, codes: tuple[str, ...], catalog: Catalog) -> str:
    """What a step may fail with, and what then: its own way of failing last."""
    listed = ", ".join(codes)
    match op:
        case ir.Effect():
            values = f"its values may fail ({listed}): {_DEAD}; " if codes else ""
            return values + _effect_failure(op, kept_here=is_kept_here(op, catalog.verbs.get(op.verb)))
        case ir.Fail():
            return f"fails: {_DEAD}"
        case _:
            return f"may fail ({listed}): {_DEAD}" if codes else ""


def _effect_failure(op: ir.Effect, *, kept_here: bool) -> str:
    if op.code is not None:
        return "no repeat; then dead letter"
    tries = op.policy.tries or 5
    low, high = op.policy.low or 1_000, op.policy.high or 300_000
    pauses = f"{tries} tries, {_duration(low)}..{_duration(max(low, high))}"
    match op.effect:
        case EffectClass.IDEMPOTENT:
            return f"whatever may pass is repeated: {pauses}; then dead letter"
        case EffectClass.KEYED if op.connection is not None and op.connection.idempotent:
            via = f"repeated with the same key, also after a lost answer, which {op.connection.name} takes for one"
            return f"{via}: {pauses}; then dead letter"
        case EffectClass.KEYED if op.repeated:
            return f"repeated with the same key, also after a lost answer: {pauses}; then dead letter"
        case EffectClass.KEYED:
            return f"repeated only if surely not done: {pauses}; a lost answer: dead letter"
        case EffectClass.ONCE if kept_here:
            return f"in one transaction with its record, so never in doubt: {pauses}; then dead letter"
        case _:
            return f"repeated only if surely not done: {pauses}; a lost answer: parked as unknown"


def _duration(milliseconds: int) -> str:
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def python(flow: Compiled) -> str:
    """The generated Python."""
    return ast.unparse(ast.fix_missing_locations(flow.module))


def tree(value: Any, depth: int = 0) -> str:
    """Nodes of any stage, one a line, indented; spans are left out."""
    return "\n".join(_tree_lines(value, depth))


def _tree_lines(value: Any, depth: int) -> Iterator[str]:
    here = _INDENT * depth
    if isinstance(value, tuple):
        for part in value:
            yield from _tree_lines(part, depth)
        return
    if not is_dataclass(value) or isinstance(value, type | Source):
        yield f"{here}{value!r}"
        return
    simple: list[tuple[str, Any]] = []
    inner: list[tuple[str, Any]] = []
    for f in fields(value):
        part = getattr(value, f.name)
        if isinstance(part, Span | Source):
            continue
        (inner if _is_tree(part) else simple).append((f.name, part))
    yield f"{here}{type(value).__name__}" + "".join(f" {name}={part!r}" for name, part in simple)
    for name, part in inner:
        yield f"{here}{_INDENT}{name}:"
        yield from _tree_lines(part, depth + 2)


def _is_tree(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(_is_tree(part) for part in value)
    return is_dataclass(value) and not isinstance(value, type)


def types(flow: Compiled) -> str:
    """The payload's fields and every name that a step binds, with their types."""
    lines = [f"payload.{field.name}: {show(field.type)}" for field in flow.facts.fields]
    lines += [f"{binding.name}: {show(binding.type)}" for binding in flow.facts.binds.values()]
    return "\n".join(lines)
