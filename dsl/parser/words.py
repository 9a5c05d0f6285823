"""What could stand somewhere, in the words of the language instead of the grammar's."""

from functools import cache

from lark.lexer import PatternStr

from dsl.diagnostics import quoted
from dsl.grammar import lark_parser
from dsl.parser.machine import END
from dsl.parser.situation import Situation

CLAUSES = frozenset(("as", "by", "else", "every", "from", "retry", "to", "unknown", "via", "with", "within"))
TRIGGER_CLAUSES = frozenset(
    ("accept", "answer", "basic", "concurrency", "cors", "dedupe", "keep", "limit", "open", "serial", "signed", "token")
)
TOP = frozenset(("def", "flow", "lang", "on", "test", "type"))
STEPS = frozenset(("code", "else", "emit", "fail", "for", "if", "log", "match", "parallel", "respond", "stop", "wait"))
RESERVED = CLAUSES | TOP | frozenset(("and", "in", "not", "or"))
WORDS = RESERVED | STEPS | frozenset(("false", "none", "true"))  # that no verb, noun or function may be called by

_MOST = 4  # a longer list of what was expected helps nobody

# Where all of these terminals can stand, the phrase says it, and hides what else could stand there.
_GROUPS: tuple[tuple[tuple[str, ...], str, frozenset[str]], ...] = (
    (("BIND", "CODE"), "a step", frozenset({"NAME"})),
    (
        ("LPAR", "DURATION", "TRUE"),
        "a value",
        frozenset({"NAME", "STRING", "INT", "DURATION", "LBRACE", "FIELD"}),
    ),
    (("PII", "LSQB"), "a type", frozenset({"NAME", "STRING", "LBRACE"})),
    (("ELSE", "STRING", "NONE"), "a pattern or `else`", frozenset({"STRING", "INT", "ELSE"})),
    (("STRING", "NONE"), "a pattern", frozenset({"STRING", "INT"})),
    (("FIELD", "STRING", "NAME"), "a field such as `nome: valor`", frozenset({"NAME", "STRING"})),
    (("FIELD", "COMMA"), "`,`", frozenset({"FIELD", "STRING"})),
    (("FIELD",), "a field such as `nome: text`", frozenset({"STRING", "NAME"})),
    (("FLOW", "ON", "DEF", "TYPE"), "a flow, `def`, `type` or `test`", frozenset({"ON"})),
    (("SIGNED", "OPEN"), "a clause such as `signed`", frozenset()),
    (("BY", "VIA"), "a clause such as `by` or `with`", frozenset({"ELSE"})),
    (("GIVEN", "EXPECT"), "`given`, `mock`, `advance` or `expect`", frozenset()),
)
_ALONE = {
    "_ARROW": "`->`",
    "ON": "`on webhook`",
    "NAME": "a name",
    "STRING": "text in double quotes",
    "INT": "a whole number",
    "DURATION": "a duration such as `2h`",
    "SIZE": "a size such as `5mb`",
    "FENCE": "code between ```python and ```",
    "ELSE": "`else`",
    "FAT_ARROW": "`=>`",
    "EQUAL": "`=`",
    "COLON": "`:`",
    "LBRACE": "`{`",
    "COMMA": "`,`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
}
_RARE = ("IN", "FOR", "AS", "BY", "HEADER", "AND", "LPAR", "RANGE")  # told where nothing else fits


def expected(s: Situation) -> str:
    """The few likeliest things that could have stood here."""
    hidden: set[str] = set()
    phrases: list[str] = []
    for kinds, phrase, hides in _GROUPS:
        if not hidden.intersection(kinds) and s.accepts(*kinds):
            hidden |= hides | set(kinds)
            phrases.append(phrase)
    if "a flow, `def`, `type` or `test`" in phrases and s.accepts("_ARROW"):
        phrases.remove("a flow, `def`, `type` or `test`")
    alone = (phrase for kind, phrase in _ALONE.items() if kind not in hidden and s.accepts(kind))
    phrases = [phrase for phrase in (*alone, *phrases) if phrase]
    return _either(phrases[:_MOST] or [f"`{spelling(kind)}`" for kind in _RARE if s.accepts(kind)])


def found(s: Situation) -> str:
    """What stands here."""
    if s.found.type == END:
        return "the end of the file"
    return "code" if s.found.type == "FENCE" else quoted(str(s.found))


def _either(phrases: list[str]) -> str:
    *most, last = phrases or ["something else"]
    return f"{', '.join(most)} or {last}" if most else last


@cache
def keywords() -> dict[str, str]:
    """The words of the grammar, and the terminals they are."""
    terminals = lark_parser().terminals
    fixed = {t.pattern.value: t.name for t in terminals if isinstance(t.pattern, PatternStr)}
    return {word: kind for word, kind in fixed.items() if word.isalpha()}


@cache
def spelling(kind: str) -> str:
    """How a terminal of fixed form is written."""
    return str(lark_parser().get_terminal(kind).pattern.value)
