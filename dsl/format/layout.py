"""A layout and a width become text: each group takes one line where it fits, else one a part (after Oppen, Wadler)."""

from typing import NamedTuple

from dsl.format.doc import Block, Choice, Doc, Fork, Group, Indent, Line, Piece, Remark, Verbatim

WIDTH = 88
_STEP = 2
_BEFORE_REMARK = "  "


def render(doc: Doc) -> str:
    """The text of a layout."""
    printer = _Printer(doc)
    printer.run()
    return "".join(printer.out)


class _Task(NamedTuple):
    """Something to write: on one line, or with a line for each of its parts, which begin at a column."""

    doc: Doc
    indent: int = 0
    flat: bool = False


class _Printer:
    """Text so far, and a stack of what is still to be written."""

    def __init__(self, doc: Doc) -> None:
        self.out: list[str] = []
        self._todo = [_Task(doc)]
        self._column = 0

    def run(self) -> None:
        """Write all there is."""
        while self._todo:
            task = self._todo.pop()
            match task.doc:
                case Group():
                    self._todo.append(_Task(task.doc.inner, task.indent, self._is_flat(task.doc, task)))
                case Choice():
                    self._todo.append(self._chosen(task.doc, task))
                case str() | Line() | Fork() | Remark() | Verbatim():
                    self._put(task.doc, task)
                case _:
                    self._todo += _parts(task.doc, task)

    def _put(self, piece: Piece, task: _Task) -> None:
        match piece:
            case str():
                self._write(piece)
            case Fork():
                self._write(piece.flat if task.flat else piece.broken)
            case Line():
                self._end_line(piece, task)
            case Remark():
                self._trim()
                self.out.append(_BEFORE_REMARK + piece.text)
            case Verbatim():
                self._write(piece.text)
                self._column = len(piece.text) - piece.text.rindex("\n") - 1

    def _write(self, text: str) -> None:
        """Text within a line; the indentation comes with the first of it, so that no line ends in blanks."""
        if text:
            at_start = not self.out or self.out[-1].endswith("\n")
            self.out.append(" " * self._column + text if at_start else text)
            self._column += len(text)

    def _end_line(self, line: Line, task: _Task) -> None:
        if task.flat and line.flat is not None:
            self._write(line.flat)
            return
        self._trim()
        self.out.append("\n\n" if line.blank else "\n")
        self._column = task.indent

    def _trim(self) -> None:
        """Take back the spaces at the end of the line."""
        while self.out:
            kept = self.out.pop().rstrip(" ")
            if kept:
                self.out.append(kept)
                break

    def _is_flat(self, group: Group, task: _Task) -> bool:
        if group.broken:
            return False
        return task.flat or self._fits(_Task(group.inner, task.indent, flat=True))

    def _chosen(self, choice: Choice, task: _Task) -> _Task:
        layouts = (_Task(layout, task.indent, flat=True) for layout in choice.layouts)
        fitting = (layout for layout in layouts if task.flat or self._fits(layout))
        return next(fitting, _Task(choice.broken, task.indent))

    def _fits(self, first: _Task) -> bool:
        """Whether the line stays within the width up to the next place where it may end."""
        room = WIDTH - self._column
        rest = len(self._todo)
        todo = [first]
        while room >= 0:
            if not todo:
                if not rest:
                    break
                rest -= 1
                todo.append(self._todo[rest])
            task = todo.pop()
            match task.doc:
                case str() | Line() | Fork() | Remark() | Verbatim():
                    width, goes_on = _measured(task.doc, task)
                    room -= width
                    if not goes_on:
                        break
                case _:
                    todo += _looked_into(task.doc, task)
        return room >= 0


def _measured(piece: Piece, task: _Task) -> tuple[int, bool]:
    """What a piece takes of its line, and whether the line goes on after it."""
    match piece:
        case str():
            return len(piece), True
        case Fork():
            return len(piece.flat if task.flat else piece.broken), True
        case Line():
            goes_on = task.flat and piece.flat is not None
            return len(piece.flat or "") if goes_on else 0, goes_on
        case Remark():
            return 0, False
        case Verbatim():
            return piece.text.index("\n"), False


def _looked_into(doc: "tuple[Doc, ...] | Indent | Group | Choice | Block", task: _Task) -> list[_Task]:
    """What something is made of, last part first, if no more of it has to break than must."""
    match doc:
        case Group():
            return [_Task(doc.inner, task.indent, task.flat and not doc.broken)]
        case Choice():
            return [_Task(doc.layouts[0] if task.flat else doc.broken, task.indent, task.flat)]
        case _:
            return _parts(doc, task)


def _parts(doc: "tuple[Doc, ...] | Indent | Block", task: _Task) -> list[_Task]:
    match doc:
        case tuple():
            return [_Task(part, task.indent, task.flat) for part in reversed(doc)]
        case Indent():
            return [_Task(doc.inner, task.indent + _STEP, task.flat)]
        case Block():
            return [_Task(doc.inner, task.indent)]
