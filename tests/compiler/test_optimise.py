"""Each rule of the optimiser, on expressions as flows write them.

That no rule changes what a flow does is tested together with the generated Python (test_generated.py).
"""

from dataclasses import replace

import pytest

from compiler import ir
from compiler.optimise import optimise
from tests.compiler.test_generated import FLOWS, compiled


def logged(expr: str) -> tuple[ir.Expr, ir.Expr]:
    """An expression before and after the optimiser."""
    (flow,) = compiled(f"on webhook {{t: text, a: text?, n: int}} -> log {expr}")
    before, after = flow.lowered.ops[-1], flow.plan.ops[-1]
    assert isinstance(before, ir.LogLine)
    assert isinstance(after, ir.LogLine)
    return before.value, after.value


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ('"a" + "b" + "c"', "abc"),
        ("not true", False),
        ("not (not true)", True),
        ('none ?? "x"', "x"),
        ('none ?? none ?? "x"', "x"),
    ],
)
def test_what_is_known_is_a_constant(expr: str, value: object) -> None:
    _, after = logged(expr)
    assert isinstance(after, ir.Const)
    assert after.value == value


@pytest.mark.parametrize("expr", ['"a" + t', "t + (a ?? t)", "not (n > 1)", '"{t}!"', "1 / 0"])
def test_what_is_not_known_or_may_fail_stays(expr: str) -> None:
    before, after = logged(expr)
    assert before == after


def test_a_constant_stands_where_the_whole_expression_stood() -> None:
    before, after = logged('"a" + "b"')
    assert after.span == before.span


@pytest.mark.parametrize("name", FLOWS)
def test_to_optimise_twice_changes_nothing_more(name: str) -> None:
    plan = FLOWS[name].flow.plan
    assert optimise(plan) == plan


def test_blocks_are_optimised_as_well() -> None:
    (flow,) = compiled('on webhook {n: int} -> for x in [n] { -> if x > 1 { -> log "a" + "b" } else { -> log 1 } }')
    assert "value='ab'" in repr(flow.plan.ops)
    assert "value='ab'" not in repr(flow.lowered.ops)
    assert replace(flow.plan, ops=()) == replace(flow.lowered, ops=())
