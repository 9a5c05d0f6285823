"""Types as they are written."""

from collections.abc import Callable

from lark import Token, Tree

from dsl.build.expressions import expr
from dsl.build.literals import integer, static_text
from dsl.build.reading import Part, Reading, as_token, as_tree, every, maybe, name, parts, span_of
from dsl.nodes import (
    DefParam,
    EnumType,
    FieldDecl,
    ListType,
    OptionalType,
    PiiType,
    RecordType,
    TypeExpr,
    TypeName,
)


def type_expr(r: Reading, part: Part) -> TypeExpr:
    """Any type."""
    tree = as_tree(part)
    return _BUILDERS[tree.data](r, tree)


def record_type(r: Reading, tree: Tree[Token]) -> RecordType:
    """`{a: T, b: U}`."""
    return RecordType(span_of(tree), every(_field, r, tree.children))


def def_param(r: Reading, part: Part) -> DefParam:
    """`name: type`."""
    word, kind = as_tree(part).children
    return DefParam(span_of(part), name(r, word), type_expr(r, kind))


def _field(r: Reading, part: Part) -> FieldDecl:
    key, word, kind, default = as_tree(part).children
    span = span_of(part)
    return FieldDecl(
        span,
        name(r, word),
        maybe(static_text, r, key),
        type_expr(r, kind),
        maybe(expr, r, default),
        doc=r.doc(span.start),
    )


def _type_name(r: Reading, tree: Tree[Token]) -> TypeName:
    word, limits = parts(tree)
    read = name(r, word)
    if limits is None:
        return TypeName(span_of(tree), read.text)
    low, high = as_tree(limits).children
    return TypeName(span_of(tree), read.text, maybe(_bound, r, low), maybe(_bound, r, high), ranged=True)


def _bound(r: Reading, part: Part) -> int:
    *minus, digits = as_tree(part).children
    value = integer(r, as_token(digits), negated=bool(minus))
    return -value if minus else value


def _pii_type(r: Reading, tree: Tree[Token]) -> PiiType:
    return PiiType(span_of(tree), type_expr(r, tree.children[0]))


def _list_type(r: Reading, tree: Tree[Token]) -> ListType:
    return ListType(span_of(tree), type_expr(r, tree.children[0]))


def _enum_type(r: Reading, tree: Tree[Token]) -> EnumType:
    return EnumType(span_of(tree), every(static_text, r, tree.children))


def _optional_type(r: Reading, tree: Tree[Token]) -> OptionalType:
    return OptionalType(span_of(tree), type_expr(r, tree.children[0]))


_BUILDERS: dict[str, Callable[[Reading, Tree[Token]], TypeExpr]] = {
    "type_name": _type_name,
    "pii_type": _pii_type,
    "list_type": _list_type,
    "enum_type": _enum_type,
    "optional_type": _optional_type,
    "record_type": record_type,
}
