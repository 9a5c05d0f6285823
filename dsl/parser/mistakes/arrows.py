"""Arrows that are missing, doubled or drawn otherwise, and what cannot follow one."""

from dsl.parser.mistakes.rule import Rule
from dsl.parser.situation import Mistake, Situation
from dsl.parser.words import CLAUSES, RESERVED, TOP
from dsl.source import Span

_OTHER_ARROW = r"(?:=+>|[→⇒➔➜]|[\u2013\u2014\u2212-]+[ \t]*>|~>|\|>|>+)(?=\s*[^\W\d])"
_ENDS_STEP = frozenset({"RPAR", "RBRACE", "STRING", "FENCE", "RSQB"})


def begins_with_reserved_word(s: Situation) -> Mistake | None:
    """`-> by x`, `-> else { … }`, `-> flow`: these words read as verbs, and never are."""
    if s.after != "_ARROW" or s.found.type != "NAME" or s.word not in RESERVED:
        return None
    arrow = s.last
    if s.word == "else":
        notes = ("`else` follows the `}` of its `if`, or the step whose failure it handles",)
    elif s.word in CLAUSES:
        notes = (f"`{s.word} …` belongs to the step before it",)
    elif s.word in TOP:
        return s.mistake(f"a step cannot begin with `{s.word}`")
    else:
        return s.mistake(f"a step cannot begin with `{s.word}`")
    fix = s.fix("remove the `->`", Span(arrow.start, s.start), "")
    message = f"`{s.word}` has no `->` before it"
    return s.mistake(message, at=Span(arrow.start, s.end), notes=notes, fix=fix)


def other_arrow(s: Situation) -> Mistake | None:
    """`=>`, `>`, `→` and others for `->`."""
    arrow = s.matches(_OTHER_ARROW)
    if arrow is None or arrow[0] == "->" or not s.accepts("_ARROW"):
        return None
    at = Span(*arrow.span())
    fix = s.fix("write `->`", at, "->")
    repair = s.replace("_ARROW", arrow.end(), "->")
    return s.mistake(f"a step begins with `->`, not `{arrow[0]}`", at=at, fix=fix, repair=repair)


def missing_arrow(s: Situation) -> Mistake | None:
    """A step that begins without one."""
    if not s.word or s.word in RESERVED or s.ends_item or not s.accepts("_ARROW"):
        return None
    if s.matches(rf"{s.word}\s*[:{{]") and s.word != "parallel":
        return None
    call_like = s.matches(rf"{s.word}\s*\(")
    if not (s.first_on_line or call_like or s.after in _ENDS_STEP):
        return None
    at = Span(s.start, s.start + len(s.word))
    fix = s.fix(f"write `-> {s.word}`", Span(s.start, s.start), "-> ")
    repair = s.insert(("_ARROW", "->"))
    message = f"expected `->` before `{s.word}`"
    return s.mistake(message, at=at, label="a step begins here", fix=fix, repair=repair)


def doubled_arrow(s: Situation) -> Mistake | None:
    """`-> ->`."""
    if s.after != "_ARROW" or s.found.type != "_ARROW":
        return None
    fix = s.fix("remove one", s.place(), "")
    return s.mistake("no step stands between these arrows", fix=fix, repair=s.drop(s.end))


def missing_step(s: Situation) -> Mistake | None:
    """An arrow after which the chain ends."""
    if s.after != "_ARROW" or not (s.ends_item or s.found.type in {"RBRACE", "ON_ERROR"}):
        return None
    return s.mistake("no step follows this `->`", at=s.last)


RULES: tuple[Rule, ...] = (other_arrow, missing_arrow, doubled_arrow, missing_step)
