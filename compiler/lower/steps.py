"""Steps become operations; blocks end by leaving what follows may use."""

import re
from collections.abc import Iterator
from typing import Any

from compiler.check.blocks import MAX_ITEMS
from compiler.check.facts import Environment, Facts
from compiler.check.patterns import pattern_value
from compiler.ir import (
    Answer,
    Assign,
    Branch,
    Const,
    Dedupe,
    Effect,
    Emit,
    Expr,
    Fail,
    For,
    Fork,
    LogLine,
    Op,
    Operation,
    Parallel,
    Respond,
    Stop,
    Suspend,
    SuspendUntil,
    TextOf,
    Try,
    Var,
    WaitFor,
)
from compiler.lower.commands import Commands, Ids
from compiler.lower.shapes import Shapes
from compiler.lower.values import Values, value_of
from compiler.scope import Binding
from compiler.types import JSON
from dsl import nodes
from dsl.source import Span


class Steps:
    """Lowers the chains of one flow."""

    def __init__(self, facts: Facts, environment: Environment, shapes: Shapes) -> None:
        self._facts = facts
        self._environment = environment
        self._shapes = shapes
        self._ids = Ids()
        self._values = Values(facts, environment)
        self._commands = Commands(self._values, shapes, self._ids)

    def chain(self, chain: nodes.Chain, block: str) -> tuple[Op, ...]:
        """The operations of a chain; `block` begins the ids of its steps."""
        return tuple(op for step in chain.steps for op in self._with_else(step, block))

    def clauses(self, trigger: nodes.Trigger) -> dict[str, Any]:
        """What the trigger's clauses say, by field of a plan."""
        found: dict[str, Any] = {}
        for clause in trigger.clauses:
            match clause:
                case nodes.Dedupe(key=key, window=window):
                    found["dedupe"] = Dedupe(self._values.expr(key), window.milliseconds)
                case nodes.Answer(status=status, body=body):
                    found["answer"] = Answer(status, self._body(body, clause.span))
                case nodes.AnswerWithin(limit=limit):
                    found["answer_within"] = limit.milliseconds
                case nodes.Serial(key=key):
                    found["serial"] = self._values.expr(key)
                case nodes.Concurrency(limit=count):
                    found["concurrency"] = count
                case nodes.Keep(period=period):
                    found["keep"] = period.milliseconds
                case _:
                    pass
        return found

    def _body(self, body: nodes.Expr | None, span: Span) -> Expr:
        return Const(span, None) if body is None else self._values.expr(body)

    def _with_else(self, step: nodes.Step, block: str) -> list[Op]:
        clause = next((c for c in getattr(step, "clauses", ()) if isinstance(c, nodes.OrElse)), None)
        ops = self._step(step, block)
        if clause is None:
            return ops
        merged = self._facts.merges[id(step)]
        left, failed = (tuple(_leave(m.binding, m.sources[n], step.span) for m in merged) for n in (0, 1))
        inside = self.chain(clause.chain, f"{getattr(ops[-1], 'step', '')}/else/")
        binding, verb = self._facts.binds.get(id(step)), self._facts.verbs.get(id(step))
        if verb is not None and verb.finds and binding is not None:
            nothing = Operation(step.span, "==", Var(step.span, binding.variable), Const(step.span, None))
            return [*ops, Branch(step.span, "", ((nothing, (*inside, *failed)),), left)]
        error = self._facts.binds[id(clause)].variable
        return [Try(step.span, tuple(ops), error, (*inside, *failed), left)]

    def _step(self, step: nodes.Step, block: str) -> list[Op]:  # noqa: C901, PLR0912  # one case a kind of node
        match step:
            case nodes.BindStep():
                return [self._bind(step, block)]
            case nodes.Command() if id(step) not in self._facts.verbs:
                return [self._emit(step, block)]
            case nodes.Command():
                return [self._commands.command(step, block)]
            case nodes.CodeStep():
                return [self._commands.code(step, block)]
            case nodes.If():
                return self._if(step, block)
            case nodes.Match():
                return self._match(step, block)
            case nodes.Parallel():
                return [self._parallel(step, block)]
            case nodes.For():
                return [self._for(step, block)]
            case nodes.Wait():
                return [Suspend(step.span, self._ids.take(block, ["wait"]), self._values.expr(step.duration))]
            case nodes.WaitUntil():
                id_, instant = self._ids.take(block, ["wait_until"]), self._values.expr(step.instant)
                return [SuspendUntil(step.span, id_, instant, self._environment.zone)]
            case nodes.WaitFor():
                return [self._wait_for(step, block)]
            case nodes.Respond():
                id_, body = self._ids.take(block, ["respond"]), self._body(step.body, step.span)
                return [Respond(step.span, id_, step.status, body)]
            case nodes.Log():
                return [LogLine(step.span, self._ids.take(block, ["log"]), self._values.expr(step.value))]
            case nodes.Stop():
                return self._stop(step, block)
            case nodes.Fail():
                return [Fail(step.span, self._ids.take(block, ["fail"]), self._values.expr(step.value))]
            case nodes.CallStep():
                raise AssertionError("the checker refuses it")

    def _stop(self, step: nodes.Stop, block: str) -> list[Op]:
        """The value of a `stop` stays in the run's log."""
        id_ = self._ids.take(block, ["stop"])
        if step.value is None:
            return [Stop(step.span, id_)]
        return [LogLine(step.span, f"{id_}.value", self._values.expr(step.value)), Stop(step.span, id_)]

    def _emit(self, step: nodes.Command, block: str) -> Emit:
        event = step.noun.text if step.noun is not None else ""
        value = next((c.value for c in step.clauses if isinstance(c, nodes.With)), None)
        id_, key = self._ids.take(block, ["emit", event]), self._key(step.clauses)
        return Emit(step.span, id_, event, key, self._body(value, step.span))

    def _key(self, clauses: tuple[nodes.Clause, ...]) -> Expr:
        """The key of an event, as text."""
        value = next(c.value for c in clauses if isinstance(c, nodes.By))
        return TextOf(value.span, (self._values.expr(value),))

    def _wait_for(self, step: nodes.WaitFor, block: str) -> WaitFor:
        within = next(c.limit for c in step.clauses if isinstance(c, nodes.Within))
        binding, kind = self._facts.binds.get(id(step)), self._facts.results[id(step)]
        return WaitFor(
            step.span,
            self._ids.take(block, ["wait_for", step.event.text]),
            step.event.text,
            self._key(step.clauses),
            within.milliseconds if isinstance(within, nodes.DurationLit) else 0,
            binding.variable if binding else None,
            self._shapes.of(kind) if kind != JSON else None,
        )

    def _match(self, step: nodes.Match, block: str) -> list[Op]:
        """The subject is computed once; each arm is a branch."""
        name = self._ids.take(block, ["match"])
        subject = f"subject#{name}"
        merged = self._facts.merges.get(id(step), [])
        arms: list[tuple[Expr, tuple[Op, ...]]] = []
        otherwise: tuple[Op, ...] = ()
        for index, case in enumerate(step.cases):
            left = tuple(_leave(m.binding, m.sources[index], step.span) for m in merged)
            ops = (*self.chain(case.chain, f"{name}/{_label(case)}/"), *left)
            if not case.patterns or index == len(step.cases) - 1:
                otherwise = ops  # the last arm takes all that are left: the checker knows that they are covered
                break
            arms.append((self._any_of(case, subject), ops))
        value = self._values.expr(step.subject)
        if not arms:
            return [Assign(step.subject.span, name, subject, value), *otherwise]
        return [Assign(step.subject.span, "", subject, value), Branch(step.span, name, tuple(arms), otherwise)]

    def _any_of(self, case: nodes.Case, subject: str) -> Expr:
        tests: list[Expr] = []
        for pattern in case.patterns:
            value = Const(pattern.span, pattern_value(pattern))
            tests.append(Operation(pattern.span, "==", Var(pattern.span, subject), value))
        found = tests[0]
        for test in tests[1:]:
            found = Operation(case.span, "or", found, test)
        return found

    def _parallel(self, step: nodes.Parallel, block: str) -> Parallel:
        name = self._ids.take(block, ["parallel"])
        forks = []
        for branch in step.branches:
            ops = self.chain(branch.chain, f"{name}/{branch.name.text}/")
            forks.append(Fork(branch.name.text, ops, tuple(_targets(ops))))
        return Parallel(step.span, name, tuple(forks))

    def _for(self, step: nodes.For, block: str) -> For:
        name = self._ids.take(block, ["for"])
        variable = self._facts.binds[id(step)].variable
        most = step.max[0] if step.max else MAX_ITEMS
        at_once = step.parallel[0] if step.parallel else 1
        items = self._values.expr(step.items)
        return For(step.span, name, variable, items, self.chain(step.chain, f"{name}/"), most, at_once)

    def _bind(self, step: nodes.BindStep, block: str) -> Assign:
        words = [step.name.text]
        if isinstance(step.value, nodes.FunctionCall):
            words = [step.value.name.text, step.name.text]
        target = self._facts.binds[id(step)].variable
        return Assign(step.span, self._ids.take(block, words), target, self._values.expr(step.value))

    def _if(self, step: nodes.If, block: str) -> list[Op]:
        """A branch; each path ends by leaving its values for what follows."""
        name = self._ids.take(block, ["if"])
        merged = self._facts.merges[id(step)]
        arms: list[tuple[Expr, tuple[Op, ...]]] = []
        for index, arm in enumerate(step.arms):
            ops = self.chain(arm.chain, f"{name}/{index + 1}/" if index else f"{name}/")
            left = tuple(_leave(m.binding, m.sources[index], step.span) for m in merged)
            arms.append((self._values.expr(arm.condition), (*ops, *left)))
        otherwise = self.chain(step.otherwise, f"{name}/else/") if step.otherwise else ()
        left = tuple(_leave(m.binding, m.sources[-1], step.span) for m in merged)
        return [Branch(step.span, name, tuple(arms), (*otherwise, *left))]


