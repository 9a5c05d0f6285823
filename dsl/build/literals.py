"""Numbers, durations, sizes and text."""

import re
from decimal import Decimal
from unicodedata import normalize

from dsl.build.reading import Part, Reading, as_token, span_of
from dsl.diagnostics import quoted
from dsl.nodes import (
    DecimalLit,
    DurationLit,
    Expr,
    FieldOf,
    Hole,
    Index,
    IntLit,
    Name,
    NameRef,
    Text,
)
from dsl.source import Span

MAX_INT = 2**63 - 1
MAX_DURATION = 36_500 * 86_400_000  # ms
MAX_DIGITS = 28
MAX_PATH = 64

# What other languages write for `none`, `true` and `false`.
FOREIGN = {
    "NULL": "none",
    "None": "none",
    "nil": "none",
    "null": "none",
    "undefined": "none",
    "FALSE": "false",
    "False": "false",
    "TRUE": "true",
    "True": "true",
}

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_BYTES = {"kb": 1024, "mb": 1024**2}
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}

_PIECE = re.compile(
    r"""(?P<chars>[^\\{}]+)
      | (?P<braces>\{\{|\}\})
      | (?P<hole>\{[^{}]*\})
      | (?P<code>\\u\{[^{}\\]*\})
      | (?P<escape>\\.)
      | (?P<stray>[{}])""",
    re.VERBOSE,
)
_PATH_STEP = re.compile(r"(?P<dot>\.)?(?P<name>[^\W\d][\w\u0300-\u036f]*)|\[(?P<index>[0-9]+)\]")


def integer(r: Reading, part: Part, *, negated: bool = False) -> int:
    """The value of an INT, or 0 and a problem if it does not fit 64 bits; one more fits after a minus."""
    digits = as_token(part).lstrip("0")
    most = MAX_INT + negated
    if len(digits) > len(str(most)) or int(digits or "0") > most:
        size, note = ("small", f"at least -{most}") if negated else ("large", f"at most {most}")
        r.report("E107", f"this number is too {size}", span_of(part), f"an integer is {note}")
        return 0
    return int(digits or "0")


def int_lit(r: Reading, part: Part, *, negated: bool = False) -> IntLit:
    """An integer literal; `negated` where a minus stands right before it."""
    return IntLit(span_of(part), integer(r, part, negated=negated))


def decimal_lit(r: Reading, part: Part) -> DecimalLit:
    """A decimal literal, exact."""
    text = str(as_token(part))
    if len(text.replace(".", "").lstrip("0")) > MAX_DIGITS or len(text) > 2 * MAX_DIGITS:
        _too_large(r, span_of(part), f"a decimal has at most {MAX_DIGITS} digits")
        text = "0"
    return DecimalLit(span_of(part), Decimal(text))


def duration(r: Reading, part: Part) -> DurationLit:
    """A duration such as `90s`."""
    text = str(as_token(part))
    digits = text.rstrip("mshdw")
    value = _scaled(r, part, digits, _UNITS[text[len(digits) :]])
    if value > MAX_DURATION:
        _too_large(r, span_of(part), "a duration has at most 36500 days")
        value = 0
    return DurationLit(span_of(part), value, text)


def size(r: Reading, part: Part) -> int:
    """A size such as `5mb`, in bytes."""
    text = str(as_token(part))
    return _scaled(r, part, text[:-2], _BYTES[text[-2:]])


def _scaled(r: Reading, part: Part, digits: str, unit: int) -> int:
    if len(digits) > len(str(MAX_INT)) or int(digits) * unit > MAX_INT:
        _too_large(r, span_of(part), "nothing this long or large can be counted")
        return 0
    return int(digits) * unit


def _too_large(r: Reading, span: Span, note: str) -> None:
    r.report("E107", "this number is too large", span, note)


