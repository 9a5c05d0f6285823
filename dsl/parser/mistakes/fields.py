"""Fields of payloads, types, records and calls, as other languages write them."""

import re

from dsl.parser.mistakes.rule import Rule
from dsl.parser.scan import NAME
from dsl.parser.situation import Mistake, Repair, Situation
from dsl.source import Span


def json_key(s: Situation) -> Mistake | None:
    """`"utm-source": text` in a payload: a key in quotes has no name yet."""
    if s.after != "STRING" or s.found.type != "COLON" or not s.accepts("AS"):
        return None
    key = s.last_text[1:-1]
    word = _identifier(key)
    written = word if key == word else f"{s.last_text} as {word}"
    return s.mistake(
        "a key in quotes needs a name: `as`",
        at=s.last,
        notes=("the flow uses the name, the JSON has the key",),
        fix=s.fix(f"write `{written}`", s.last, written),
        repair=s.insert(("AS", "as"), ("FIELD", word)),
    )


def _awaits_declaration(s: Situation) -> bool:
    """Whether a field with its type could stand here, and nothing else that begins with a name."""
    return s.accepts("FIELD") and not s.accepts("NAME")


def _identifier(key: str) -> str:
    word = re.sub(r"\W+", "_", key).strip("_")
    return word if re.fullmatch(NAME, word) else f"field_{word}".rstrip("_")


def missing_colon(s: Situation) -> Mistake | None:
    """`{nome text}`, `{nome = text}`."""
    if s.ends_item or not _awaits_declaration(s):
        return None
    field = s.matches(rf"({NAME})(?:\s*=(?!=)|[ \t]+(?={NAME}\b(?!\s*:)|[\[\"]))")
    if field is None:
        return None
    end = s.start + len(field[1])
    sign = Span(end, field.end()) if field[0].endswith("=") else Span(end, end)
    return s.mistake(
        f"expected `:` after the field `{field[1]}`",
        at=Span(s.start, end),
        fix=s.fix("write `:`", sign, ":"),
        repair=s.replace("FIELD", end, field[1]).then(s.colon(sign.end)),
    )


def optional_name(s: Situation) -> Mistake | None:
    """`nome?: text`."""
    field = s.matches(rf"({NAME})\?\s*:")
    if field is None or not s.accepts("FIELD"):
        return None
    end = s.start + len(field[1])
    repair = s.replace("FIELD", end, field[1]).then(s.colon(field.end()))
    notes = (f"`{field[1]}: text?` may be absent",)
    at = Span(end, end + 1)
    return s.mistake("the `?` of a field follows its type", at=at, notes=notes, repair=repair)


def missing_type(s: Situation) -> Mistake | None:
    """`{nome, email}` where fields are declared."""
    field = s.matches(rf"({NAME})\s*(?:,|(?=}}))")
    if field is None or s.ends_item or not _awaits_declaration(s):
        return None
    at = Span(*field.span(1))
    notes = (f"`{field[1]}: text`, or `{field[1]}: text?` where it may be absent",)
    repair = Repair((), field.end(), lost=at)
    return s.mistake(f"the field `{field[1]}` has no type", at=at, notes=notes, repair=repair)


def list_suffix(s: Situation) -> Mistake | None:
    """`text[]`."""
    suffix = s.matches(r"\[\s*\]")
    if suffix is None or s.after != "NAME" or not s.accepts("OPTIONAL"):
        return None
    at = s.last.to(Span(*suffix.span()))
    fix = s.fix(f"write `[{s.last_text}]`", at, f"[{s.last_text}]")
    message = f"a list of `{s.last_text}` is written `[{s.last_text}]`"
    return s.mistake(message, at=at, fix=fix, repair=s.drop(suffix.end()))


def union(s: Situation) -> Mistake | None:
    """`text | null`, `int | text`."""
    other = s.matches(rf"\|\s*({NAME})")
    if other is None or s.after not in {"NAME", "RPAR", "RSQB", "RBRACE"}:
        return None
    if not s.accepts("OPTIONAL"):
        return None
    at = Span(*other.span())
    if other[1] in {"null", "none", "None", "nil", "undefined"}:
        fix = s.fix("write `?`", Span(s.last_end, other.end()), "?")
        message = "a type that may be absent ends in `?`"
        return s.mistake(message, at=at, fix=fix, repair=s.replace("OPTIONAL", other.end(), "?"))
    notes = ('`"a" | "b"` lists texts; any other mixture is `json`',)
    return s.mistake("`|` stands only between texts", at=at, notes=notes, repair=s.drop(other.end()))


def equals_in_record(s: Situation) -> Mistake | None:
    """`{nome = nome}`, `f(region = "BR")`, `{nome = text}`."""
    if s.found.type != "EQUAL" or s.after != "NAME" or s.bracket is None:
        return None
    if not _begins_entry(s):
        return None
    fix = s.fix(f"write `{s.last_text}:`", Span(s.last_end, s.end), ":")
    return s.mistake("`:` gives a field or an argument its value, `=` does not", fix=fix)


def missing_colon_in_record(s: Situation) -> Mistake | None:
    """`{valor 10}`."""
    begins_value = s.found.type in {"NAME", "STRING", "INT", "DECIMAL", "LBRACE", "LSQB"}
    if s.after != "NAME" or not begins_value or s.first_on_line or not s.accepts("COMMA"):
        return None
    if s.bracket != "{" or not _begins_entry(s):
        return None
    at = Span(s.last_end, s.last_end)
    fix = s.fix("write `:`", at, ":")
    return s.mistake(f"expected `:` after the field `{s.last_text}`", at=s.last, fix=fix)


def _begins_entry(s: Situation) -> bool:
    """Whether the name before stands right after an opening bracket or a comma."""
    before = s.source.text[: s.last.start].rstrip()
    return before.endswith(("{", "(", ","))


RULES: tuple[Rule, ...] = (
    json_key,
    optional_name,
    missing_colon,
    missing_type,
    list_suffix,
    union,
    equals_in_record,
    missing_colon_in_record,
)
