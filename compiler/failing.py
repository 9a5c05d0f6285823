"""With which codes each step of a plan may fail: in computing its values, by itself, and in its effect."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from compiler import ir
from compiler.catalog import CODE_FAILURES, ENGINE_FAILURES, Catalog, Verb
from compiler.check.failing import function_failures


class Failing:
    """Looks through the expressions of one plan."""

    def __init__(self, plan: ir.Plan, catalog: Catalog) -> None:
        self._catalog = catalog
        self._defs = {function.name: function.body for function in plan.functions}
        self._of_defs: dict[str, frozenset[str]] = {}
        self._subjects = {op.target: op.value for ops in (plan.ops, plan.handler or ()) for op in _assigned(ops)}

    def of_step(self, op: ir.Step) -> tuple[str, ...]:
        """The codes, in order: of every value that the step computes, and of the step."""
        codes = {code for value in self._values(op) for code in self._codes(value)}
        return tuple(sorted(codes | set(_own(op))))

    def of_effect(self, op: ir.Step) -> tuple[str, ...]:
        """The codes of what a step does, in order; STATUS and CODE in one stand for a number."""
        match op:
            case ir.Effect(code=ir.Code()):
                return CODE_FAILURES
            case ir.Effect(verb=title):
                verb = self._catalog.verbs[title]
                own = ("python",) if verb.own else ()
                beyond = () if is_kept_here(op, verb) else verb.service_failures
                return tuple(sorted({*verb.failures, *own, *beyond, *ENGINE_FAILURES}))
            case ir.Fail():
                return ("failed",)
            case _:
                return ()

    def _values(self, op: ir.Step) -> Iterator[object]:
        """What a step computes; not what the steps inside its blocks do."""
        match op:
            case ir.Branch(step=step, arms=arms):
                yield from (condition for condition, _ in arms)
                yield self._subjects.get(f"subject#{step}")
            case ir.For(items=items):
                yield items
            case ir.Parallel():
                pass
            case _:
                yield op

    def _codes(self, value: object) -> Iterator[str]:
        """The codes of an expression and of all inside it."""
        match value:
            case tuple():
                for part in value:
                    yield from self._codes(part)
                return
            case ir.Apply(function=name) | ir.CallOwn(function=name) if name in self._catalog.functions:
                yield from function_failures(self._catalog.functions[name])
            case ir.Call(name=name):
                yield from self._of_def(name)
            case ir.Operation(fails=fails) | ir.Negative(fails=fails):
                yield from fails
            case _ if not is_dataclass(value) or isinstance(value, type):
                return
            case _:
                pass
        for field in fields(value):
            yield from self._codes(getattr(value, field.name))

    def _of_def(self, name: str) -> frozenset[str]:
        """The codes of a def, looked for once however often it is called."""
        if name not in self._of_defs:
            self._of_defs[name] = frozenset()  # of one that calls itself, which the checker has refused
            self._of_defs[name] = frozenset(self._codes(self._defs[name]))
        return self._of_defs[name]


def is_kept_here(op: ir.Effect, verb: Verb | None) -> bool:
    """Whether the effect is in the journal's own database."""
    kept = verb is not None and verb.connection not in ("", "http")
    return kept and (op.connection is None or op.connection.kind == "local")


def _own(op: ir.Step) -> tuple[str, ...]:
    """How a step without an effect may fail by itself."""
    match op:
        case ir.For(items=ir.ListOf(items=items), most=most) if len(items) <= most:
            return ()
        case ir.For():
            return ("too_many",)
        case ir.WaitFor(result=None):
            return ("timeout",)
        case ir.WaitFor():
            return ("result", "timeout")
        case _:
            return ()


def _assigned(ops: tuple[ir.Op, ...]) -> Iterator[ir.Assign]:
    """Every value that is computed ahead of its step, such as the subject of a `match`."""
    for op in ops:
        if isinstance(op, ir.Assign) and not op.step:
            yield op
        for inner in ir.blocks(op):
            yield from _assigned(inner)
