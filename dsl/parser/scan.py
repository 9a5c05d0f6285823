"""Text without its grammar: comments, brackets, arrows and words, also where nothing can be parsed."""

import re
from collections.abc import Iterator
from itertools import islice
from unicodedata import normalize

from dsl.nodes import Comment
from dsl.source import Source, Span

NAME = r"[^\W\d][\w\u0300-\u036f]*"

_PIECE = re.compile(
    rf"""(?P<fence>```python[ \t]*\n(?:(?![ \t]*```)[^\n]*\n)*[ \t]*```)
      | (?P<text>"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"?)
      | (?P<comment>\#[^\n]*)
      | (?P<arrow>->)
      | (?P<open>[(\[{{])
      | (?P<close>[)\]}}])
      | (?P<word>{NAME})
      | (?P<number>[0-9]+)
      | (?P<other>[^\s])""",
    re.VERBOSE,
)
PARTNERS = {"(": ")", "[": "]", "{": "}"}
_AHEAD = 5_000  # looking further would make many problems in a long file slow
_TOP = re.compile(r"(?:flow|on|def|type|test|lang)\b(?!\s*:)")
_TOP_SURELY = re.compile(
    rf'flow\s+{NAME}\s+on\b|on\s+(?:webhook|error)\b|def\s+{NAME}\s*\(|type\s+{NAME}\s*=|test\s+"|lang\s+\d'
)


def pieces(text: str, start: int = 0) -> Iterator[re.Match[str]]:
    """Everything but blanks, from a place that is not inside text, comment or code."""
    return _PIECE.finditer(text, start)


def starts_item(text: str, offset: int, *, surely: bool = False) -> bool:
    """Whether a top-level word stands there in column 1; surely, if nothing else could look like it."""
    in_first_column = offset == 0 or text[offset - 1] == "\n"
    return in_first_column and bool((_TOP_SURELY if surely else _TOP).match(text, offset))


def first_on_line(text: str, offset: int) -> bool:
    """Whether only blanks stand before an offset on its line."""
    while offset and text[offset - 1] in " \t":
        offset -= 1
    return offset == 0 or text[offset - 1] == "\n"


def unmatched(text: str, start: int) -> list[str]:
    """The closing brackets between here and the next item that nothing opens on the way."""
    found: list[str] = []
    awaited: list[str] = []
    for piece in islice(pieces(text, start), _AHEAD):
        if piece.lastgroup == "word" and starts_item(text, piece.start()):
            break
        if piece.lastgroup == "open":
            awaited.append(PARTNERS[piece[0]])
        elif piece.lastgroup == "close" and piece[0] in awaited:
            while awaited.pop() != piece[0]:
                pass
        elif piece.lastgroup == "close":
            found.append(piece[0])
    return found


def comments(text: str) -> tuple[Comment, ...]:
    """All comments of a file that parses."""
    found = (piece for piece in pieces(text) if piece.lastgroup == "comment")
    return tuple(Comment(Span(*piece.span()), piece[0]) for piece in found)


def docs(source: Source, found: tuple[Comment, ...]) -> dict[int, str]:
    """What each run of comments on lines of their own documents with `##`, by where the run's last word ends."""
    by_end: dict[int, str] = {}
    lines: list[str] = []
    end = 0
    for comment in found:
        before = source.text[end : comment.span.start]
        if before.strip():
            lines = []
        if _is_doc(comment.text) and first_on_line(source.text, comment.span.start):
            lines.append(comment.text[2:].removeprefix(" ").rstrip())
        end = comment.span.end
        if lines:
            by_end[comment.span.start + len(comment.text.rstrip())] = "\n".join(lines)
    return by_end


def _is_doc(comment: str) -> bool:
    return comment.startswith("##") and not comment.startswith("###")


def names(text: str, span: Span) -> set[str]:
    """The identifiers under a span, also those in the holes of text."""
    found = (piece[0] for piece in pieces(text[: span.end], span.start) if piece.lastgroup != "comment")
    return {normalize("NFC", word) for piece in found for word in re.findall(NAME, piece)}
