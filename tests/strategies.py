"""Programs for property tests: words that the grammar allows in their order, and anything blank between them."""

import re
from functools import cache

from hypothesis import strategies as st

Words = st.SearchStrategy[list[str]]


def _seq(*parts: "str | Words") -> Words:
    """All of them, one after the other; a string stands for its words."""
    strategies = [st.just(part.split()) if isinstance(part, str) else part for part in parts]
    return st.tuples(*strategies).map(lambda lists: [word for words in lists for word in words])


def _maybe(*parts: "str | Words") -> Words:
    return st.just(list[str]()) | _seq(*parts)


def _some(part: Words, between: str = "", *, least: int = 0, most: int = 3) -> Words:
    """A few, with a sign between each two."""
    signs = between.split()
    return st.lists(part, min_size=least, max_size=most).map(
        lambda lists: [word for number, words in enumerate(lists) for word in (*(signs if number else ()), *words)]
    )


def _with_last_comma(part: Words, *, least: int = 0) -> Words:
    """Some, and perhaps a comma after the last."""
    some = _some(part, ",", least=1)
    return some | _seq(some, ",") if least else st.just(list[str]()) | some | _seq(some, ",")


def _one(*words: str) -> Words:
    return st.sampled_from(words).map(lambda word: [word])


# --- words

NAMES = ("nome", "telefone", "endereço", "p", "pessoa_encontrada_no_cadastro_principal", "x1", "日本")
LABELS = (*NAMES, "from", "to", "with", "if", "on", "type", "else", "as", "for", "in", "or", "test")  # before a colon
_HOLES = ('"Olá, {p.nome}: {itens[0].preço}"', r'"a \"b\" \\ \n \u{1F600} {{x}}"', '"https://{config.crm}/p/{id}?q=#1"')
_FIXED = ('"retomada"', '"X-Token"', '""', '"é 😀 -> // # não é comentário"', r'"\t{{ }}"', f'"{"longo " * 8}"')
_CODE = ("", "return a", '   x = "```"  \n\n     return x # não\n', "\tif a:  \n\t\treturn {'b': 1}\n")

_name = _one(*NAMES)
_label = st.tuples(st.sampled_from(LABELS), st.sampled_from(("", "", " ", "\n ", "\t"))).map(
    lambda p: [f"{p[0]}{p[1]}:"]
)
_bound = st.tuples(st.sampled_from(NAMES), st.sampled_from((" ", "", "\n"))).map(lambda p: [f"{p[0]}{p[1]}="])
_text = _one(*_HOLES, *_FIXED)
_fixed = _one(*_FIXED)
_int = _one("0", "7", "007", "1000000")
_duration = _one("200ms", "90s", "5m", "2h", "03d", "1w")
_number = _int | _one("1.5", "100.50", "0.00")
_event_or_error = _one("on error", "on\n\terror", "on  error")


@st.composite
def _fence(draw: st.DrawFn) -> list[str]:
    body = draw(st.sampled_from(_CODE))
    lines = f"{body}\n" if body and not body.endswith("\n") else body
    return [f"```python{draw(st.sampled_from(('', '  ')))}\n{lines}{draw(st.sampled_from(('', '     ')))}```"]


# --- values


@cache
def _expr(depth: int = 3) -> Words:
    atom = _name | _number | _text | _duration | _one("true", "false", "none")
    if not depth:
        return atom
    inner = _expr(depth - 1)
    small = _seq("(", inner, ")") | atom
    return st.one_of(
        atom,
        _some(inner, "??", least=1),
        _seq("(", inner, ")"),
        _binary(small),
        _seq(_one("not", "-"), small),
        _seq(_name, ".", _one(*NAMES, "if", "for", "on", "by")),
        _seq(_name, "[", inner, "]"),
        _call(inner),
        _record(inner),
        _seq("[", _with_last_comma(inner), "]"),
        _seq("[", inner, "for", _name, "in", small, _maybe("if", inner), "]"),
    )


