"""Going through a tree, without recursion."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from typing import cast

from dsl.nodes.base import Node


@cache
def _names(kind: Callable[..., Node]) -> tuple[str, ...]:
    return tuple(item.name for item in fields(cast("type[Node]", kind)) if item.name != "span")


def children(node: Node) -> Iterator[Node]:
    """The nodes directly under a node, in the order of its fields."""
    for name in _names(type(node)):
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
