"""Quotes, code fences, and characters that the language does not have."""

import re
from unicodedata import category, name

from dsl.parser.machine import BAD
from dsl.parser.mistakes.rule import Rule
from dsl.parser.situation import Mistake, Situation
from dsl.source import Span

_OTHER_QUOTES = "'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
_QUOTED = rf"""(?P<plain>['`])(?P<a>[^\n'`"]*)(?P=plain)|[^'`](?P<b>[^\n"{_OTHER_QUOTES}]*)["{_OTHER_QUOTES}]"""
_DOUBLE = 'text stands in double quotes: `"`'
_FENCED = r"```[^\n]*\n(?:(?![ \t]*```)[^\n]*\n)*[ \t]*```"
_SIGNS = {"&&": ("AND", "and"), "||": ("OR", "or"), "!": ("NOT", "not")}


def unclosed_text(s: Situation) -> Mistake | None:
    """`"abc` up to the end of the line."""
    if s.found.type != BAD or s.found != '"':
        return None
    line = s.matches(r"[^\n]*")
    text = line[0].rstrip() if line else ""
    notes = ("text ends on the line where it begins; `\\n` in it is a new line",)
    if text.endswith('\\"'):
        notes = ('`\\"` is a quote inside the text; a backslash itself is written `\\\\`',)
    at = Span(s.start, s.start + len(text))
    return s.mistake("this text has no closing quote", code="E102", at=at, notes=notes)


def other_quotes(s: Situation) -> Mistake | None:
    """`'abc'`, `“abc”` and their like."""
    if s.found.type != BAD or str(s.found) not in _OTHER_QUOTES or s.matches("```"):
        return None
    quoted = s.matches(_QUOTED)
    if quoted is None:
        return s.mistake(_DOUBLE, code="E102", label="another quote")
    at = Span(*quoted.span())
    text = f'"{quoted["a"] or quoted["b"] or ""}"'
    fix = s.fix(f"write `{text}`", at, text)
    repair = s.replace("STRING", quoted.end()) if s.accepts("STRING") else None
    return s.mistake(_DOUBLE, code="E102", at=at, label="other quotes", fix=fix, repair=repair)


def broken_fence(s: Situation) -> Mistake | None:
    """A fence that is not closed, or not opened as Python."""
    opening = s.matches(r"```[^\n]*")
    if opening is None or s.found.type == "FENCE":
        return None
    at = Span(s.start, opening.end())
    if re.fullmatch(r"```python[ \t]*", opening[0]):
        notes = ("a line that begins with ``` closes it",)
        return s.mistake("this code is never closed", code="E103", at=at, notes=notes)
    fenced = s.matches(_FENCED)
    accepted = fenced is not None and s.accepts("FENCE")
    return s.mistake(
        "code is opened by ```python, alone at the end of its line",
        at=at,
        fix=s.fix("write ```python", at, "```python"),
        repair=s.replace("FENCE", fenced.end()) if fenced and accepted else None,
    )


def slash_comment(s: Situation) -> Mistake | None:
    """`// …`, `/* … */`, `-- …`."""
    comment = s.matches(r"(?://|--(?!>))[^\n]*|/\*(?:[^*]|\*(?!/))*\*/")
    if comment is None:
        return None
    sign = comment[0][:2]
    at = Span(s.start, s.start + 2)
    fix = s.fix("write `#`", at, "#") if sign != "/*" else None
    notes = ("a comment begins with `#` and ends with its line",)
    message = f"`{sign}` does not begin a comment"
    return s.mistake(message, at=at, notes=notes, fix=fix, repair=s.drop(comment.end()))


def semicolon(s: Situation) -> Mistake | None:
    """`;` between things that need nothing between them."""
    if not s.matches(";"):
        return None
    fix = s.fix("remove it", Span(s.start, s.start + 1), "")
    notes = ("a step begins with `->`; nothing ends it",)
    message = "`;` is no sign of the language"
    return s.mistake(message, notes=notes, fix=fix, repair=s.drop(s.start + 1))


def foreign_operator(s: Situation) -> Mistake | None:
    """`&&`, `||`, `!`."""
    sign = s.matches(r"&&|\|\||!(?!=)")
    if sign is None:
        return None
    kind, word = _SIGNS[sign[0]]
    at = Span(*sign.span())
    blank = "" if word != "not" else " "
    fix = s.fix(f"write `{word}`", at, word + blank)
    repair = s.replace(kind, sign.end(), word) if s.accepts(kind) else None
    return s.mistake(f"`{sign[0]}` is written `{word}`", at=at, fix=fix, repair=repair)


def odd_space(s: Situation) -> Mistake | None:
    """A space that is none of the plain ones: it comes with text pasted from pages."""
    char = str(s.found)
    if s.found.type != BAD or category(char) not in {"Zs", "Cf"}:
        return None
    plain = " " if category(char) == "Zs" else ""
    called = name(char, "unnamed").lower()
    fix = s.fix("write a plain space" if plain else "remove it", s.place(), plain)
    message = f"U+{ord(char):04X} ({called}) is not a plain space"
    return s.mistake(message, fix=fix, repair=s.drop(s.end))


def unknown_character(s: Situation) -> Mistake | None:
    """Anything else that begins no token."""
    if s.found.type != BAD or s.found.isdigit() or s.matches(r"[\u2013\u2014→⇒➔➜]"):
        return None
    return s.mistake(f"`{s.found}` is no sign of the language")


RULES: tuple[Rule, ...] = (
    unclosed_text,
    broken_fence,
    other_quotes,
    slash_comment,
    semicolon,
    foreign_operator,
    odd_space,
    unknown_character,
)
