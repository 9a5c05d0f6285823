"""Values. The tree is at most 200 deep, so recursion is safe here."""

from typing import Final

from dsl.format.doc import Doc, Group, Indent, spaced
from dsl.format.sequences import bracketed, enclosed, hugged
from dsl.format.tokens import Tokens
from dsl.nodes import (
    Arg,
    Binary,
    BoolLit,
    Comprehension,
    DecimalLit,
    DurationLit,
    Entry,
    Expr,
    FieldOf,
    FunctionCall,
    Index,
    IntLit,
    ListLit,
    Name,
    NameRef,
    NoneLit,
    Record,
    Text,
    Unary,
)
from dsl.source import Span

_RANKS: Final = (("??",), ("or",), ("and",), ("==", "!=", "<=", ">=", "<", ">", "in"), ("+", "-"), ("*", "/", "%"))
_RANK: Final = {op: rank for rank, ops in enumerate(_RANKS) for op in ops}


def value(tokens: Tokens, node: Expr) -> Doc:
    """Any value, in the parentheses that it has."""
    if in_parentheses(tokens, node):
        return _group(tokens, node)
    match node:
        case NameRef() | IntLit() | DecimalLit() | DurationLit() | BoolLit() | NoneLit() | Text():
            return tokens.leaf(node.span)
        case Unary():
            return (tokens.take(node.op), " " if node.op == "not" else "", value(tokens, node.value))
        case Binary():
            before = tokens.comments
            return Group(Indent(operands(tokens, node)), broken=tokens.comments > before)
        case FieldOf() | Index() | FunctionCall():
            return _postfix(tokens, node)
        case Record() | ListLit() | Comprehension():
            return _brackets(tokens, node)


def in_parentheses(tokens: Tokens, node: Expr) -> bool:
    """Whether a parenthesis opens before a value that comes next."""
    return tokens.next < node.span.start


def name(tokens: Tokens, node: Name) -> Doc:
    """A name as it is written."""
    return tokens.leaf(node.span)


def text(tokens: Tokens, node: Text) -> Doc:
    """Text as it is written."""
    return tokens.leaf(node.span)


def call(tokens: Tokens, node: FunctionCall) -> Doc:
    """`f(x, region: "BR")`."""
    return (name(tokens, node.name), arguments(tokens, node.args))


def arguments(tokens: Tokens, args: tuple[Arg, ...]) -> Doc:
    """`(x, region: "BR")`."""
    alone = len(args) == 1 and args[0].name is None and isinstance(args[0].value, Record | ListLit)
    return hugged(tokens, "()", args[0], _arg) if alone else bracketed(tokens, "()", args, _arg)


def operands(tokens: Tokens, node: Binary) -> Doc:
    """The operands of one rank; where they do not fit, each operator begins a line."""
    first, others = _one_rank(node)
    parts = [value(tokens, first)]
    for op, operand in others:
        parts += [tokens.line(), tokens.leaf(op), " ", value(tokens, operand)]
    return tuple(parts)


def _one_rank(node: Binary) -> tuple[Expr, list[tuple[Span, Expr]]]:
    """The first operand, and each operator with the next one; what has parentheses is one operand."""
    if node.op == "??":
        return node.left, _from_the_left(node)
    first, others = node.left, [(node.op_span, node.right)]
    while isinstance(first, Binary) and _RANK[first.op] == _RANK[node.op] and first.span.start == node.span.start:
        others.append((first.op_span, first.right))
        first = first.left
    return first, others[::-1]


def _from_the_left(node: Binary) -> list[tuple[Span, Expr]]:
    """`??` groups from the right."""
    others = [(node.op_span, node.right)]
    while isinstance(last := others[-1][1], Binary) and last.op == "??" and last.span.end == node.span.end:
        others[-1:] = [(others[-1][0], last.left), (last.op_span, last.right)]
    return others


def _group(tokens: Tokens, node: Expr) -> Doc:
    return enclosed(tokens, "()", lambda: _unindented(tokens, node))


def _unindented(tokens: Tokens, node: Expr) -> Doc:
    """A value for which brackets indent already."""
    bare = isinstance(node, Binary) and not in_parentheses(tokens, node)
    return operands(tokens, node) if bare and isinstance(node, Binary) else value(tokens, node)


def _postfix(tokens: Tokens, node: FieldOf | Index | FunctionCall) -> Doc:
    match node:
        case FieldOf():
            return (value(tokens, node.value), tokens.take("."), name(tokens, node.name))
        case Index():
            of = value(tokens, node.value)
            return (of, tokens.take("["), value(tokens, node.index), tokens.take("]"))
        case FunctionCall():
            return call(tokens, node)


def _brackets(tokens: Tokens, node: Record | ListLit | Comprehension) -> Doc:
    match node:
        case Record():
            return record(tokens, node)
        case ListLit(items=(Record() | ListLit() as item,)):
            return hugged(tokens, "[]", item, value)
        case ListLit():
            return bracketed(tokens, "[]", node.items, value)
        case Comprehension():
            return enclosed(tokens, "[]", lambda: _comprehension(tokens, node))


def record(tokens: Tokens, node: Record) -> Doc:
    """`{nome, total: valor}`."""
    return bracketed(tokens, "{}", node.entries, _entry)


def _entry(tokens: Tokens, node: Entry) -> Doc:
    key = name(tokens, node.key)
    return key if node.short else (key, tokens.take(":"), " ", value(tokens, node.value))


def _arg(tokens: Tokens, node: Arg) -> Doc:
    if node.name is None:
        return value(tokens, node.value)
    return (name(tokens, node.name), tokens.take(":"), " ", value(tokens, node.value))


def _comprehension(tokens: Tokens, node: Comprehension) -> Doc:
    made = value(tokens, node.value)
    line = tokens.line()
    source = spaced(tokens.take("for"), name(tokens, node.name), tokens.take("in"), value(tokens, node.items))
    if node.condition is None:
        return (made, line, source)
    return (made, line, source, tokens.line(), tokens.take("if"), " ", value(tokens, node.condition))