def _leave(binding: Binding, source: Binding | None, span: Span) -> Assign:
    value: Expr = Const(span, None) if source is None else value_of(source, span)
    return Assign(span, "", binding.variable, value)


def _label(case: nodes.Case) -> str:
    """What the ids of the steps in an arm say of it."""
    if not case.patterns:
        return "else"
    value = pattern_value(case.patterns[0])
    return re.sub(r"\W+", "_", str(value).lower()) or "_"


def _targets(ops: tuple[Op, ...]) -> Iterator[str]:
    """The variables that operations assign where what follows sees them."""
    for op in ops:
        match op:
            case Assign(target=target):
                yield target
            case Effect(target=str() as target) | WaitFor(target=str() as target):
                yield target
            case Branch(arms=arms, otherwise=otherwise):
                yield from _common([*(inner for _, inner in arms), otherwise])
            case Try(ops=tried, handler=handler, after=after):
                yield from _common([(*tried, *after), handler])
            case Parallel(branches=branches):
                for branch in branches:
                    yield from branch.leaves
            case _:
                pass


def _common(paths: list[tuple[Op, ...]]) -> list[str]:
    """The variables that every path that goes on assigns: a merge."""
    left = [tuple(_targets(path)) for path in paths if not _ends(path)]
    return [name for name in dict.fromkeys(left[0]) if all(name in path for path in left)] if left else []


def _ends(ops: tuple[Op, ...]) -> bool:
    """Whether nothing goes on after these operations."""
    return any(_is_end(op) for op in ops)


def _is_end(op: Op) -> bool:
    match op:
        case Stop() | Fail():
            return True
        case Branch(arms=arms, otherwise=otherwise):
            return all(_ends(inner) for _, inner in arms) and _ends(otherwise)
        case Try(ops=tried, handler=handler):
            return _ends(tried) and _ends(handler)
        case _:
            return False
