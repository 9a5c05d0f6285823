"""Fold what is known now: text joined to text, defaults of what is present, choices already made."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from compiler.ir import Const, Not, Operation, Plan, TextOf


def fold(plan: Plan) -> Plan:
    """Replace constant expressions by their values."""
    return replace(plan, ops=_fold(plan.ops))


def _fold(value: Any) -> Any:
    """Fold inside out, through operations and expressions alike."""
    if isinstance(value, tuple):
        return tuple(_fold(part) for part in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    inside = {f.name: _fold(getattr(value, f.name)) for f in fields(value) if f.name != "span"}
    return _simplest(replace(value, **inside))


def _simplest(node: Any) -> Any:
    match node:
        case Operation(op="join", left=Const(value=str() as left), right=Const(value=str() as right)):
            return Const(node.span, left + right)
        case Operation(op="??", left=Const(value=None)):
            return node.right
        case Operation(op="??", left=Const()):
            return node.left
        case Not(value=Const(value=bool() as flag)):
            return Const(node.span, not flag)
        case TextOf(parts=parts) if all(isinstance(p, Const) and isinstance(p.value, str) for p in parts):
            return Const(node.span, "".join(str(p.value) for p in parts if isinstance(p, Const)))
        case _:
            return node
