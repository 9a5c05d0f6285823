"""Lines of a file with marks under them, aligned by the cells that a terminal gives each character."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

from dsl.diagnostics import Label
from dsl.render.style import Row, visible
from dsl.render.wrap import wrap
from dsl.source import Source, Span

_TAB = 4
_ELLIPSIS = "…"
_BESIDE = 32  # cells to the right of a line's only mark in which its text is wrapped
_BELOW = 24  # cells that a text below a mark gets, also where it must begin left of the mark
_LONG = 4  # a line of more code points than so many widths is not even measured


@dataclass(frozen=True, slots=True)
class Mark:
    """What to draw under a line; `start` and `end` count the line's code points from 0."""

    line: int
    start: int
    end: int
    text: str
    style: str

    @property
    def sign(self) -> str:
        """Related places are dashed."""
        return "-" if self.style == "related" else "^"


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as it is printed: tabs are spread, and a long one is cut to what matters."""

    text: str
    places: tuple[int, ...]  # where each code point of the line stands in the text, and the end

    def cells(self, place: int) -> int:
        """How many cells stand before a code point of the line."""
        place = min(max(place, 0), len(self.places) - 1)
        return cell_len(self.text[: self.places[place]])


def marks(label: Label, style: str) -> Iterator[Mark]:
    """The marks of a label: one, or for several lines one at its beginning and one at its end."""
    source, span = label.source, label.span
    first, last = source.position(span.start), source.position(_last(source, span))
    text = visible(label.text)
    start, end = first.column - 1, last.column - 1 + (span.end > span.start)
    if first.line == last.line:
        yield Mark(first.line, start, end, text, style)
        return
    yield Mark(first.line, start, max(len(source.line(first.line).rstrip()), start + 1), "", style)
    line = source.line(last.line)
    yield Mark(last.line, len(line) - len(line.lstrip()), end, text, style)


def _last(source: Source, span: Span) -> int:
    """The last character of a span that is not blank."""
    end = span.end
    while end - 1 > span.start and source.text[end - 1].isspace():
        end -= 1
    return max(end - 1, span.start)


def lines(source: Source, found: Sequence[Mark], width: int) -> Iterator[tuple[int | None, Row]]:
    """The rows of an excerpt with the line number that stands before each; -1 stands for a gap."""
    before = 0
    for number in sorted({mark.line for mark in found}):
        if before and number > before + 1:
            yield -1, []
        on_line = sorted((m for m in found if m.line == number), key=lambda m: (m.start, m.end))
        for group, shown in _windows(source.line(number), on_line, width):
            yield number, [(shown.text, "")]
            yield from ((None, row) for row in _under(group, shown, width))
        before = number


def _windows(line: str, found: list[Mark], width: int) -> Iterator[tuple[list[Mark], Shown]]:
    """The whole line with all of its marks, or pieces of a long one with those that lie there."""
    if len(line) <= _LONG * width and cell_len((whole := _spread(line)).text) <= width:
        yield found, whole
        return
    while found:
        room = width - 2 * len(_ELLIPSIS)
        low = 0 if found[0].end <= _fitting(line, 0, room) else max(0, found[0].start - width // 4)
        high = _fitting(line, low, room)
        group = [mark for mark in found if mark.start < high or mark is found[0]]
        found = found[len(group) :]
        yield [_moved(mark, low, high) for mark in group], _cut(line, low, high)


def _fitting(line: str, low: int, width: int) -> int:
    high = min(len(line), low + width)
    while high > low + 1 and cell_len(_spread(line[low:high]).text) > width:
        high -= 1
    return high


def _cut(line: str, low: int, high: int) -> Shown:
    head = _ELLIPSIS if low else ""
    tail = _ELLIPSIS if high < len(line) else ""
    spread = _spread(line[low:high])
    places = tuple(place + len(head) for place in spread.places)
    return Shown(f"{head}{spread.text}{tail}", places)


def _moved(mark: Mark, low: int, high: int) -> Mark:
    return replace(mark, start=mark.start - low, end=min(mark.end, high) - low)


def _spread(line: str) -> Shown:
    pieces: list[str] = []
    places, cells = [0], 0
    for char in line:
        piece = " " * (_TAB - cells % _TAB) if char == "\t" else visible(char)
        cells += cell_len(piece)
        pieces.append(piece)
        places.append(places[-1] + len(piece))
    return Shown("".join(pieces), tuple(places))


def _under(found: list[Mark], shown: Shown, width: int) -> Iterator[Row]:
    """The row of underlines, then the texts that found no room on it, from right to left."""
    row = _underlines(found, shown)
    hanging = [mark for mark in found if mark.text]
    rightmost = max(found, key=lambda mark: (mark.end, mark.start))
    column = sum(len(text) for text, _ in row) + 1
    if rightmost.text and _fits_beside(rightmost.text, width - column, alone=len(hanging) == 1):
        hanging.remove(rightmost)
        first, *rest = wrap(rightmost.text, width - column)
        yield [*row, (f" {first}", rightmost.style)]
        yield from ([(" " * column, ""), (line, rightmost.style)] for line in rest)
    else:
        yield row
    yield from _below([(shown.cells(mark.start), mark) for mark in hanging], width)


def _fits_beside(text: str, room: int, *, alone: bool) -> bool:
    return cell_len(text) <= room or (alone and room >= _BESIDE)


def _below(hanging: list[tuple[int, Mark]], width: int) -> Iterator[Row]:
    """Texts under their marks, with bars that lead to those that are still to come."""
    if hanging:
        yield _bars(hanging)
    while hanging:
        start, mark = hanging.pop()
        row = _bars(hanging)
        bars = sum(len(text) for text, _ in row)
        room = min(cell_len(mark.text), _BELOW)
        column = max(min(start, width - room), bars + 1 if bars else 0)
        for line in wrap(mark.text, max(width - column, room)):
            yield [*row, (" " * (column - bars), ""), (line, mark.style)]


def _underlines(found: list[Mark], shown: Shown) -> Row:
    cells: dict[int, tuple[str, str]] = {}
    for mark in sorted(found, key=lambda mark: mark.sign == "^"):  # what matters most is drawn last
        start = shown.cells(mark.start)
        end = max(shown.cells(mark.end), start + 1)
        cells |= dict.fromkeys(range(start, end), (mark.sign, mark.style))
    return _row(cells)


def _bars(found: Iterable[tuple[int, Mark]]) -> Row:
    return _row({cell: ("|", mark.style) for cell, mark in found})


def _row(cells: dict[int, tuple[str, str]]) -> Row:
    """Single characters at cells, equal neighbours joined."""
    row: Row = []
    for cell in range(max(cells, default=-1) + 1):
        sign, style = cells.get(cell, (" ", ""))
        if row and row[-1][1] == style:
            row[-1] = (row[-1][0] + sign, style)
        else:
            row.append((sign, style))
    return row
