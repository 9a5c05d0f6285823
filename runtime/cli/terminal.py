"""Printing for people: colours on a terminal, plain and uncut text into a pipe, and nothing that steers either."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.table import Table
from rich.text import Text

_PIPE_WIDTH: Final = 100_000  # a pipe has no edge

_JOINER: Final = "\u200d"  # stands inside emoji

STATE_STYLES: Final = {
    "accepted": "cyan",
    "running": "blue",
    "waiting": "yellow",
    "parked": "bold magenta",
    "dead": "bold red",
    "done": "green",
    "stopped": "green",
    "cancelled": "dim",
}


def console(color: str) -> Console:
    """Make a console for standard output."""
    asked = {"always": True, "never": False}.get(color)
    terminal = sys.stdout.isatty()
    return Console(
        force_terminal=asked,
        no_color=None if asked is None else not asked,
        color_system="standard" if asked and not terminal else "auto",
        width=None if terminal else _PIPE_WIDTH,
        highlight=False,
        soft_wrap=not terminal,
    )


def clean(text: str) -> str:
    """Replace what a terminal would obey: text of strangers must not move the cursor or name a colour."""
    return "".join(one if one.isprintable() or one == _JOINER else _escape(one) for one in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def styled(text: str, style: str = "") -> Text:
    """Make text that rich prints as it is."""
    return Text(clean(text), style)


def text_block(text: str, indent: str = "") -> Text:
    """Make several lines that rich prints as they are."""
    return Text("\n".join(indent + clean(line) for line in text.rstrip("\n").split("\n")))


def show_table(to: Console, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """Print rows under headings; the first column is never cut, and a pipe gets no spaces that only fill a line."""
    box = SIMPLE_HEAD if to.is_terminal else None
    laid_out = Table(box=box, pad_edge=False, show_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        laid_out.add_column(column, no_wrap=number == 0, overflow="fold")
    for row in rows:
        laid_out.add_row(*row)
    if to.is_terminal:
        to.print(laid_out)
        return
    with to.capture() as captured:
        to.print(laid_out)
    for line in captured.get().splitlines():
        to.out(line.rstrip(), highlight=False)


def show_facts(to: Console, facts: Iterable[tuple[str, str | None]]) -> None:
    """Print names, each with a value; those without one are left out."""
    for name, value in facts:
        if value:
            to.print(Text.assemble((f"  {name:<8} ", "dim"), clean(value)), soft_wrap=True)


def show_value(to: Console, title: str, raw: msgspec.Raw) -> None:
    """Print a JSON value laid out under a title, unless it is null."""
    if bytes(raw) == b"null":
        return
    to.print()
    to.print(styled(title, "bold"))
    text = text_block(msgspec.json.format(bytes(raw)).decode(), indent="  ")
    JSONHighlighter().highlight(text)
    to.print(text, soft_wrap=True)


def show_json(document: msgspec.Struct) -> None:
    """Print a document for scripts."""
    sys.stdout.write(msgspec.json.Encoder(decimal_format="number").encode(document).decode() + "\n")


def show_document(document: Mapping[str, Any]) -> None:
    """Print a document that people read too."""
    encoded = msgspec.json.Encoder(decimal_format="number").encode(document)
    sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")


_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


def age(instant: str, now: datetime) -> str:
    """Say how long ago an instant (RFC 3339) was."""
    seconds = (now - datetime.fromisoformat(instant)).total_seconds()
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return f"{max(0.0, seconds):.0f} s ago"


def instant(text: str, now: datetime) -> str:
    """An instant (RFC 3339) and how long ago it was."""
    return f"{text} ({age(text, now)})"


def now() -> datetime:
    """Give this instant."""
    return datetime.now(UTC)


def before_now(milliseconds: int | None) -> int | None:
    """The instant that was so long ago, in ms since the Unix epoch."""
    return None if milliseconds is None else max(1, int(now().timestamp() * 1000) - milliseconds)


def show_rows(color: str, columns: Sequence[str], rows: Sequence[Sequence[Text]], nothing: str) -> None:
    """Print a table, or say that there is nothing to print."""
    to = console(color)
    if rows:
        show_table(to, columns, rows)
    else:
        to.out(nothing, highlight=False)