def _binary(operand: Words) -> Words:
    """Chains of operators, of the same and of different ranks; only one of those that compare."""
    sums = _seq(operand, _some(_seq(_one("+", "-", "*", "/", "%"), operand), most=4))
    compared = _seq(sums, _maybe(_one("==", "!=", "<=", ">=", "<", ">", "in"), sums))
    return _seq(_maybe("not"), compared, _some(_seq(_one("and", "or"), _maybe("not"), compared), most=3))


def _call(inner: Words) -> Words:
    return _seq(_name, "(", _with_last_comma(_seq(_maybe(_label), inner)), ")")


def _record(inner: Words) -> Words:
    entry = _seq(_label | _seq(_fixed, ":"), inner) | _name
    return _seq("{", _with_last_comma(entry), "}")


# --- types


@cache
def _type(depth: int = 2) -> Words:
    bound = _maybe(_maybe("-"), _int)
    base = st.one_of(
        _one("text", "phone", "Lead"),
        _seq("text (", bound, "..", bound, ")"),
        _some(_fixed, "|", least=1, most=4),
        _seq("pii", _one("text", "cpf")),
    )
    if depth:
        base |= _seq("[", _type(depth - 1), "]") | _record_type(depth - 1)
    return _seq(base, _maybe("?"))


def _record_type(depth: int) -> Words:
    field = _seq(_maybe(_fixed, "as"), _label, _type(depth), _maybe("=", _expr(1)))
    loose = _seq(field, _some(_seq(_maybe(","), field)), _maybe(","))
    return _seq("{", _maybe(loose), "}")


# --- steps


@cache
def _clause(depth: int) -> Words:
    value = _expr(2)
    return st.one_of(
        _seq(_one("by", "to", "from", "with", "within"), value),
        _seq("with", _record(_expr(1))),
        _seq("as", _name),
        _seq("as", _label, _type(1)),
        _seq("via", _name),
        _seq("unknown", _one("park", "retry")),
        _seq("retry", _int),
        _seq("every", _expr(1), _maybe("..", _expr(1))),
        _seq("else", _block(depth - 1)) if depth else _seq("via", _name),
    )


@cache
def _block(depth: int) -> Words:
    return _seq("{", _chain(depth, most=2), "}")


@cache
def _chain(depth: int, most: int = 4) -> Words:
    return _some(_seq("->", _step(depth)), most=most)


@cache
def _step(depth: int) -> Words:
    value, clauses = _expr(), _some(_clause(depth), most=4)
    plain = st.one_of(
        _seq(_call(_expr(2)), clauses),
        _seq(_bound, value, clauses),
        _seq(_one("send", "upsert", "get"), _maybe(_name), _maybe(_text), clauses),
        _seq("wait for", _name, clauses),
        _seq("code (", _maybe(_name, ",", _name, _maybe(",")), ") :", _type(1), _fence(), clauses),
        _seq("wait", _maybe("until"), value),
        _seq("respond", _int, _maybe(value)),
        _seq("stop", _maybe(value)),
        _seq(_one("log", "fail"), value),
    )
    return plain | _with_block(depth - 1) if depth else plain


def _with_block(depth: int) -> Words:
    block, value = _block(depth), _expr(2)
    pattern = _fixed | _seq(_maybe("-"), _number) | _one("true", "false", "none")
    case = _seq(_some(pattern, ",", least=1) | _one("else"), "=>", block)
    return st.one_of(
        _seq("if", value, block, _some(_seq("else if", value, block), most=2), _maybe("else", block)),
        _seq("match", value, "{", _some(case, least=1), "}"),
        _seq("parallel {", _some(_seq(_name, block), least=1), "}"),
        _seq("for", _name, "in", value, _some(_seq(_one("max", "parallel"), _int)), block),
    )


# --- items


@cache
def _trigger() -> Words:
    args = _seq("(", _with_last_comma(_seq(_maybe(_label), _expr(1))), ")")
    clause = st.one_of(
        _seq("signed", _name, args),
        _seq("token header", _fixed, args),
        _seq("basic", args),
        _one("open"),
        _seq("cors", _some(_fixed, ",", least=1)),
        _seq("accept", _some(_name, ",", least=1)),
        _seq("limit", _one("5mb", "064kb")),
        _seq("dedupe by", _expr(1), "for", _duration),
        _seq("answer", _int, _maybe("with", _record(_expr(1)))),
        _seq("answer within", _duration),
        _seq("serial by", _expr(1)),
        _seq("keep", _duration),
        _seq("concurrency", _int),
    )
    payload = _record_type(1) | _seq(_label, _type(1))
    return _seq("webhook", _maybe(_fixed), _some(clause), _maybe(payload))


