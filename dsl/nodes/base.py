"""What all nodes are."""

from dataclasses import dataclass, field

from dsl.source import Span


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a file and where it stands."""

    span: Span


@dataclass(frozen=True, slots=True)
class Documented(Node):
    """A part that may have `##` comments before it: `doc` is their text."""

    doc: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class Name(Node):
    """An identifier, NFC-normalised."""

    text: str
