"""What a flow still needs behind each durable wait: the names that are read after it, personal ones apart.

The journal keeps the whole delivery and every result until the run's time to be kept is over. This says which of it
the wait itself makes necessary, so that a reviewer sees what a run of weeks holds on to, and why.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

from compiler import ir
from compiler.pipeline import Compiled
from compiler.types import Type, is_pii
from dsl import Span

Names = frozenset[str]

_WAITS = (ir.Suspend, ir.SuspendUntil, ir.WaitFor)
_NOTHING: Names = frozenset()


@dataclass(frozen=True, slots=True)
class Waiting:
    """One durable wait: its step, and what is read after it, in order of name."""

    step: str
    needs: tuple[str, ...]
    personal: tuple[str, ...]


def waits(flow: Compiled) -> list[Waiting]:
    """Every durable wait of a flow, in text order."""
    plan, kinds = flow.plan, _kinds(flow)
    found = _Liveness()
    in_handler = found.before(plan.handler or (), _NOTHING, _NOTHING) - {plan.handler_error}
    found.before(plan.ops, _NOTHING, in_handler)
    needed = {step.step: found.needs[step.step] for step in ir.all_steps(plan) if isinstance(step, _WAITS)}
    return [_waiting(step, names, kinds) for step, names in needed.items()]


def _waiting(step: str, names: Names, kinds: dict[str, Type]) -> Waiting:
    personal = {_shown(name) for name in names if name in kinds and is_pii(kinds[name])}
    return Waiting(step, tuple(sorted({_shown(name) for name in names})), tuple(sorted(personal)))


def _shown(variable: str) -> str:
    return variable.partition("#")[0]


def _kinds(flow: Compiled) -> dict[str, Type]:
    """The types of variables and of the payload's fields."""
    facts = flow.facts
    bound = [*facts.binds.values(), *(one.binding for merged in facts.merges.values() for one in merged)]
    return {
        **{f"payload.{field.name}": field.type for field in facts.fields},
        **{binding.variable: binding.type for binding in bound},
    }


class _Liveness:
    """Goes backwards through operations; `needs` says what is read after each wait that was met."""

    def __init__(self) -> None:
        self.needs: dict[str, Names] = {}

    def before(self, ops: tuple[ir.Op, ...], after: Names, elsewhere: Names) -> Names:
        """What is read from the start of some operations on, if `after` is read behind them.

        `elsewhere` is what a failure on the way, or a branch at the same time, goes on to read.
        """
        for op in reversed(ops):
            after = self._op(op, after, elsewhere)
        return after

    def _op(self, op: ir.Op, after: Names, elsewhere: Names) -> Names:
        match op:
            case ir.Stop():
                return _NOTHING
            case ir.Fail(message=message):
                return _read(message) | elsewhere
            case ir.Branch(arms=arms, otherwise=otherwise):
                paths = [self.before(inner, after, elsewhere) for inner in (*(ops for _, ops in arms), otherwise)]
                return _NOTHING.union(*paths, *(_read(condition) for condition, _ in arms))
            case ir.Try():
                return self._try(op, after, elsewhere)
            case ir.Parallel(branches=branches):
                return self._parallel(branches, after, elsewhere)
            case ir.For():
                return self._for(op, after, elsewhere)
            case _:
                return self._plain(op, after, elsewhere)

    def _plain(self, op: ir.Op, after: Names, elsewhere: Names) -> Names:
        after -= {getattr(op, "target", None)}
        if isinstance(op, _WAITS):
            self.needs[op.step] = after | elsewhere
        return after | _read(op)

    def _try(self, op: ir.Try, after: Names, elsewhere: Names) -> Names:
        failed = self.before(op.handler, after, elsewhere) - {op.error}
        return self.before(op.ops, self.before(op.after, after, elsewhere), elsewhere | failed) | failed

    def _parallel(self, branches: tuple[ir.Fork, ...], after: Names, elsewhere: Names) -> Names:
        """The branches run together, so a wait in one keeps what the others read, and what they have bound already."""
        alone = [_Liveness().before(branch.ops, _NOTHING, _NOTHING) for branch in branches]
        found = _NOTHING
        for number, branch in enumerate(branches):
            others = _NOTHING.union(*alone[:number], *alone[number + 1 :])
            own = frozenset(branch.leaves)
            found |= self.before(branch.ops, after & own, elsewhere | others | (after - own))
        return found | (after - frozenset(name for branch in branches for name in branch.leaves))

    def _for(self, op: ir.For, after: Names, elsewhere: Names) -> Names:
        """Each turn is followed by the next one, or by what comes behind the loop; the items are counted again."""
        body = _Liveness().before(op.ops, _NOTHING, _NOTHING) - {op.name}
        again = after | body | _read(op.items)
        return (self.before(op.ops, again, elsewhere) | again) - {op.name}


def _read(part: object) -> Names:
    """The variables and payload fields that a part of a plan reads, the ones that it binds itself left out."""
    return frozenset(_reads(part))


def _reads(part: object) -> Iterator[str]:
    match part:
        case ir.Var(name=name):
            yield name
        case ir.PayloadField(name=name):
            yield f"payload.{name}"
        case ir.Each(name=own):
            yield from (name for inner in _parts(part) for name in _reads(inner) if name != own)
        case tuple():
            for inner in part:
                yield from _reads(inner)
        case _:
            for inner in _parts(part):
                yield from _reads(inner)


def _parts(part: object) -> Iterator[object]:
    if is_dataclass(part) and not isinstance(part, type | Span):
        yield from (getattr(part, field.name) for field in fields(part))
