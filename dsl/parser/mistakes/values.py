"""Values as other languages write them."""

from dsl.build import FOREIGN
from dsl.parser.mistakes.rule import Rule
from dsl.parser.situation import Mistake, Situation
from dsl.source import Span

_UNITS = {
    "ms": "ms",
    "s": "s",
    "sec": "s",
    "second": "s",
    "seg": "s",
    "m": "m",
    "min": "m",
    "minute": "m",
    "minuto": "m",
    "h": "h",
    "hour": "h",
    "hora": "h",
    "d": "d",
    "day": "d",
    "dia": "d",
    "w": "w",
    "week": "w",
    "semana": "w",
    "kb": "kb",
    "mb": "mb",
}
_SIZES = frozenset({"kb", "mb"})


def single_equals(s: Situation) -> Mistake | None:
    """`if x = 1 { … }`."""
    if s.found.type not in {"EQUAL", "BIND"} or not s.matches(r"=(?![=>])") or not s.accepts("CMP"):
        return None
    fix = s.fix("write `==`", s.place(), "==")
    notes = ("one `=` gives a value a name: `-> nome = …`",)
    repair = s.replace("CMP", s.end, "==")
    return s.mistake("`==` compares, `=` does not", notes=notes, fix=fix, repair=repair)


def double_equals(s: Situation) -> Mistake | None:
    """`-> x == 1` as a step."""
    if s.found != "==" or s.in_step != ("NAME",):
        return None
    fix = s.fix("write `=`", s.place(), "=", "choose")
    notes = ("`==` compares, inside `if` and other values",)
    return s.mistake("a step that names a value has one `=`", notes=notes, fix=fix)


def chained_comparison(s: Situation) -> Mistake | None:
    """`1 < x < 9`."""
    if s.found.type != "CMP" or not s.accepts("AND") or s.accepts("CMP"):
        return None
    notes = ("`1 < x and x < 9` says it in two",)
    return s.mistake("comparisons do not chain", notes=notes)


def not_in(s: Situation) -> Mistake | None:
    """`x not in xs`."""
    if not s.matches(r"not\s+in\b") or not s.accepts("IN"):
        return None
    notes = ("write `not x in xs`",)
    at = Span(s.start, s.start + 3)
    return s.mistake("`not` stands before what it denies", at=at, notes=notes, repair=s.drop(at.end))


def conditional(s: Situation) -> Mistake | None:
    """`x ? a : b` and `x?.y`."""
    if s.found.type not in {"OPTIONAL", "COALESCE"} or not s.matches(r"\?(?!\?)"):
        return None
    if not s.accepts("PLUS"):
        return None
    if s.matches(r"\?\."):
        fix = s.fix("remove the `?`", s.place(), "")
        message = "`.` needs no `?`: a field of what is absent is absent"
        return s.mistake(message, fix=fix, repair=s.drop(s.end))
    notes = ("`x ?? y` is y where x is absent", "anything else is an `if` step")
    return s.mistake("there is no conditional value", notes=notes)


def foreign_literal(s: Situation) -> Mistake | None:
    """`null => { … }`: a pattern of another language."""
    word = FOREIGN.get(s.word)
    if word is None or not s.accepts(word.upper()):
        return None
    at = Span(s.start, s.start + len(s.word))
    fix = s.fix(f"write `{word}`", at, word)
    message = f"`{s.word}` is written `{word}`"
    return s.mistake(message, code="E108", at=at, fix=fix, repair=s.replace(word.upper(), at.end, word))


def spaced_duration(s: Situation) -> Mistake | None:
    """`2 h`, `2 hours`."""
    unit = _unit(s.word)
    if s.after != "INT" or not unit:
        return None
    at = s.last.to(Span(s.start, s.start + len(s.word)))
    written = f"{s.last_text}{unit}"
    fix = s.fix(f"write `{written}`", at, written)
    return s.mistake(f"a duration is written `{written}`", at=at, fix=fix)


def odd_number(s: Situation) -> Mistake | None:
    """`10min`, `5MB`, `2h30m`, `1_000`, `12abc`."""
    number = s.matches(r"([0-9]+)([\w.]*)")
    if number is None or s.found.type in {"INT", "DECIMAL", "DURATION", "SIZE"}:
        return None
    at = Span(*number.span())
    notes = ("durations: `90s` `5m` `2h` `3d` `1w` `200ms`, one unit each; sizes: `5mb`",)
    message = f"`{number[0]}` is neither number, duration nor size"
    unit = _unit(number[2].lower())
    if not unit:
        return s.mistake(message, at=at, notes=notes)
    written = f"{number[1]}{unit}"
    kind = "SIZE" if unit in _SIZES else "DURATION"
    fix = s.fix(f"write `{written}`", at, written)
    repair = s.replace(kind, number.end(), written) if s.accepts(kind) else None
    return s.mistake(message, at=at, notes=notes, fix=fix, repair=repair)


def _unit(word: str) -> str:
    """The unit that a word means, or nothing."""
    return _UNITS.get(word, _UNITS.get(word.removesuffix("s"), ""))


RULES: tuple[Rule, ...] = (
    single_equals,
    double_equals,
    chained_comparison,
    not_in,
    conditional,
    foreign_literal,
    spaced_duration,
    odd_number,
)
