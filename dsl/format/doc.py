"""What a layout is before it has a width: text, and the places where lines may or must end."""

from dataclasses import dataclass, replace
from typing import TypeAlias

Piece: TypeAlias = "str | Line | Fork | Remark | Verbatim"
Doc: TypeAlias = "Piece | tuple[Doc, ...] | Indent | Group | Choice | Block"


@dataclass(frozen=True, slots=True)
class Line:
    """The end of a line; `flat` is what stands there where the line goes on, None where it never does."""

    flat: str | None
    blank: bool = False  # an empty line comes with it


@dataclass(frozen=True, slots=True)
class Fork:
    """Text that depends on whether the group around it is on one line."""

    flat: str
    broken: str


@dataclass(frozen=True, slots=True)
class Indent:
    """Lines that begin in here begin two columns further in."""

    inner: Doc


@dataclass(frozen=True, slots=True)
class Group:
    """On one line if it fits there; otherwise every `Line` right in it ends one."""

    inner: Doc
    broken: bool = False  # never on one line


@dataclass(frozen=True, slots=True)
class Choice:
    """The first of some layouts whose first line fits, or else the last resort."""

    layouts: tuple[Doc, ...]
    broken: Doc


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of their own, whatever is around them is laid out like."""

    inner: Doc


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment after something on its line. It ends the line, and does not count in its width."""

    text: str


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Several lines that stay as they are."""

    text: str


HARD = Line(None)
LINE = Line(" ")
SOFT = Line("")


def opened(doc: Doc) -> Doc:
    """The same, but the brackets at its end hold an entry a line."""
    if isinstance(doc, tuple):
        return (*doc[:-1], opened(doc[-1]))
    return replace(doc, broken=True) if isinstance(doc, Group) else doc


def spaced(*docs: Doc) -> Doc:
    """Some things with a space between each two; empty ones are left out."""
    found = [doc for doc in docs if doc != ""]
    return tuple(part for doc in found for part in (" ", doc))[1:]
