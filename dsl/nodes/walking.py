"""Going through a tree, without recursion."""

from collections.abc import Iterator
from dataclasses import fields

from dsl.nodes.base import Node


def children(node: Node) -> Iterator[Node]:
    """The nodes directly under a node, in the order of its fields."""
    for item in fields(node):
        value = getattr(node, item.name)
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
