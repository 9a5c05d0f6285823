"""Types as they are written."""

from dsl.format.doc import Doc, Group, Indent, spaced
from dsl.format.sequences import bracketed, field_comma
from dsl.format.tokens import INT, NAME, Tokens
from dsl.format.values import name, text, value
from dsl.nodes import EnumType, FieldDecl, ListType, OptionalType, PiiType, RecordType, TypeExpr, TypeName


def type_(tokens: Tokens, node: TypeExpr) -> Doc:
    """Any type."""
    match node:
        case TypeName():
            return (tokens.take(NAME), _range(tokens, node) if node.ranged else "")
        case PiiType():
            return spaced(tokens.take("pii"), type_(tokens, node.inner))
        case ListType():
            return (tokens.take("["), type_(tokens, node.item), tokens.take("]"))
        case EnumType():
            return _enum(tokens, node)
        case OptionalType():
            return (type_(tokens, node.inner), tokens.take("?"))
        case RecordType():
            return record_type(tokens, node)


def record_type(tokens: Tokens, node: RecordType) -> Doc:
    """`{a: T, b: U}`, or a field a line without commas."""
    return bracketed(tokens, "{}", node.fields, _field, field_comma)


def _range(tokens: Tokens, node: TypeName) -> Doc:
    opening = tokens.take("(")
    low = "" if node.low is None else _bound(tokens)
    between = tokens.take("..")
    high = "" if node.high is None else _bound(tokens)
    return (opening, low, between, high, tokens.take(")"))


def _bound(tokens: Tokens) -> Doc:
    sign = tokens.take("-") if tokens.sees("-") else ""
    return (sign, tokens.take(INT))


def _enum(tokens: Tokens, node: EnumType) -> Doc:
    before = tokens.comments
    first, *others = node.values
    inner = [text(tokens, first)]
    for other in others:
        inner += [tokens.line(), tokens.take("|"), " ", text(tokens, other)]
    return Group(Indent(tuple(inner)), broken=tokens.comments > before)


def _field(tokens: Tokens, node: FieldDecl) -> Doc:
    key = "" if node.key is None else (text(tokens, node.key), " ", tokens.take("as"), " ")
    declared = (key, name(tokens, node.name), tokens.take(":"), " ", type_(tokens, node.type))
    if node.default is None:
        return declared
    return spaced(declared, tokens.take("="), value(tokens, node.default))
