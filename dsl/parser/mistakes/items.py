"""How flows and other declarations begin."""

import re

from dsl.parser.mistakes.rule import Rule
from dsl.parser.scan import NAME
from dsl.parser.situation import Mistake, Repair, Situation
from dsl.parser.words import TOP, TRIGGER_CLAUSES
from dsl.source import Span

_NOTE = "`on webhook -> step -> step` is a whole flow"


def missing_trigger(s: Situation) -> Mistake | None:
    """Steps or a payload without `on webhook` before them."""
    webhook = ("NAME", "webhook")
    tokens = (webhook,) if s.after == "ON" else (("ON", "on"), webhook)
    kinds = [kind for kind, _ in tokens]
    elsewhere = s.accepts("_ARROW") or s.found.type == "NAME" or s.ends_item
    if elsewhere or not s.machine.accepts_all(*kinds, s.found.type):
        return None
    return _begin_flow(s, " ".join(text for _, text in tokens), s.insert(*tokens))


def missing_beginning(s: Situation) -> Mistake | None:
    """`format_phone(telefone) -> …` right away."""
    if s.found.type != "NAME" or not s.accepts("ON", "FLOW") or s.accepts("_ARROW"):
        return None
    if not s.matches(rf"{NAME}\s*\(|[^\n]*->"):
        return None
    repair = s.insert(("ON", "on"), ("NAME", "webhook"), ("_ARROW", "->"))
    return _begin_flow(s, "on webhook ->", repair)


def _begin_flow(s: Situation, text: str, repair: Repair) -> Mistake:
    fix = s.fix(f"write `{text}`", Span(s.start, s.start), f"{text} ")
    return s.mistake("a flow begins with `on webhook`", notes=(_NOTE,), fix=fix, repair=repair)


def missing_on(s: Situation) -> Mistake | None:
    """`webhook -> …`."""
    if s.word != "webhook" or not s.accepts("ON"):
        return None
    if s.in_step[-2:] == ("FLOW", "NAME") and s.last_text == "on":
        fix, message = None, "expected a name between `flow` and `on`"
    else:
        fix = s.fix("write `on webhook`", Span(s.start, s.start), "on ")
        message = "expected `on` before `webhook`"
    return s.mistake(message, fix=fix, repair=s.insert(("ON", "on")))


def unknown_trigger(s: Situation) -> Mistake | None:
    """`on schedule`, `on error` without a flow: only a webhook starts one."""
    if s.after != "ON" or s.found.type != "NAME":
        return None
    if s.word == "error":
        notes = ("`on error` follows the steps of a flow, once",)
        message = "this `on error` belongs to no flow"
        return s.mistake(message, code="E109", at=s.last.to(s.place()), notes=notes)
    doubled = s.matches(rf"{s.word}\s+(?=webhook\b)")
    return s.mistake(
        f"nothing called `{s.word}` starts a flow",
        code="E109",
        fix=None if doubled else s.fix("write `webhook`", s.place(), "webhook"),
        repair=s.drop(doubled.end()) if doubled else s.replace("NAME", s.end, "webhook"),
    )


def misplaced_edition(s: Situation) -> Mistake | None:
    """`lang 1` after something else."""
    edition = s.matches(r"lang\s+[0-9]+")
    if edition is None or s.found.type != "LANG" or s.bracket is not None:
        return None
    at = Span(*edition.span())
    return s.mistake("`lang` is the first line of a file", at=at, repair=s.drop(edition.end()))


def clause_after_payload(s: Situation) -> Mistake | None:
    """`on webhook {…} limit 5mb`."""
    if s.word not in TRIGGER_CLAUSES or s.after != "RBRACE" or "ON" not in s.in_step:
        return None
    notes = (f"write `on webhook {s.word} … {{…}}`: what is said of the webhook comes first",)
    rest = s.matches(r"[^\n]*?(?=\s*(?:->|\n|$))")
    message = f"`{s.word}` stands before the payload type"
    return s.mistake(message, notes=notes, repair=s.drop(rest.end()) if rest else None)


def second_handler(s: Situation) -> Mistake | None:
    """`on error` after `on error`."""
    if s.found.type != "ON_ERROR" or s.bracket is not None:
        return None
    notes = ("every failure of the flow that no `else` handles comes to it",)
    return s.mistake("a flow has one `on error`, at its end", code="E109", notes=notes)


def hyphenated_name(s: Situation) -> Mistake | None:
    """`flow minha-flow`."""
    rest = s.matches(r"-(?=[\w])[\w-]*")
    if rest is None or s.after != "NAME" or s.last_end != s.start or s.accepts("MINUS"):
        return None
    written = s.source.text[s.last.start : rest.end()]
    at = Span(s.last.start, rest.end())
    good = written.replace("-", "_")
    fix = s.fix(f"write `{good}`", at, good)
    notes = ("a name has letters, digits and `_`",)
    message = f"`{written}` is no name"
    return s.mistake(message, at=at, notes=notes, fix=fix, repair=s.drop(rest.end()))


def quoted_name(s: Situation) -> Mistake | None:
    """`flow "retomada"`."""
    name = s.matches(rf'"({NAME})"')
    if name is None or not s.accepts("NAME") or s.accepts("STRING") or s.accepts("TRUE"):
        return None
    fix = s.fix(f"write `{name[1]}`", s.place(), name[1])
    repair = s.replace("NAME", name.end(), name[1])
    return s.mistake("a name has no quotes", fix=fix, repair=repair)


_BEFORE_A_VALUE = re.compile(r"\b(?:stop|respond[ \t]+[0-9]+)[ \t]+$")


def top_word_as_value(s: Situation) -> Mistake | None:
    """`stop type` before the next flow: where a value may be left out, such a word begins an item."""
    if s.last_text not in TOP or not _BEFORE_A_VALUE.search(s.source.text, max(0, s.last.start - 40), s.last.start):
        return None
    fix = s.fix(f"write `({s.last_text})`", s.last, f"({s.last_text})")
    notes = ("after `stop` and `respond`, whose value may be left out, it begins the next item of the file",)
    return s.mistake(f"`{s.last_text}` is no value here", at=s.last, notes=notes, fix=fix)


RULES: tuple[Rule, ...] = (
    top_word_as_value,
    unknown_trigger,
    missing_trigger,
    missing_on,
    missing_beginning,
    misplaced_edition,
    clause_after_payload,
    second_handler,
    hyphenated_name,
    quoted_name,
)
