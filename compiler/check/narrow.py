"""What a condition says of names: `x == none` tells whether x is there, through `and`, `or` and `not`."""

from compiler.scope import Scope, narrowed
from dsl import nodes


def narrow(condition: nodes.Expr, scope: Scope, *, holds: bool) -> Scope:
    """The scope in which a condition is known to hold, or not to."""
    match condition:
        case nodes.Unary(op="not", value=inner):
            return narrow(inner, scope, holds=not holds)
        case nodes.Binary(op="and", left=left, right=right) if holds:
            return narrow(right, narrow(left, scope, holds=True), holds=True)
        case nodes.Binary(op="or", left=left, right=right) if not holds:
            return narrow(right, narrow(left, scope, holds=False), holds=False)
        case nodes.Binary(op="==" | "!=" as op, left=nodes.NameRef(name=name), right=nodes.NoneLit()):
            return narrowed(scope, name) if holds == (op == "!=") else scope
        case nodes.Binary(op="==" | "!=" as op, left=nodes.NoneLit(), right=nodes.NameRef(name=name)):
            return narrowed(scope, name) if holds == (op == "!=") else scope
        case _:
            return scope
