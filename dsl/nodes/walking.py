"""Going through a tree, without recursion."""

from collections.abc import Iterator
from dataclasses import fields

from dsl.nodes.base import Node

_NAMES: dict[str, tuple[str, ...]] = {}  # of fields, by the name of the class: a cache


def _names(node: Node) -> tuple[str, ...]:
    kind = type(node).__name__
    if kind not in _NAMES:
        _NAMES[kind] = tuple(item.name for item in fields(node) if item.name != "span")
    return _NAMES[kind]


def children(node: Node) -> Iterator[Node]:
    """The nodes directly under a node, in the order of its fields."""
    for name in _names(node):
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, Node))


def walk(node: Node) -> Iterator[Node]:
    """A node and everything under it, in text order, without recursion."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(list(children(current))))
