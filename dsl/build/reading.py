"""What every builder needs: the source, spans of Lark's parts, and a place for problems."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from unicodedata import normalize

from lark import Token, Tree

from dsl.diagnostics import Diagnostic, Edit, Fix, Label, brief
from dsl.nodes import Name
from dsl.source import Source, Span

Part = Token | Tree[Token] | None
T = TypeVar("T")

_LOOKED_BACK = 256  # characters at a time: most blanks are few


@dataclass(slots=True)
class Reading:
    """One file while its nodes are built; `docs` has the text of `##` comments by where they end."""

    source: Source
    docs: dict[int, str] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    dropped: list[Span] = field(default_factory=list)  # what is too deep to be built
    blocks: int = 0  # how many blocks are open here

    def report(self, code: str, message: str, at: Span, *notes: str, fix: Fix | None = None) -> None:
        """Keep a problem; building goes on."""
        fixes = () if fix is None else (fix,)
        self.problems.append(Diagnostic(code, message, Label(self.source, at), (), notes, fixes))

    def edit(self, title: str, at: Span, text: str) -> Fix:
        """Mend by writing what was surely meant."""
        return Fix(brief(title), "safe", (Edit(self.source, at, text),))

    def doc(self, start: int) -> str:
        """The text of the `##` comments that stand right before an offset."""
        return self.docs.get(self.before(start), "")

    def before(self, offset: int) -> int:
        """The end of the last text before an offset that is not blank."""
        while offset:
            start = max(0, offset - _LOOKED_BACK)
            kept = len(self.source.text[start:offset].rstrip())
            if kept:
                return start + kept
            offset = start
        return 0


def as_tree(part: Part) -> Tree[Token]:
    """The part as a tree, which the grammar promises."""
    if isinstance(part, Tree):
        return part
    raise TypeError(part)


def parts(part: Part) -> Sequence[Part]:
    """What a tree holds; the optional ones that are not there are None."""
    return as_tree(part).children


NAME_LENGTH = 200  # code points


def as_token(part: Part) -> Token:
    """The part as a token, which the grammar promises."""
    if isinstance(part, Token):
        return part
    raise TypeError(part)


def span_of(part: Part) -> Span:
    """Where a token stands, or a tree that holds at least one."""
    if isinstance(part, Tree):
        return Span(part.meta.start_pos, part.meta.end_pos)
    token = as_token(part)
    return Span(token.start_pos or 0, token.end_pos or 0)


def name(_: Reading, part: Part) -> Name:
    """An identifier, in the one form in which equal names are equal text.

    Only so much of it: to normalise a long run of combining marks takes time that grows with its square.
    """
    return Name(span_of(part), normalize("NFC", str(as_token(part))[:NAME_LENGTH]))


def maybe(build: Callable[[Reading, Part], T], r: Reading, part: Part) -> T | None:
    """Build the part if it is there."""
    return None if part is None else build(r, part)


def every(build: Callable[[Reading, Part], T], r: Reading, found: Sequence[Part]) -> tuple[T, ...]:
    """Build each of the parts that are there."""
    return tuple(build(r, part) for part in found if part is not None)


def beyond(depth: int, tree: Tree[Token]) -> Tree[Token] | None:
    """The first part, in text order, that lies deeper in a tree than is allowed."""
    stack = [(tree, 0)]
    while stack:
        part, level = stack.pop()
        if level > depth:
            return part
        inner = [child for child in part.children if isinstance(child, Tree)]
        stack.extend((child, level + 1) for child in reversed(inner) if not child.meta.empty)
    return None
