"""What a file may be at all, before its grammar is asked."""

import re
from unicodedata import name

from dsl.diagnostics import Diagnostic, Edit, Fix, Label
from dsl.parser.scan import pieces, starts_item
from dsl.source import Source, Span

MAX_BYTES = 1024**2
MAX_STEPS = 10_000
MAX_BRACKETS = 64
MAX_PIECES = 200_000
MAX_PIECES_OF_A_STEP = 10_000

# Controls but tab and line feed, other line ends than that, what turns the direction of writing, half characters.
_UNFIT = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_source(path_shown: str, data: bytes) -> Source | Diagnostic:
    """The text of a file, or why it is none; whether it is too much to be parsed, `parse` says."""
    if len(data) > MAX_BYTES:
        return _too_large(Source(path_shown, ""))
    try:
        source = Source(path_shown, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        return _not_utf8(path_shown, data, error.start)
    return _unfit_character(source) or source


def unfit(source: Source) -> Diagnostic | None:
    """Why a file cannot be parsed: it is too large, too deep or holds what cannot be text."""
    if len(source.text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return _too_large(source)
    return _unfit_character(source) or (None if _is_small(source.text) else _too_much(source))


def _too_large(source: Source) -> Diagnostic:
    notes = ("a file has at most 1 MB (1,048,576 bytes)", "a folder may hold any number of files")
    return Diagnostic("E105", "this file is too large", Label(source, Span(0, 0)), notes=notes)


def _not_utf8(path_shown: str, data: bytes, at: int) -> Diagnostic:
    source = Source(path_shown, data.decode("utf-8", "replace"))
    start = len(Source(path_shown, data[:at].decode("utf-8")).text)
    hint = "it looks like UTF-16" if data.startswith(_UTF16_MARKS) else "save the file as UTF-8"
    label = Label(source, Span(start, start + 1), f"byte 0x{data[at]:02X}")
    return Diagnostic("E104", "this file is not UTF-8", label, notes=(hint,))


def _unfit_character(source: Source) -> Diagnostic | None:
    found = _UNFIT.search(source.text)
    if found is None:
        return None
    span, code = Span(*found.span()), f"U+{ord(found[0]):04X}"
    called = name(found[0], "a control character").lower().replace("-", " ")
    fix = Fix("remove it", "choose", (Edit(source, span, ""),))
    notes = (f"inside text, `\\u{{{ord(found[0]):X}}}` names it openly",)
    label = Label(source, span, called)
    return Diagnostic("E104", f"the character {code} cannot stand in a file", label, (), notes, (fix,))


_LONG_NAME = re.compile(r"[^\W\d][\w\u0300-\u036f]{200,}")


def _too_much(source: Source) -> Diagnostic | None:
    """Cheap bounds on what the parser is given; what it finds too deep later is within them."""
    steps = depth = in_step = total = 0
    for piece in pieces(source.text):
        weight = _weight(piece)
        total, in_step = total + max(weight, 1), in_step + weight
        match piece.lastgroup:
            case "arrow":
                steps, in_step = steps + 1, 0
            case "open":
                depth += 1
            case "close":
                depth = max(depth - 1, 0)
            case "word" if (long := _LONG_NAME.match(source.text, piece.start())) is not None:
                return Diagnostic("E105", "this name is too long", Label(source, Span(*long.span()), "200 at most"))
            case "word" if starts_item(source.text, piece.start()):
                depth = in_step = 0
        message = _beyond(steps, depth, in_step, total)
        if message:
            return Diagnostic("E105", message, Label(source, Span(*piece.span())))
    return None


def _is_small(text: str) -> bool:
    """Whether nothing can be too much, whatever stands there: no piece weighs more than it is long."""
    few = len(text) <= MAX_PIECES_OF_A_STEP and sum(map(text.count, "([{")) <= MAX_BRACKETS
    return few and _LONG_NAME.search(text) is None


def _weight(piece: re.Match[str]) -> int:
    """How much of a step it is: comments are none, each hole in a text is some."""
    if piece.lastgroup == "text":
        return 1 + piece[0].count("{")
    return 0 if piece.lastgroup == "comment" else 1


def _beyond(steps: int, depth: int, in_step: int, total: int) -> str:
    if steps > MAX_STEPS:
        return f"this file has more than {MAX_STEPS:,} steps"
    if depth > MAX_BRACKETS:
        return f"brackets nest more than {MAX_BRACKETS} deep here"
    if in_step > MAX_PIECES_OF_A_STEP:
        return f"more than {MAX_PIECES_OF_A_STEP:,} words and signs stand between two steps"
    return f"this file has more than {MAX_PIECES:,} words and signs" if total > MAX_PIECES else ""
