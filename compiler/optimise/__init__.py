"""Rules that make a plan smaller without changing what it does. Each is a function from plan to plan, in one file."""

from collections.abc import Callable

from compiler.ir import Plan
from compiler.optimise.fold import fold

RULES: tuple[Callable[[Plan], Plan], ...] = (fold,)


def optimise(plan: Plan) -> Plan:
    """Apply all rules, in order."""
    for rule in RULES:
        plan = rule(plan)
    return plan


__all__ = ["RULES", "optimise"]
