"""Steps that almost read as written: branches, statuses, cases, words of other languages."""

from difflib import get_close_matches

from dsl.parser.machine import virtual
from dsl.parser.mistakes.rule import Rule, misplaced_else
from dsl.parser.situation import Mistake, Repair, Situation
from dsl.parser.words import RESERVED, keywords, spelling
from dsl.source import Span

_WITH_BLOCK = {
    "IF": "if …",
    "ELSE": "else",
    "FOR": "for … in …",
    "FAT_ARROW": "… =>",
    "PARALLEL": "parallel { name",
}
_OTHERWISE = r"(?:_|default|otherwise)(?=\s*=>)"


_NO_NAMES = RESERVED | {"if", "for"}


def missing_value(s: Situation) -> Mistake | None:
    """`by with {…}`: where a value should stand, a word of the language reads as a name."""
    if s.after != "NAME" or s.last_text not in _NO_NAMES or not s.accepts("PLUS"):
        return None
    if s.last_text == "else" and s.found.type == "LBRACE":
        return misplaced_else(s, s.last)
    return s.mistake(f"expected a value before `{s.last_text}`", at=s.last)


def missing_result(s: Situation) -> Mistake | None:
    """`code(a) ```python`."""
    if s.found.type != "FENCE" or not s.accepts("COLON"):
        return None
    at = Span(s.start, s.start + len("```python"))
    notes = ("`code(a): text` gives text, `code(a): {soma: int}` a record; it is checked",)
    return s.mistake("`code` needs the type of its result before the code", at=at, notes=notes)


def else_if(s: Situation) -> Mistake | None:
    """`elif`, `elsif`, `elseif`."""
    if s.word not in {"elif", "elsif", "elseif"} or not s.accepts("ELSE"):
        return None
    at = Span(s.start, s.start + len(s.word))
    tokens = (
        virtual("ELSE", "else", at.start, at.end),
        virtual("IF", "if", at.end, at.end),
    )
    fix = s.fix("write `else if`", at, "else if")
    return s.mistake(f"`{s.word}` is written `else if`", at=at, fix=fix, repair=Repair(tokens, at.end))


def missing_status(s: Situation) -> Mistake | None:
    """`respond {…}`."""
    ends = s.ends_item or s.found.type in {"LBRACE", "RBRACE", "_ARROW"}
    if s.after != "RESPOND" or not ends:
        return None
    fix = s.fix("write `respond 200`", Span(s.last_end, s.last_end), " 200")
    repair = s.insert(("INT", "200"))
    return s.mistake("`respond` needs a status, such as 200", fix=fix, repair=repair)


def missing_fat_arrow(s: Situation) -> Mistake | None:
    """`"a" -> { … }`, `"a": { … }`, `"a" { … }` in a match."""
    if not s.accepts("FAT_ARROW"):
        return None
    sign = s.matches(r"->|:|=(?=\s*\{)|(?=\{)")
    if sign is None:
        return None
    at = Span(*sign.span())
    fix = s.fix("write `=>`", at, "=>" if sign[0] else "=> ")
    repair = s.replace("FAT_ARROW", sign.end(), "=>")
    message = "`=>` stands between a pattern and its steps"
    return s.mistake(message, at=at if sign[0] else None, fix=fix, repair=repair)


def other_default(s: Situation) -> Mistake | None:
    """`_ => { … }`, `default => { … }`."""
    word = s.matches(_OTHERWISE)
    if word is None or not s.accepts("ELSE"):
        return None
    at = Span(*word.span())
    fix = s.fix("write `else`", at, "else")
    message = f"what matches everything else is `else`, not `{word[0]}`"
    return s.mistake(message, at=at, fix=fix, repair=s.replace("ELSE", word.end(), "else"))


def of_for_in(s: Situation) -> Mistake | None:
    """`for x of xs`."""
    if s.word != "of" or not s.accepts("IN") or "FOR" not in s.in_step:
        return None
    at = Span(s.start, s.start + 2)
    repair = s.replace("IN", at.end, "in")
    return s.mistake("`for` goes with `in`", at=at, fix=s.fix("write `in`", at, "in"), repair=repair)


def missing_block(s: Situation) -> Mistake | None:
    """`if x -> …`: the steps of a block stand in braces."""
    if not s.accepts("LBRACE") or s.accepts("TRUE") or s.found.type not in {"_ARROW", "COLON"}:
        return None
    opener = next((kind for kind in reversed(s.in_step) if kind in _WITH_BLOCK), None)
    if opener is None:
        return None
    notes = (f"`{_WITH_BLOCK[opener]} {{ -> … }}`",)
    message = f"the steps after `{spelling(opener)}` stand in braces"
    at = s.last_end
    fix = s.fix("write `{`", Span(at, at), " {", "choose")
    only_opener = s.found.type == "_ARROW" and s.lacks("{", closer=False)
    repair = s.insert(("LBRACE", "{")) if only_opener else None
    return s.mistake(message, notes=notes, fix=fix, repair=repair)


def missing_with(s: Situation) -> Mistake | None:
    """`post "…" {…}`, and `find person {-> …}`: a record and a block need their words."""
    if s.found.type != "LBRACE":
        return None
    kind = "ELSE" if s.matches(r"\{\s*->") else "WITH"
    if not s.accepts(kind):
        return None
    word = spelling(kind)
    fix = s.fix(f"write `{word}`", Span(s.start, s.start), f"{word} ")
    repair = s.insert((kind, word))
    return s.mistake(f"expected `{word}` before `{{`", fix=fix, repair=repair)


def misspelt(s: Situation) -> Mistake | None:
    """A word that is nearly one that could stand here."""
    if s.found.type != "NAME" or len(s.word) < 3 or s.ends_item:
        return None
    known = [word for word, kind in keywords().items() if len(word) > 2 and s.accepts(kind)]
    near = get_close_matches(s.word.lower(), known, n=1, cutoff=0.75)
    if not near:
        return None
    at = Span(s.start, s.start + len(s.word))
    fix = s.fix(f"write `{near[0]}`", at, near[0])
    repair = s.replace(keywords()[near[0]], at.end, near[0])
    message = f"`{s.word}` is unknown here; did you mean `{near[0]}`?"
    return s.mistake(message, at=at, fix=fix, repair=repair)


RULES: tuple[Rule, ...] = (
    missing_value,
    missing_result,
    else_if,
    missing_status,
    missing_fat_arrow,
    other_default,
    of_for_in,
    missing_block,
    missing_with,
    misspelt,
)
