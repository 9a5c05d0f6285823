"""Checked flows become plans: names become variables, clauses become policies, steps get their ids."""

from dataclasses import replace

from compiler.check.bodies import accepted, sites
from compiler.check.declarations import calls
from compiler.check.facts import Environment, Facts
from compiler.check.written import catalog_type
from compiler.expand import Expanded
from compiler.ir import Function, Object, OwnFunction, Plan, applied
from compiler.lower.shapes import Shapes
from compiler.lower.steps import Steps
from compiler.lower.values import Values
from dsl import nodes

DEFAULT_LIMIT = 1024 * 1024  # bytes of a body


def lower(expanded: Expanded, facts: Facts, environment: Environment) -> Plan:
    """The plan of a flow without errors."""
    flow, trigger = expanded.flow, expanded.flow.trigger
    shapes = Shapes(environment)
    lowering = Steps(facts, environment, shapes)
    handler = lowering.chain(flow.handler, "on_error/") if flow.handler is not None else None
    plan = Plan(
        flow=expanded.name,
        path=trigger.path.static if trigger.path else None,
        limit=next((c.size for c in trigger.clauses if isinstance(c, nodes.Limit)), DEFAULT_LIMIT),
        payload=Object(tuple(shapes.payload(field) for field in facts.fields)),
        ops=lowering.chain(flow.chain, ""),
        handler=handler,
        handler_error=facts.binds[id(flow.handler)].variable if flow.handler is not None else "",
        functions=_functions(flow, environment),
        headers=tuple(sorted(facts.headers)),
        query=tuple(sorted(facts.query)),
        secrets=tuple(sorted(facts.secrets)),
        responds=facts.responds,
        accept=accepted(trigger),
        cors=sites(trigger),
        guard=facts.guard,
        **lowering.clauses(trigger),
    )
    return replace(plan, own=_own(plan, shapes, environment))


def _own(plan: Plan, shapes: Shapes, environment: Environment) -> tuple[OwnFunction, ...]:
    """The functions of the folder's Python that a plan calls, in order of name."""
    known = environment.catalog.functions
    called = [known[name] for name in sorted(applied(plan)) if name in known and known[name].own]
    return tuple(OwnFunction(f.name, shapes.of(catalog_type(f.result, environment.catalog))) for f in called)


def _functions(flow: nodes.Flow, environment: Environment) -> tuple[Function, ...]:
    """The defs that a flow reaches, in order of name."""
    reached: set[str] = set()
    waiting = list(calls(flow, environment.defs))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(calls(environment.defs[name].node, environment.defs))
    found = []
    for name in sorted(reached):
        definition = environment.defs[name]
        values = Values(definition.facts, environment)
        params = tuple(param for param, _ in definition.params)
        found.append(Function(name, params, values.widened(definition.node.body, definition.result)))
    return tuple(found)


__all__ = ["lower"]
