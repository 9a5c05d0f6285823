"""Small builders of `ast` nodes that stand where the flow's text stands."""

import ast
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from compiler.codegen.names import Names, attribute
from dsl.source import Source, Span

T = TypeVar("T", bound=ast.expr | ast.stmt | ast.arg | ast.keyword | ast.ExceptHandler)
TOP = Span(0, 0)


class Nodes:
    """Builds nodes for one file."""

    def __init__(self, source: Source, names: Names) -> None:
        self.source = source
        self.names = names

    def variable(self, span: Span, key: str) -> ast.Name:
        """A variable of the plan, read."""
        return self.name(span, self.names.of(key))

    def attribute(self, span: Span, name: str) -> ast.expr:
        """A field of the payload."""
        return self.put(span, ast.Attribute(self.name(span, "p"), attribute(name), ast.Load()))

    def name(self, span: Span, name: str) -> ast.Name:
        return self.put(span, ast.Name(name, ast.Load()))

    def const(self, span: Span, value: str | int | None) -> ast.expr:
        return self.put(span, ast.Constant(value))

    def call(self, span: Span, function: str, *args: ast.expr, **named: ast.expr) -> ast.Call:
        keywords = [self.put(span, ast.keyword(key, value)) for key, value in named.items()]
        return self.put(span, ast.Call(self.name(span, function), list(args), keywords))

    def method(self, span: Span, method: str, *args: ast.expr) -> ast.Call:
        function = self.put(span, ast.Attribute(self.name(span, "ctx"), method, ast.Load()))
        return self.put(span, ast.Call(function, list(args), []))

    def assign(self, span: Span, target: str, value: ast.expr) -> ast.stmt:
        name = self.put(span, ast.Name(target, ast.Store()))
        return self.put(span, ast.Assign([name], value))

    def statement(self, span: Span, value: ast.expr) -> ast.stmt:
        return self.put(span, ast.Expr(value))

    def arguments(self, names: tuple[str, ...]) -> ast.arguments:
        return ast.arguments([], [self.put(TOP, ast.arg(name)) for name in names], None, [], [], None, [])

    def tuple(self, items: Iterable[ast.expr]) -> ast.expr:
        return self.put(TOP, ast.Tuple(list(items), ast.Load()))

    def value(self, span: Span, value: str | int | Decimal | timedelta | None) -> ast.expr:
        match value:
            case Decimal():
                return self.call(span, "exact", self.const(span, str(value)))
            case timedelta():
                return self.call(span, "duration", self.const(span, value // timedelta(milliseconds=1)))
            case _:
                return self.const(span, value)

    def put(self, span: Span, node: T) -> T:
        node.lineno, node.col_offset = byte_position(self.source, span.start)
        node.end_lineno, node.end_col_offset = byte_position(self.source, span.end)
        return node


def byte_position(source: Source, offset: int) -> tuple[int, int]:
    """Line (from 1) and column in UTF-8 bytes (from 0) of an offset."""
    position = source.position(offset)
    line = source.line(position.line)
    return position.line, len(line[: position.column - 1].encode())
