"""Brackets and `else` without a partner."""

from collections.abc import Iterator
from itertools import accumulate

from lark import Token

from dsl.diagnostics import Label
from dsl.parser.machine import CLOSERS, END, OPENERS
from dsl.parser.mistakes.rule import Rule, misplaced_else
from dsl.parser.scan import first_on_line, pieces
from dsl.parser.situation import Mistake, Situation, span
from dsl.parser.words import found, spelling
from dsl.source import Source, Span


def unclosed(s: Situation) -> Mistake | None:
    """A bracket that is still open where what holds it must end."""
    brackets = s.machine.open_brackets()
    if not brackets or not (_must_end(s, brackets) or _better_closed(s, brackets)):
        return None
    inner = brackets[-1]
    blamed = span(inner)
    if inner == "{" and s.found.type != "_ARROW":
        blamed = _misindented(s.source, span(brackets[0]).start, s.start) or blamed
    return s.mistake(
        f"this `{s.source.slice(blamed)}` is never closed",
        code="E103",
        at=blamed,
        related=(Label(s.source, s.place(), _why(s)),),
        repair=s.close(inner),
    )


def _why(s: Situation) -> str:
    if s.found.type == END:
        return "the file ends here"
    return f"{found(s)} cannot stand inside it"


def _must_end(s: Situation, brackets: list[Token]) -> bool:
    inner = brackets[-1]
    if s.found.type in CLOSERS:
        partners = [OPENERS[bracket.type] for bracket in brackets]
        return partners[-1] != s.found.type and s.found.type in partners
    if s.ends_item or s.found.type == "ON_ERROR":
        return True
    inside_step = span(inner).start > _last_arrow(s)
    block_like = {"MATCH", "PARALLEL"}.intersection(s.in_step)
    return s.found.type == "_ARROW" and inside_step and not (block_like and inner == "{")


def _better_closed(s: Situation, brackets: list[Token]) -> bool:
    """Whether the found token could stand if brackets were closed, and a closing one is missing."""
    inner = brackets[-1]
    closings = ((OPENERS[bracket.type],) for bracket in reversed(brackets))
    return s.lacks(str(inner), closer=True) and any(
        s.machine.accepts_all(*closers, s.found.type) for closers in accumulate(closings)
    )


def _last_arrow(s: Situation) -> int:
    index = s.machine.last("_ARROW")
    entry = s.machine.stack[index] if index >= 0 else None
    return span(entry).start if isinstance(entry, Token) else -1


def _misindented(source: Source, start: int, end: int) -> Span | None:
    """The brace whose partner, first on its line, stands at another depth than the brace's line.

    Where a closing brace is missing, the ones after it close too much, and their depth tells.
    """
    for opening, closing in _pairs(source.text, start, end):
        if first_on_line(source.text, closing) and _indent(source, closing) != _indent(source, opening):
            return Span(opening, opening + 1)
    return None


def _pairs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    stack: list[int] = []
    for piece in pieces(text, start):
        if piece.start() >= end:
            return
        if piece[0] == "{":
            stack.append(piece.start())
        elif piece[0] == "}" and stack:
            yield stack.pop(), piece.start()


def _indent(source: Source, offset: int) -> int:
    """How many blanks begin the line of an offset."""
    start = end = offset - source.position(offset).column + 1
    while source.text[end] in " \t":
        end += 1
    return end - start


def wrong_partner(s: Situation) -> Mistake | None:
    """`(1 + 2]`."""
    inner = s.bracket
    if s.found.type not in CLOSERS or inner is None or OPENERS[inner.type] == s.found.type:
        return None
    if not s.lacks(str(inner), closer=True):
        return _closes_nothing(s)
    kind = OPENERS[inner.type]
    right = spelling(kind)
    return s.mistake(
        f"{found(s)} does not close `{inner}`",
        code="E103",
        related=(Label(s.source, span(inner), "open here"),),
        fix=s.fix(f"write `{right}`", s.place(), right, "choose"),
        repair=s.replace(kind, s.end, right),
    )


def stray(s: Situation) -> Mistake | None:
    """A closing bracket that closes nothing."""
    return _closes_nothing(s) if s.found.type in CLOSERS and s.bracket is None else None


def _closes_nothing(s: Situation) -> Mistake:
    fix = s.fix("remove it", s.place(), "", "choose")
    message = f"this {found(s)} closes nothing"
    return s.mistake(message, fix=fix, repair=s.drop(s.end))


def stray_else(s: Situation) -> Mistake | None:
    """An `else` after what has none."""
    return misplaced_else(s, s.place()) if s.word == "else" and s.found.type == "ELSE" else None


RULES: tuple[Rule, ...] = (unclosed, wrong_partner, stray, stray_else)
