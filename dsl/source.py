"""A file of flows as text, and places in it.

Offsets count code points of the normalised text (no BOM, LF line ends); lines and columns are 1-based, as editors
show them.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

_LINE_END = re.compile("\n")


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of offsets into `Source.text`."""

    start: int
    end: int

    def to(self, other: "Span") -> "Span":
        """The span from the start of this one to the end of another."""
        return Span(self.start, other.end)


@dataclass(frozen=True, slots=True)
class Position:
    """1-based line and column; the column counts code points."""

    line: int
    column: int


def _line_starts(text: str) -> tuple[int, ...]:
    return (0, *(found.end() for found in _LINE_END.finditer(text)))


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one file; `path` is what diagnostics show."""

    path: str
    text: str
    _starts: tuple[int, ...] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        text = self.text.removeprefix("\ufeff").replace("\r\n", "\n")
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "_starts", _line_starts(text))

    @property
    def line_count(self) -> int:
        """Number of lines; a last line without line end counts."""
        return len(self._starts)

    def position(self, offset: int) -> Position:
        """Line and column of an offset; an offset past the end is the end."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of a line, without its line end."""
        start = self._starts[number - 1]
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[start:end]

    def offset(self, line: int) -> int:
        """The offset at which a line begins."""
        return self._starts[line - 1]

    def slice(self, span: Span) -> str:
        """The text under a span."""
        return self.text[span.start : span.end]