@cache
def _item() -> Words:
    command = _seq(_one("send", "get"), _maybe(_name), _maybe(_fixed))
    expected = _seq(command, _some(_clause(1), most=2)) | _seq("respond", _int, _maybe(_record(_expr(1))))
    expected = expected | _one("stop") | _seq("fail", _maybe(_fixed))
    delivered = _record(_expr(1)) | _seq("[", _expr(1), "]") | _fixed
    request = _seq(_maybe("headers", _record(_expr(1))), _maybe("query", _record(_expr(1))))
    tested = st.one_of(
        _seq("given", _maybe(_name), delivered, request),
        _seq("mock", command, "=", _expr(1)),
        _seq("advance", _expr(1)),
        _seq("expect", _maybe("not"), expected),
    )
    params = _with_last_comma(_seq(_label, _type(0)))
    flow = _seq(_maybe("flow", _name), "on", _trigger(), _chain(2), _maybe(_event_or_error, _chain(1)))
    return st.one_of(
        flow,
        flow,
        _seq("type", _name, "=", _type()),
        _seq("def", _name, "(", params, ") :", _type(0), "=", _expr()),
        _seq("test", _fixed, _maybe("for", _name), "{", _some(tested), "}"),
    )


# --- blanks

_BLANKS = (*[" "] * 9, "", "", "", "\n", "\n\n\n", "\n  ", "\t", "  ", "\n      ")
_COMMENTS = (" # a\n", "\n# b ->\n", "\n  ## c \n\n", "\n\n# d\n# e\n", " ## f {\n\n\n  ## g\n", "#\n")
_GLUED = re.compile(r"[(\[{,\])}]")  # nothing needs to stand beside them
_WORD = re.compile(
    r"""```python[ \t]*\n(?:(?![ \t]*```)[^\n]*\n)*[ \t]*```
      | "(?:[^"\\\n]|\\[^\n])*"
      | on\s+error\b
      | [^\W\d][\w\u0300-\u036f]*[ \t\n]*(?::|=(?![=>]))  # no comment may stand inside these
      | [0-9]+\.[0-9]+
      | \w+
      | ->|=>|==|!=|<=|>=|\?\?|\.\.
      | [^\s\#]
      | (?P<comment>\#[^\n]*)""",
    re.VERBOSE,
)


def words(text: str) -> list[str]:
    """The words of a program, without its comments."""
    return [found[0] for found in _WORD.finditer(text) if found["comment"] is None]


@st.composite
def spread_out(draw: st.DrawFn, written: list[str]) -> str:
    """A program of these words, with blanks, line ends and comments between them."""
    choices = draw(st.sampled_from((_BLANKS, (*_BLANKS, *_COMMENTS), (" ",), (*[" "] * 40, *_COMMENTS))))
    size = len(written) + 1
    gaps = draw(st.lists(st.sampled_from(choices), min_size=size, max_size=size))
    return "".join(_apart(gap, *pair) for gap, pair in zip(gaps, _pairs(written), strict=True))


def _pairs(written: list[str]) -> list[tuple[str, str]]:
    return list(zip(["", *written], [*written, ""], strict=True))


def _apart(gap: str, before: str, after: str) -> str:
    """A gap and the word after it; what would read as one word gets a space."""
    glued = not before or not after or _GLUED.fullmatch(before[-1]) or _GLUED.fullmatch(after[0])
    needs_space = not glued and not gap[:1].isspace()
    return f"{' ' if needs_space else ''}{gap}{after}"


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A file of flows without an error of syntax; what its names mean is nobody's business."""
    edition = draw(_maybe("lang 1"))
    items = draw(_some(_item(), least=1, most=3))
    return draw(spread_out([*edition, *items]))
