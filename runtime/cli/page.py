"""Pages for people: sentences wrapped, code as it is; on a terminal nothing runs over its edge."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from dsl.render import wrap
from runtime.cli import terminal

_WIDEST: Final = 100
_HANGING: Final = 4


def width(to: Console) -> int:
    """How wide a sentence may be."""
    return min(to.width, _WIDEST)


def title(to: Console, text: str) -> None:
    """A line that begins a part of a page."""
    to.print()
    to.print(terminal.styled(text, "bold"))


def prose(to: Console, text: str, indent: int = 0, style: str = "") -> None:
    """Paragraphs: those that are indented are code, and stay as they are."""
    for number, paragraph in enumerate(re.split(r"\n{2,}", text.strip("\n"))):
        if number:
            to.print()
        if paragraph.startswith("    "):
            program(to, (line[4:] for line in paragraph.splitlines()))
            continue
        for line in wrap(" ".join(paragraph.split()), width(to) - indent):
            to.print(terminal.styled(" " * indent + line, style), soft_wrap=True)


def program(to: Console, lines: Iterable[str]) -> None:
    """Lines of code, set apart; on a terminal a long one is cut."""
    for line in lines:
        text = terminal.styled(" " * _HANGING + line, "dim")
        text.truncate(to.width, overflow="ellipsis")
        to.print(text, soft_wrap=True)


def code(to: Console, text: Text) -> None:
    """Code of which nothing may be missing: what does not fit goes on in the next line, further to the right."""
    for line in text.split("\n", allow_blank=True):
        indent = len(line.plain) - len(line.plain.lstrip(" "))
        room = max(to.width - indent - _HANGING, _HANGING)
        for number, part in enumerate(line[indent:].wrap(to, room) or [Text()]):
            part.rstrip()
            to.print(Text(" " * (indent + _HANGING * bool(number))) + part, soft_wrap=True)


def rows(to: Console, lines: Sequence[tuple[str, str]], style: str = "") -> None:
    """Names, each with what is to be said of it, in two columns; what is said is wrapped."""
    column = max((cell_len(name) for name, _ in lines), default=0) + _HANGING
    for name, said in lines:
        first, *rest = wrap(" ".join(said.split()), max(width(to) - column - 2, _HANGING))
        head = terminal.clean(name) + " " * (column - cell_len(name)) if first else terminal.clean(name)
        to.print(Text.assemble(f"  {head}", (terminal.clean(first), style)), soft_wrap=True)
        for line in rest:
            to.print(terminal.styled(" " * (column + 2) + line, style), soft_wrap=True)
