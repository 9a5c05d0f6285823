"""Values. The parser bounds how deep they nest, so recursion is safe here."""

from collections.abc import Callable
from typing import cast

from lark import Token, Tree

from dsl.build.literals import FOREIGN, decimal_lit, duration, int_lit, static_text, text
from dsl.build.reading import Part, Reading, as_token, as_tree, every, maybe, name, parts, span_of
from dsl.nodes import (
    Arg,
    Binary,
    BoolLit,
    Comprehension,
    Entry,
    Expr,
    FieldOf,
    FunctionCall,
    Index,
    ListLit,
    Name,
    NameRef,
    NoneLit,
    Operator,
    Record,
    Text,
    Unary,
)


def expr(r: Reading, part: Part) -> Expr:
    """Any value."""
    tree = as_tree(part)
    return _BUILDERS[tree.data](r, tree)


def arguments(r: Reading, part: Part) -> tuple[Arg, ...]:
    """What stands between the parentheses of a call; nothing may."""
    return () if part is None else every(_arg, r, as_tree(part).children)


def call(r: Reading, tree: Tree[Token]) -> FunctionCall:
    """`f(x, region: "BR")`."""
    word, given = tree.children
    return FunctionCall(span_of(tree), name(r, word), arguments(r, given))


def record(r: Reading, tree: Tree[Token]) -> Record:
    """`{nome, total: valor}`."""
    return Record(span_of(tree), every(_entry, r, tree.children))


def _arg(r: Reading, part: Part) -> Arg:
    word, value = as_tree(part).children
    return Arg(span_of(part), maybe(name, r, word), expr(r, value))


def _entry(r: Reading, part: Part) -> Entry:
    tree = as_tree(part)
    if tree.data == "short_entry":
        word = name(r, tree.children[0])
        return Entry(span_of(tree), word, NameRef(word.span, word.text), short=True)
    key, value = tree.children
    word = name(r, key) if tree.data == "entry" else _quoted(r, key)
    return Entry(span_of(tree), word, expr(r, value))


def _quoted(r: Reading, part: Part) -> Name:
    """A key in quotes stays as written: it need not be an identifier."""
    return Name(span_of(part), static_text(r, part).static or "")


def _name(r: Reading, tree: Tree[Token]) -> Expr:
    word = name(r, tree.children[0])
    meant = FOREIGN.get(word.text)
    if meant is None:
        return NameRef(word.span, word.text)
    fix = r.edit(f"write `{meant}`", word.span, meant)
    r.report("E108", f"`{word.text}` is written `{meant}`", word.span, fix=fix)
    return NoneLit(word.span) if meant == "none" else BoolLit(word.span, value=meant == "true")


def _unary(r: Reading, tree: Tree[Token]) -> Unary:
    op, value = tree.children
    if as_token(op) == "not":
        return Unary(span_of(tree), "not", expr(r, value))
    return Unary(span_of(tree), "-", _negated(r, as_tree(value)))


def _negated(r: Reading, tree: Tree[Token]) -> Expr:
    return int_lit(r, tree.children[0], negated=True) if tree.data == "int" else expr(r, tree)


def _binary(r: Reading, tree: Tree[Token]) -> Binary:
    left, op, right = tree.children
    sign = cast("Operator", str(as_token(op)))
    return Binary(span_of(tree), sign, span_of(op), expr(r, left), expr(r, right))


def _field_of(r: Reading, tree: Tree[Token]) -> FieldOf:
    value, word = tree.children
    return FieldOf(span_of(tree), expr(r, value), name(r, word))


def _index(r: Reading, tree: Tree[Token]) -> Index:
    value, index = tree.children
    return Index(span_of(tree), expr(r, value), expr(r, index))


def delivered(r: Reading, tree: Tree[Token]) -> Record | ListLit | Text:
    """A body: an object or an array of JSON, or text."""
    match tree.data:
        case "list":
            return _list(r, tree)
        case "text":
            return text(r, tree.children[0])
        case _:
            return record(r, tree)


def _list(r: Reading, tree: Tree[Token]) -> ListLit:
    (items,) = parts(tree)
    values = () if items is None else parts(items)
    return ListLit(span_of(tree), every(expr, r, values))


def _comprehension(r: Reading, tree: Tree[Token]) -> Comprehension:
    value, word, items, condition = tree.children
    return Comprehension(span_of(tree), expr(r, value), name(r, word), expr(r, items), maybe(expr, r, condition))


def _group(r: Reading, tree: Tree[Token]) -> Expr:
    return expr(r, tree.children[0])


def _true(_: Reading, tree: Tree[Token]) -> BoolLit:
    return BoolLit(span_of(tree), value=True)


def _false(_: Reading, tree: Tree[Token]) -> BoolLit:
    return BoolLit(span_of(tree), value=False)


def _none(_: Reading, tree: Tree[Token]) -> NoneLit:
    return NoneLit(span_of(tree))


_BUILDERS: dict[str, Callable[[Reading, Tree[Token]], Expr]] = {
    "name": _name,
    "call": call,
    "unary": _unary,
    "binary": _binary,
    "field_of": _field_of,
    "index": _index,
    "list": _list,
    "comprehension": _comprehension,
    "group": _group,
    "record": record,
    "true": _true,
    "false": _false,
    "none": _none,
    "int": lambda r, tree: int_lit(r, tree.children[0]),
    "decimal": lambda r, tree: decimal_lit(r, tree.children[0]),
    "duration": lambda r, tree: duration(r, tree.children[0]),
    "text": lambda r, tree: text(r, tree.children[0]),
}
