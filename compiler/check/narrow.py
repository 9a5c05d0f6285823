"""What a condition says of names and paths: `x.y == none` tells whether it is there, through `and`, `or` and `not`."""

from compiler.scope import Scope, narrowed, path_narrowed
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
        case nodes.Binary(op="==" | "!=" as op, left=asked, right=nodes.NoneLit()):
            return there(asked, scope) if holds == (op == "!=") else scope
        case nodes.Binary(op="==" | "!=" as op, left=nodes.NoneLit(), right=asked):
            return there(asked, scope) if holds == (op == "!=") else scope
        case _:
            return scope


def there(expr: nodes.Expr, scope: Scope) -> Scope:
    """The scope in which a name or path is known to be there."""
    root, path = dotted(expr)
    if root is None:
        return scope
    return path_narrowed(scope, root, path) if path else narrowed(scope, root)


def dotted(expr: nodes.Expr) -> tuple[str | None, str]:
    """The name at the root of a path and the fields after it; no name where it is no path."""
    fields: list[str] = []
    while isinstance(expr, nodes.FieldOf):
        fields.append(expr.name.text)
        expr = expr.value
    if isinstance(expr, nodes.NameRef):
        return expr.name, ".".join(reversed(fields))
    return None, ""
