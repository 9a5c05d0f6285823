"""A file to Lark's tree, going on after every problem: one report for a broken step, and none for what follows from it.

A problem with a known repair loses nothing: the parser reads on as if the text were right. Otherwise the step is
dropped and reading resumes at the next arrow, at a brace that closes what is open, or at a top-level word in column 1.
"""

import re
from collections import Counter
from dataclasses import dataclass

from lark import Token, Tree

from dsl.diagnostics import Diagnostic, Label
from dsl.parser.machine import END, Machine, open_among, virtual
from dsl.parser.mistakes import begins_with_reserved_word, recognise
from dsl.parser.scan import first_on_line, names, pieces, starts_item, unmatched
from dsl.parser.situation import Mistake, Repair, Situation, span
from dsl.parser.words import RESERVED, TOP
from dsl.source import Source, Span

MAX_PROBLEMS = 100
_NO_STEP = -1
_MAX_REPAIRS_AT_ONE_PLACE = 16

_CASE = re.compile(r"else\s*=>")
_ON_ERROR = re.compile(r"on\s+error\b")
_BLOCK_FOLLOWS = re.compile(r"\{\s*->")
_TEST_WORDS = frozenset({"given", "mock", "advance", "expect"})
_TOP_KINDS = frozenset(word.upper() for word in TOP) | {"ON_ERROR"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A tree, the problems on the way, and the names in what was dropped."""

    tree: Tree[Token]
    problems: list[Diagnostic]
    unread: frozenset[str]


def read_tree(source: Source) -> Outcome:
    """Parse a file to its end, whatever is in it."""
    driver = _Driver(source)
    tree = driver.run()
    return Outcome(tree, driver.problems, frozenset(driver.unread))


class _Driver:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.machine = Machine(source.text)
        self.problems: list[Diagnostic] = []
        self.unread: set[str] = set()
        self._before = virtual("START", "", 0, 0)
        self._repairs: Counter[int] = Counter()
        self._skipped_at = -1
        self._step = _NO_STEP  # where the arrow of the step stands that is being read
        self._reported: tuple[int, int] = (-1, -1)  # the place and the step of the last report
        self._forgiven = 0  # closing braces whose opening ones were taken for unclosed

    def run(self) -> Tree[Token]:
        while True:
            found = self.machine.next()
            if found.type == END and self.machine.accepts(END):
                return self.machine.finish()
            if self._refused(found) or not self._feed(found):
                self._mend(found)

    def _feed(self, token: Token) -> bool:
        if token.type == END or not self.machine.feed(token):
            return False
        self._before = token
        if token.type == "_ARROW":
            self._step = span(token).start
        elif token.type in _TOP_KINDS:
            self._step = _NO_STEP
        return True

    def _refused(self, found: Token) -> bool:
        """Words that the grammar reads as names, and people never mean so."""
        if found.type == "ELSE" and _CASE.match(self.source.text, span(found).start):
            return not self.machine.accepts_all("ELSE", "FAT_ARROW")
        if found.type != "NAME":
            return False
        match self._before.type:
            case "_ARROW" if found in RESERVED:
                return True
            case "ON" if found != "webhook":
                return True
        return found in TOP and starts_item(self.source.text, span(found).start, surely=True)

    def _mend(self, found: Token) -> None:
        s = Situation(self.source, self.machine, found, self._before)
        if found.type == "RBRACE" and self._forgiven and s.bracket is None:
            self._forgiven -= 1
            self._apply(s.drop(s.end))
            return
        mistake = begins_with_reserved_word(s) or recognise(s)
        if self._is_news(mistake, s.start):
            self._reported = (s.start, self._step)
            self.problems.append(mistake.diagnostic)
        if len(self.problems) >= MAX_PROBLEMS:
            self._give_up(s.start)
        elif mistake.repair is None or not self._apply(mistake.repair):
            self._skip(s)

    def _is_news(self, mistake: Mistake, at: int) -> bool:
        """A second report in the same step mostly follows from the first, unless it is about more than the step."""
        place, step = self._reported
        begins_step = mistake.repair is not None and mistake.repair.begins_step
        wider = begins_step or mistake.diagnostic.primary.span.start < self._step
        return place != at and (self._step == _NO_STEP or self._step != step or wider)

    def _give_up(self, at: int) -> None:
        message = f"after {MAX_PROBLEMS} problems the rest of this file is not read"
        self.problems.append(Diagnostic("E110", message, Label(self.source, Span(at, at))))
        self._end_item()
        self.unread |= names(self.source.text, Span(at, len(self.source.text)))
        self.machine.move(len(self.source.text))

    def _apply(self, repair: Repair) -> bool:
        self._repairs[repair.resume] += 1
        if self._repairs[repair.resume] > _MAX_REPAIRS_AT_ONE_PLACE:
            return False
        if not all(map(self._feed, repair.tokens)):
            return False
        if repair.lost is not None:
            self.unread |= names(self.source.text, repair.lost)
        self.machine.move(repair.resume)
        return True

    def _skip(self, s: Situation) -> None:
        start = s.end if s.start == self._skipped_at else s.start
        self._skipped_at = s.start
        if s.ends_item and start == s.start:
            self._end_item()
            self.machine.move(start)
            return
        dropped = self._retreat(s)
        first = min([start, *map(_start_of, dropped[:1])])
        resume = self._resume(start, dropped, code=bool(s.matches("```")))
        self.unread |= names(self.source.text, Span(first, resume))
        self._before = virtual("SKIPPED", "", resume, resume)
        self.machine.move(resume)

    def _retreat(self, s: Situation) -> list[Token | Tree[Token]]:
        """Drop the unfinished step, or what cannot be kept of a header."""
        if s.after in {"LBRACE", "RBRACE"} and s.accepts("_ARROW"):
            return []  # only an arrow is missing; what was read before can stay
        arrow = self.machine.last("_ARROW")
        if arrow >= 0:
            return self.machine.cut(arrow)
        kinds = {"ON": "_ARROW", "TEST": "EXPECT"}
        goal = next((goal for kind, goal in kinds.items() if self.machine.last(kind) >= 0), "FLOW")
        dropped: list[Token | Tree[Token]] = []
        while self.machine.stack and not self.machine.accepts(goal):
            dropped = self.machine.cut(len(self.machine.stack) - 1) + dropped
        return dropped

    def _resume(self, start: int, dropped: list[Token | Tree[Token]], *, code: bool) -> int:
        """Where reading can go on: braces that the dropped text opened are skipped whole."""
        braces = self._braces(start, dropped)
        for piece in pieces(self.source.text, start):
            if self._begins_item(piece.start(), code=code):
                return piece.start()
            if not code and self._resumes_at(piece, braces):
                return piece.start()
        return len(self.source.text)

    def _braces(self, start: int, dropped: list[Token | Tree[Token]]) -> "_Braces":
        text = self.source.text
        opened = [_is_block(text, span(entry).start) for entry in open_among(dropped) if entry == "{"]
        still_open = sum(entry == "{" for entry in self.machine.open_brackets())
        return _Braces(opened, unmatched(text, start).count("}") - still_open - len(opened))

    def _resumes_at(self, piece: re.Match[str], braces: "_Braces") -> bool:
        if piece[0] == "->" or self._begins_test_step(piece):
            self._forgiven += braces.close_records()
        if not braces.opened and self._can_resume(piece[0]) and not braces.is_spare(piece[0]):
            return True
        braces.pass_by(self.source.text, piece)
        return False

    def _begins_item(self, at: int, *, code: bool) -> bool:
        """Python may hold `def` and `type`; an `on error` whose flow is lost is lost too."""
        text = self.source.text
        if code:
            return starts_item(text, at, surely=True) and not text.startswith(("def", "type"), at)
        lost = text.startswith("on", at) and not self.machine.accepts("ON_ERROR")
        return starts_item(text, at) and not (lost and _ON_ERROR.match(text, at))

    def _begins_test_step(self, piece: re.Match[str]) -> bool:
        if piece[0] not in _TEST_WORDS or not first_on_line(self.source.text, piece.start()):
            return False
        return self._can_resume(piece[0])

    def _can_resume(self, text: str) -> bool:
        if text in _TEST_WORDS:
            return self.machine.accepts(text.upper())
        return text in {"->", "}"} and self.machine.accepts("_ARROW" if text == "->" else "RBRACE")

    def _end_item(self) -> None:
        """Close what is open, so that the next top-level word or the end can follow."""
        machine = self.machine
        at = span(self._before).end
        closable = len(machine.open_brackets())  # a closed one that is then cut is open again: not for ever
        while machine.stack and not machine.accepts("FLOW"):
            if closable and machine.accepts("RBRACE"):
                machine.feed(virtual("RBRACE", "}", at, at))
                closable -= 1
                continue
            arrow = machine.last("_ARROW")
            dropped = machine.cut(arrow if arrow >= 0 else len(machine.stack) - 1)
            self.unread |= names(self.source.text, Span(_start_of(dropped[0]), at))
        self._before = virtual("SKIPPED", "", at, at)
        self._forgiven = 0


@dataclass(slots=True)
class _Braces:
    """The braces that skipped text has opened, and whether each begins a block; how many it closes too often."""

    opened: list[bool]
    spare: int

    def close_records(self) -> int:
        """No arrow stands directly in a record: such a brace was never closed."""
        closed = 0
        while self.opened and not self.opened[-1]:
            self.opened.pop()
            closed += 1
        return closed

    def is_spare(self, text: str) -> bool:
        """Whether this brace closes nothing that is left, as there are more of them than can be needed."""
        if text != "}" or self.spare <= 0:
            return False
        self.spare -= 1
        return True

    def pass_by(self, text: str, piece: re.Match[str]) -> None:
        if piece[0] == "{":
            self.opened.append(_is_block(text, piece.start()))
        elif piece[0] == "}" and self.opened:
            self.opened.pop()


def _start_of(entry: Token | Tree[Token]) -> int:
    if isinstance(entry, Token):
        return span(entry).start
    return 0 if entry.meta.empty else entry.meta.start_pos


def _is_block(text: str, brace: int) -> bool:
    return bool(_BLOCK_FOLLOWS.match(text, brace))