def text(r: Reading, part: Part) -> Text:
    """Text in double quotes, its escapes resolved and its holes read."""
    whole = span_of(part)
    parts: list[str | Hole] = []
    for piece in _PIECE.finditer(r.source.text, whole.start + 1, whole.end - 1):
        read = _piece(r, piece)
        if isinstance(read, str) and parts and isinstance(parts[-1], str):
            parts[-1] += read
        else:
            parts.append(read)
    return Text(whole, tuple(parts))


def static_text(r: Reading, part: Part) -> Text:
    """Text that may not have holes, such as a key or a path."""
    read = text(r, part)
    for piece in read.parts:
        if isinstance(piece, Hole):
            note = "a brace that is meant is written twice: `{{` or `}}`"
            r.report("E106", "this text is fixed: it cannot have a hole", piece.span, note)
    return read


def _piece(r: Reading, piece: re.Match[str]) -> str | Hole:
    span = Span(*piece.span())
    match piece.lastgroup:
        case "chars":
            return piece[0]
        case "braces":
            return piece[0][0]
        case "hole":
            return _hole(r, span)
        case "code":
            return _code_point(r, span, piece[0][3:-1])
        case "escape" if piece[0][1] in _ESCAPES:
            return _ESCAPES[piece[0][1]]
        case "escape":
            _bad_escape(r, span, f"`{piece[0]}` is not an escape")
        case _:
            _stray_brace(r, span, piece[0])
    return ""


def _stray_brace(r: Reading, span: Span, brace: str) -> None:
    twice = r.edit(f"write `{brace * 2}`", span, brace * 2)
    r.report("E106", f"a `{brace}` in text is written `{brace * 2}`", span, fix=twice)


def _code_point(r: Reading, span: Span, digits: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{1,6}", digits):
        _bad_escape(r, span, "`\\u{…}` holds one to six hexadecimal digits")
        return ""
    value = int(digits, 16)
    if value > 0x10FFFF or 0xD800 <= value <= 0xDFFF:
        _bad_escape(r, span, f"there is no character {digits.upper()}")
        return ""
    return chr(value)


def _bad_escape(r: Reading, span: Span, message: str) -> None:
    r.report("E102", message, span, 'the escapes are `\\"` `\\\\` `\\n` `\\t` `\\u{1F600}`')


def _hole(r: Reading, span: Span) -> str | Hole:
    inside = r.source.text[span.start + 1 : span.end - 1]
    bare = inside.strip()
    start = span.start + 1 + inside.index(bare) if bare else span.start + 1
    path = _path(r, start, start + len(bare))
    if path is not None and bare == inside:
        return Hole(span, path)
    fix = None if path is None else r.edit(f"write `{{{bare}}}`", span, f"{{{bare}}}")
    note = "a hole is a path such as `{person.nome}`; anything longer gets a name in a step before"
    r.report("E106", f"{quoted(r.source.slice(span))} is not a path", span, note, fix=fix)
    return "" if path is None else Hole(span, path)


def _path(r: Reading, start: int, end: int) -> Expr | None:
    """The path that fills the text from start to end, if it is one."""
    path: Expr | None = None
    position, steps = start, 0
    while position < end:
        step = _PATH_STEP.match(r.source.text, position, end)
        if step is None or steps == MAX_PATH:
            return None
        path = _extend(path, start, step)
        if path is None:
            return None
        position, steps = step.end(), steps + 1
    return path


def _extend(path: Expr | None, start: int, step: re.Match[str]) -> Expr | None:
    """The path with one more step, if that step can follow."""
    whole = Span(start, step.end())
    if path is None:
        first = step["name"] is not None and step["dot"] is None
        return NameRef(whole, normalize("NFC", step["name"])) if first else None
    if step["index"] is not None:
        return _item(path, whole, step)
    if step["dot"] is None:
        return None
    field = Name(Span(step.start("name"), step.end()), normalize("NFC", step["name"]))
    return FieldOf(whole, path, field)


def _item(path: Expr, whole: Span, step: re.Match[str]) -> Index | None:
    digits = step["index"]
    if len(digits) >= len(str(MAX_INT)):
        return None
    return Index(whole, path, IntLit(Span(*step.span("index")), int(digits)))
