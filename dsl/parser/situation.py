"""What the parser knows where it cannot go on, and what it decides there."""

import re
from dataclasses import dataclass
from typing import Literal

from lark import Token

from dsl.diagnostics import Diagnostic, Edit, Fix, Label, brief
from dsl.parser.machine import END, OPENERS, Machine, virtual
from dsl.parser.scan import NAME, PARTNERS, first_on_line, starts_item, unmatched
from dsl.source import Source, Span

_WORD = re.compile(NAME)


@dataclass(frozen=True, slots=True)
class Repair:
    """Go on as if these tokens stood between the last one read and `resume`."""

    tokens: tuple[Token, ...]
    resume: int
    lost: Span | None = None  # text whose names are then unread

    @property
    def begins_step(self) -> bool:
        """Whether an arrow is among the tokens."""
        return any(token.type == "_ARROW" for token in self.tokens)

    def then(self, *tokens: Token) -> "Repair":
        """More tokens after these; reading goes on where the last of them ends."""
        return Repair(self.tokens + tokens, span(tokens[-1]).end)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A problem and, where one is sure, the way to read on without losing the step."""

    diagnostic: Diagnostic
    repair: Repair | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """`found` cannot stand where it does; `before` is what was read last."""

    source: Source
    machine: Machine
    found: Token
    before: Token

    @property
    def start(self) -> int:
        """Where the found token begins."""
        return span(self.found).start

    @property
    def end(self) -> int:
        """Where the found token ends."""
        return span(self.found).end

    @property
    def last(self) -> Span:
        """Where the token stands that was read last."""
        return span(self.before)

    @property
    def last_end(self) -> int:
        """Where that token ends."""
        return self.last.end

    @property
    def last_text(self) -> str:
        """That token as it is written."""
        return self.source.slice(self.last)

    @property
    def word(self) -> str:
        """The word that begins at the found token, or nothing."""
        found = _WORD.match(self.source.text, self.start)
        return found[0] if found else ""

    @property
    def after(self) -> str:
        """The type of the token that was read last."""
        return self.before.type

    @property
    def first_on_line(self) -> bool:
        """Whether nothing but blanks stands before the found token on its line."""
        return first_on_line(self.source.text, self.start)

    @property
    def ends_item(self) -> bool:
        """Whether what surrounds this place must end here."""
        return self.found.type == END or starts_item(self.source.text, self.start)

    @property
    def bracket(self) -> Token | None:
        """The innermost open bracket."""
        brackets = self.machine.open_brackets()
        return brackets[-1] if brackets else None

    @property
    def in_step(self) -> tuple[str, ...]:
        """The types of the tokens of the unfinished step, or of the header of the item."""
        start = self.machine.last("_ARROW") + 1
        return tuple(entry.type for entry in self.machine.stack[start:] if isinstance(entry, Token))

    def accepts(self, *kinds: str) -> bool:
        """Whether each of these kinds of token could stand here."""
        return all(map(self.machine.accepts, kinds))

    def lacks(self, bracket: str, *, closer: bool) -> bool:
        """Whether what follows closes fewer (or opens fewer) of these brackets than it should."""
        opened = sum(token == bracket for token in self.machine.open_brackets())
        closed = unmatched(self.source.text, self.start).count(PARTNERS[bracket])
        short: bool = closed < opened if closer else closed > opened
        return short

    def matches(self, pattern: str) -> re.Match[str] | None:
        """What begins at the found token and has this form."""
        return re.compile(pattern).match(self.source.text, self.start)

    def mistake(  # noqa: PLR0913 (the parts of a message, all optional and by name)
        self,
        message: str,
        *,
        code: str = "E101",
        at: Span | None = None,
        label: str = "",
        notes: tuple[str, ...] = (),
        related: tuple[Label, ...] = (),
        fix: Fix | None = None,
        repair: Repair | None = None,
    ) -> Mistake:
        """Say what is wrong; without `at` the found token is marked."""
        primary = Label(self.source, at or self.place(), label)
        fixes = () if fix is None else (fix,)
        short = tuple(map(brief, notes))
        return Mistake(Diagnostic(code, brief(message), primary, related, short, fixes), repair)

    def place(self) -> Span:
        """What to mark: the found token, or the end of what was read where the file ends."""
        if self.found.type == END:
            return Span(self.last_end, self.last_end)
        return span(self.found)

    def fix(self, title: str, at: Span, text: str, kind: Literal["safe", "choose"] = "safe") -> Fix:
        """Replace what stands at a place."""
        return Fix(brief(title), kind, (Edit(self.source, at, text),))

    def insert(self, *tokens: tuple[str, str]) -> Repair:
        """Read on as if these stood before the found token."""
        at = self.last_end
        return Repair(tuple(virtual(kind, text, at, at) for kind, text in tokens), self.start)

    def replace(self, kind: str, end: int, text: str | None = None) -> Repair:
        """Read what stands up to `end` as one token."""
        shown = self.source.text[self.start : end] if text is None else text
        return Repair((virtual(kind, shown, self.start, end),), end)

    def colon(self, end: int) -> Token:
        """A colon that should have stood before `end`."""
        return virtual("COLON", ":", end, end)

    def drop(self, end: int) -> Repair:
        """Read on as if nothing stood here up to `end`."""
        return Repair((), end)

    def close(self, bracket: Token) -> Repair | None:
        """Close a bracket before the found token, if it can be closed there."""
        kind = OPENERS[bracket.type]
        return self.insert((kind, "")) if self.accepts(kind) else None


def span(token: Token) -> Span:
    """Where a token stands."""
    return Span(token.start_pos or 0, token.end_pos or 0)
