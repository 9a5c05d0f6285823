"""The words of a file in their order, spelled as they are written, and the comments between them."""

import re
from dataclasses import dataclass, replace

from dsl.format.doc import HARD, LINE, Doc, Indent, Line, Remark, Verbatim
from dsl.nodes import File
from dsl.source import Span

INT = re.compile(r"[0-9]+")
SIZE = re.compile(r"[0-9]+(?:kb|mb)")
NAME = re.compile(r"[^\W\d][\w\u0300-\u036f]*")
_FENCE = re.compile(r"```python[ \t]*\n(?:(?![ \t]*```)[^\n]*\n)*[ \t]*```")

_BLANK = re.compile(r"[ \t\n]*")
_BLANK_OR_COMMENT = re.compile(r"(?:[ \t\n]|#[^\n]*)*")


@dataclass(frozen=True, slots=True)
class Note:
    """A comment on a line of its own."""

    text: str
    blank: bool  # an empty line stands before it


@dataclass(frozen=True, slots=True)
class Gap:
    """What stands between two words."""

    remark: str = ""  # the comment on the line of the word before
    notes: tuple[Note, ...] = ()
    blank: bool = False  # an empty line stands before the next word

    @property
    def commented(self) -> bool:
        """Whether any comment stands here."""
        return bool(self.remark or self.notes)

    @property
    def comments(self) -> Doc:
        """The comments; a `line` must follow."""
        remark = Remark(self.remark) if self.remark else ""
        return (remark, *((Line(None, note.blank), note.text) for note in self.notes))

    def line(self, line: Line) -> Line:
        """The line's end before the next word: nothing goes on after a comment."""
        return Line(None if self.commented else line.flat, self.blank)

    @property
    def beginning(self) -> "Gap":
        """The gap after something that no empty line follows."""
        if self.notes:
            first, *others = self.notes
            return replace(self, notes=(replace(first, blank=False), *others))
        return replace(self, blank=False)

    @property
    def ending(self) -> "Gap":
        """The gap before something that no empty line precedes."""
        return replace(self, blank=False)

    @property
    def parting(self) -> "Gap":
        """The gap between two things that have an empty line between them."""
        if self.blank or any(note.blank for note in self.notes):
            return self
        if self.notes:
            first, *others = self.notes
            return replace(self, notes=(replace(first, blank=True), *others))
        return replace(self, blank=True)

    def joined(self, other: "Gap") -> "Gap":
        """The gap that is left when the word between two gaps goes."""
        if not self.commented:
            return replace(other, blank=self.blank or other.blank)
        remark = (Note(other.remark, blank=False),) if other.remark else ()
        return Gap(self.remark, (*self.notes, *remark, *other.notes), other.blank)


class Tokens:
    """Reads a file from its start to its end; whoever reads knows from the tree what must come next."""

    def __init__(self, file: File) -> None:
        self._text = file.source.text
        self._at = 0  # after the last word, or after the comments that follow it
        self.comments = 0  # how many were read

    @property
    def next(self) -> int:
        """Where the next word begins."""
        return _match(_BLANK_OR_COMMENT, self._text, self._at).end()

    def sees(self, spelling: str) -> bool:
        """Whether the next word begins like this."""
        return self._text.startswith(spelling, self.next)

    def take(self, what: str | re.Pattern[str]) -> Doc:
        """The next word, which must read like this."""
        inside = self._inside()
        word = self._read(what)
        return (inside, word) if inside else word

    def leaf(self, span: Span) -> Doc:
        """The next word, which must stand there."""
        inside = self._inside()
        if self._at != span.start:
            raise ValueError(f"read up to {self._at}, expected to be at {span.start}")
        self._at = span.end
        word = self._text[span.start : span.end]
        return (inside, word) if inside else word

    def fence(self) -> Doc:
        """The next word, which must be code. It stays as it is, but for blanks that nobody sees after ```python."""
        inside = self._inside()
        opening, _, rest = self._read(_FENCE).partition("\n")
        return (inside, Verbatim(f"{opening.rstrip()}\n{rest}"))

    def gap(self) -> Gap:
        """The comments before the next word, and whether an empty line is."""
        return self._gap(indented=False)

    def line(self, line: Line = LINE) -> Doc:
        """The comments before the next word, and a place where its line may begin; without empty lines."""
        gap = self.gap().beginning.ending
        return (gap.comments, gap.line(line))

    def space(self) -> Doc:
        """A space before the next word, or a line's end where comments stand before it."""
        gap = self.gap()
        return (gap.comments, HARD) if gap.commented else " "

    def tail(self) -> Gap:
        """The comments that belong to the lines before: the one beside them, and indented ones below."""
        return self._gap(indented=True)

    def is_line(self, start: int) -> bool:
        """Whether all that was read from a place on stands on one line."""
        return "\n" not in self._text[start : self._at]

    def _inside(self) -> Doc:
        """The comments before a word that has no line of its own; it gets one, two columns further in."""
        gap = self.gap()
        return Indent((gap.ending.beginning.comments, HARD)) if gap.commented else ""

    def _read(self, what: str | re.Pattern[str]) -> str:
        word = what if isinstance(what, str) else _match(what, self._text, self._at)[0]
        if not self._text.startswith(word, self._at):
            raise ValueError(f"expected {word} at {self._at}, not {self._text[self._at :][:20]!r}")
        self._at += len(word)
        return word

    def _gap(self, *, indented: bool) -> Gap:
        remark, notes = "", list[Note]()
        while True:
            blanks = _match(_BLANK, self._text, self._at)
            lines = blanks[0].count("\n")
            end = blanks.end()
            beside = not lines and not notes and self._at > 0
            if not self._text.startswith("#", end) or (indented and not beside and _at_margin(self._text, end)):
                break
            comment = self._comment(end)
            if beside:
                remark = comment
            else:
                notes.append(Note(comment, lines > 1))
        if not indented:
            self._at = end
        return Gap(remark, tuple(notes), lines > 1)

    def _comment(self, start: int) -> str:
        end = self._text.find("\n", start)
        self._at = len(self._text) if end < 0 else end
        self.comments += 1
        return self._text[start : self._at].rstrip(" \t")


def _at_margin(text: str, offset: int) -> bool:
    return offset == 0 or text[offset - 1] == "\n"


def _match(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    """The tree promises that this stands here."""
    found = pattern.match(text, at)
    if found is None:
        raise ValueError(f"expected {pattern.pattern} at {at}, not {text[at : at + 20]!r}")
    return found
