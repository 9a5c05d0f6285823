"""How expressions may fail: what they apply, and arithmetic, whose results may not fit."""

from compiler.catalog import Function
from compiler.check.facts import Environment, Facts
from compiler.types import DATE, DECIMAL, DURATION, INT, Type, Unknown, is_text
from dsl import nodes

_ARITHMETIC = frozenset({"+", "-", "*", "/", "%"})
_DAY = 86_400_000  # ms
NOTHING: frozenset[str] = frozenset()


def failures(expr: nodes.Expr, facts: Facts, environment: Environment) -> frozenset[str]:
    """The codes with which computing a value may fail, with all that the defs do that it reaches."""
    found, reached = set[str](), set[str]()
    waiting = [(expr, facts)]
    while waiting:
        body, known = waiting.pop()
        for node in nodes.walk(body):
            definition = environment.defs.get(node.name.text) if isinstance(node, nodes.FunctionCall) else None
            if definition is None:
                found |= _of_node(node, known, environment)
            elif definition.node.name.text not in reached:
                reached.add(definition.node.name.text)
                waiting.append((definition.node.body, definition.facts))
    return frozenset(found)


def _of_node(node: nodes.Node, facts: Facts, environment: Environment) -> frozenset[str]:
    match node:
        case nodes.Binary():
            return of_operator(node, facts)
        case nodes.Unary(op="-"):
            return of_sign(node, facts)
        case nodes.FunctionCall(name=nodes.Name(text=name)):
            function = environment.catalog.functions.get(name)
            return frozenset({"unknown"}) if function is None else function_failures(function)
        case _:
            return NOTHING


def function_failures(function: Function) -> frozenset[str]:
    """The codes of a function; Python of the user's own may also raise anything."""
    return frozenset(function.failures) | (frozenset({"python"}) if function.own else NOTHING)


def of_sign(node: nodes.Unary, facts: Facts) -> frozenset[str]:
    """Failures of `-x`: the smallest int has no counterpart."""
    literal = isinstance(node.value, nodes.IntLit | nodes.DecimalLit)
    return NOTHING if literal or facts.type_of(node.value) == DECIMAL else frozenset({"overflow"})


def of_operator(node: nodes.Binary, facts: Facts) -> frozenset[str]:
    """Failures of an operator itself."""
    if node.op not in _ARITHMETIC:
        return NOTHING
    left, right = facts.type_of(node.left), facts.type_of(node.right)
    if node.op in "/%":
        return _of_division(node, left, right)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return frozenset({"overflow"})
    if is_text(left):
        return NOTHING
    return _of_times(node, left, right)


def _of_division(node: nodes.Binary, left: Type, right: Type) -> frozenset[str]:
    divisor = node.right.value if isinstance(node.right, nodes.IntLit | nodes.DecimalLit) else 0
    by_zero = NOTHING if divisor else frozenset({"division_by_zero"})
    return by_zero if left == right == INT else by_zero | {"overflow"}


def _of_times(node: nodes.Binary, left: Type, right: Type) -> frozenset[str]:
    """Dates and durations; all else that is added, subtracted or multiplied may not fit."""
    if node.op == "-" and left == right and left not in (INT, DECIMAL, DURATION):
        return NOTHING  # what lies between two instants is a duration
    days = isinstance(node.right, nodes.DurationLit) and node.right.milliseconds % _DAY == 0
    return frozenset({"overflow", "not_whole_days"} if left == DATE and not days else {"overflow"})
