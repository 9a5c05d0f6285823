"""Things one after the other: between brackets, between braces, or as the parts of a step."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from dsl.format.doc import HARD, LINE, SOFT, Block, Choice, Doc, Fork, Group, Indent, opened
from dsl.format.tokens import Gap, Tokens

T = TypeVar("T")
Build = Callable[[Tokens, T], Doc]


class Comma(Protocol):
    """Reads what stands after an entry."""

    def __call__(self, tokens: Tokens, *, last: bool) -> tuple[Doc, Gap]:
        """The comma to write, and the gap before the next entry."""


def bracketed(tokens: Tokens, brackets: str, entries: Sequence[T], build: Build[T], comma: Comma | None = None) -> Doc:
    """Entries on one line if they fit and hold no comment, or each on a line of its own."""
    before = tokens.comments
    opening, gap = tokens.take(brackets[0]), tokens.gap().beginning
    inner: list[Doc] = []
    for number, entry in enumerate(entries, start=1):
        inner += [gap.comments, gap.line(LINE if inner else SOFT), build(tokens, entry)]
        written, gap = (comma or value_comma)(tokens, last=number == len(entries))
        inner.append(written)
    ending = gap.ending
    closing = tokens.take(brackets[1])
    if not entries and not gap.commented:
        return (opening, closing)
    body = Indent((*inner, ending.comments))
    return Group((opening, body, ending.line(SOFT), closing), broken=tokens.comments > before)


def enclosed(tokens: Tokens, brackets: str, build: Callable[[], Doc]) -> Doc:
    """One thing between brackets, which stand on lines of their own where it does not fit."""
    before = tokens.comments
    opening, line = tokens.take(brackets[0]), tokens.line(SOFT)
    inner = build()
    gap = tokens.gap().ending
    body = Indent((line, inner, gap.comments))
    return Group((opening, body, gap.line(SOFT), tokens.take(brackets[1])), broken=tokens.comments > before)


def hugged(tokens: Tokens, brackets: str, entry: T, build: Build[T]) -> Doc:
    """One entry that has brackets itself, right between the others."""
    opening, inner = tokens.take(brackets[0]), build(tokens, entry)
    _, gap = value_comma(tokens, last=True)
    end = (gap.comments, gap.ending.line(SOFT)) if gap.commented else ""
    return (opening, inner, end, tokens.take(brackets[1]))


def value_comma(tokens: Tokens, *, last: bool) -> tuple[Doc, Gap]:
    """A comma between values; where each has its line, also one after the last."""
    gap = tokens.gap()
    if tokens.sees(","):
        tokens.take(",")
        gap = gap.joined(tokens.gap())
    return Fork("", ",") if last else ",", gap


def field_comma(tokens: Tokens, *, last: bool) -> tuple[Doc, Gap]:
    """A comma between fields, unless each has its line. One with comments before it stays: they document nothing."""
    gap = tokens.gap()
    comma = "" if last else Fork(",", "")
    if not tokens.sees(","):
        return comma, gap
    written = tokens.take(",")
    return ((gap.comments, HARD, written) if gap.commented else comma), tokens.gap()


def listed(tokens: Tokens, entries: Sequence[T], build: Build[T]) -> Doc:
    """`a, b`, or a line for each."""
    before = tokens.comments
    first, *others = entries
    inner = [build(tokens, first)]
    for entry in others:
        _, gap = value_comma(tokens, last=False)
        inner += [",", gap.comments, gap.ending.line(LINE), build(tokens, entry)]
    return Group(tuple(inner), broken=tokens.comments > before)


def braced(tokens: Tokens, parts: Sequence[T], build: Build[T]) -> Doc:
    """Parts between braces, each on a line of its own whatever fits."""
    opening, gap = tokens.take("{"), tokens.gap().beginning
    inner: list[Doc] = []
    for part in parts:
        inner += [gap.comments, gap.line(HARD), build(tokens, part)]
        gap = tokens.gap()
    gap = gap.ending
    closing = tokens.take("}")
    if not parts and not gap.commented:
        return (opening, closing)
    return Block((opening, Indent((*inner, gap.comments)), HARD, closing))


def spread(tokens: Tokens, head: Doc, parts: Sequence[T], build: Build[T], record: T | None) -> Doc:
    """A head and its parts on one line, or each part on a line of its own.

    Between the two: where one line does not hold it all, `record`, a part that ends in brackets, may open them there.
    """
    gaps: list[Gap] = []
    built: list[Doc] = []
    for part in parts:
        gaps.append(tokens.gap().beginning.ending)
        built.append(build(tokens, part))
    lines = [(gap.comments, gap.line(LINE), part) for gap, part in zip(gaps, built, strict=True)]
    broken: Doc = Group((head, Indent(tuple(lines))), broken=True)
    if any(gap.commented for gap in gaps):
        return broken
    wide = [built]
    if record is not None:
        wide.append([opened(doc) if part is record else doc for part, doc in zip(parts, built, strict=True)])
    return Choice(tuple((head, *((" ", doc) for doc in docs)) for docs in wide), broken)
