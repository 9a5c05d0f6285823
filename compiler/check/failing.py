"""Which expressions may fail: what they apply, and arithmetic, whose results may not fit."""

from compiler.check.facts import Environment
from dsl import nodes

_ARITHMETIC = frozenset({"+", "-", "*", "/", "%"})


def may_fail(expr: nodes.Expr, environment: Environment, inside: frozenset[str] = frozenset()) -> bool:
    """Whether computing a value may fail; `inside` are the defs that are being looked at."""
    return any(_fails(node, environment, inside) for node in nodes.walk(expr))


def _fails(node: nodes.Node, environment: Environment, inside: frozenset[str]) -> bool:
    match node:
        case nodes.Binary(op=op):
            return op in _ARITHMETIC
        case nodes.Unary(op="-"):
            return True
        case nodes.FunctionCall(name=nodes.Name(text=name)):
            if (definition := environment.defs.get(name)) is not None:
                return name not in inside and may_fail(definition.node.body, environment, inside | {name})
            function = environment.catalog.functions.get(name)
            return function is None or function.own or bool(function.failures)
        case _:
            return False
