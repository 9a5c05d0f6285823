"""Programs that are well typed, and what may be delivered to them, for property tests.

A program is written as text, so that everything from the grammar on takes part. The writer knows the types of the names
in scope by rules of its own (docs/language.md), which is a test of the checker too: it must find nothing to refuse.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
from hypothesis import strategies as st

from compiler import ir
from tests.compiler.reference import Delivery, Refusal


@dataclass(frozen=True, slots=True)
class T:
    """A type."""

    name: str
    item: "T | None" = None
    fields: tuple[tuple[str, "T"], ...] = ()
    values: tuple[str, ...] = ()
    optional: bool = False

    def __str__(self) -> str:
        """As the language writes it."""
        return self._required() + ("?" if self.optional else "")

    def _required(self) -> str:
        match self.name:
            case "list":
                return f"[{self.item}]"
            case "record":
                return "{" + ", ".join(f"{name}: {kind}" for name, kind in self.fields) + "}"
            case "enum":
                return " | ".join(quoted(value) for value in self.values)
            case _:
                return self.name


INT, DECIMAL, BOOL, TEXT, JSON = T("int"), T("decimal"), T("bool"), T("text"), T("json")
DURATION, DATETIME, DATE = T("duration"), T("datetime"), T("date")
NOMINAL = tuple(map(T, ("phone", "email", "url", "cpf", "cnpj", "scalar")))
PLAIN = (INT, TEXT, BOOL, DECIMAL, DURATION, DATETIME, DATE)
TEXTUAL = frozenset({"text", "enum", *(kind.name for kind in NOMINAL)})
PERSON = T("person", fields=(("id", TEXT), ("name", T("text", optional=True)), ("phone", T("phone", optional=True))))
ERROR = T("failure", fields=(("code", TEXT), ("message", TEXT), ("step", TEXT), ("attempt", INT)))

Scope = Mapping[str, T]

# Names of steps and fields: what Python, the generated module or the language itself could stumble over.
PLAIN_NAMES = ("a", "b", "c", "total", "preço")
NAMES = (
    *PLAIN_NAMES,
    "a_2",
    "class",
    "count",
    "given",
    "p",
    "ctx",
    "_",
    "None",
    "POST",
    "type",
    "from",
    "q\u0303",
    "q_",
)
LITERALS: Mapping[T, tuple[str, ...]] = {
    INT: ("1", "0", "2", "7", "1000", "9223372036854775807"),
    DECIMAL: ("0.5", "2.0", "1.10", "100.25", "0.001", "3.3333333333"),
    BOOL: ("true", "false"),
    DURATION: ("1s", "2h", "1d", "500ms", "3w"),
    DATETIME: ('parse_datetime("2024-02-29T12:00:00-03:00")',),
    DATE: ('parse_date("2024-02-29")',),
    T("phone"): ('format_phone("11 98765-4321")',),
    T("cpf"): ('cpf("529.982.247-25")',),
    JSON: ('parse_json("[1, null, 2.50]")', 'parse_json("{{\\"a\\": [true]}}")'),
}
_DEFAULTS = (INT, DECIMAL, BOOL)
# Functions of the catalog that may stand where their result is needed, with what they take.
FUNCTIONS: tuple[tuple[str, tuple[T, ...], T], ...] = (
    ("length", (TEXT,), INT),
    ("floor", (DECIMAL,), INT),
    ("to_unix", (DATETIME,), INT),
    ("as_int", (JSON,), T("int", optional=True)),
    ("max", (DECIMAL, DECIMAL), DECIMAL),
    ("round", (DECIMAL, INT), DECIMAL),
    ("contains", (TEXT, TEXT), BOOL),
    ("upper", (TEXT,), TEXT),
    ("trim", (TEXT,), TEXT),
    ("format_brl", (DECIMAL,), TEXT),
    ("replace", (TEXT, TEXT, TEXT), TEXT),
    ("as_text", (JSON,), T("text", optional=True)),
    ("date_of", (DATETIME,), DATE),
    ("add_days", (DATE, INT), DATE),
    ("start_of_day", (DATETIME,), DATETIME),
)


def quoted(text: str) -> str:
    """Text as a literal."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("{", "{{"), ("}", "}}")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def required(kind: T) -> T:
    """T of `T?`."""
    return replace(kind, optional=False)


def optional(kind: T) -> T:
    """`T?`."""
    return replace(kind, optional=True)


# --- types

words = st.sampled_from(["", "ana", "São Paulo", 'diz "oi"', "{x}", "a\nb", "C:\\d", "it's", "🎈"])
enums = st.lists(st.sampled_from(["site", "anúncio", "a b", "none", 'x"y']), min_size=1, max_size=3, unique=True)
names = st.sampled_from(NAMES)
leaves = st.sampled_from((*PLAIN, JSON, *NOMINAL)) | enums.map(lambda values: T("enum", values=tuple(values)))


def _records(kinds: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    fields = st.lists(st.tuples(names, kinds), min_size=1, max_size=3, unique_by=lambda pair: pair[0])
    return fields.map(lambda pairs: T("record", fields=tuple(pairs)))


def _larger(kinds: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    return kinds.map(lambda kind: T("list", item=required(kind))) | _records(kinds | kinds.map(optional))


types = st.recursive(leaves, _larger, max_leaves=4)


# --- programs


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The text of a file with one flow, and perhaps a def."""
    return _Writer(draw).file()


@dataclass(slots=True)
class _Room:
    """What may stand at a place."""

    waits: bool = True
    ends: bool = True  # `stop`, which may not stand in a loop, a branch of `parallel`, or before the answer
    depth: int = 0

    def inner(self, **changes: Any) -> "_Room":
        return replace(self, depth=self.depth + 1, **changes)


@dataclass(slots=True)
class _Writer:
    draw: st.DrawFn
    payload: Scope = field(default_factory=dict)
    defs: dict[str, tuple[tuple[T, ...], T]] = field(default_factory=dict)
    loops: int = 0
    steps: int = 12  # that may still be written

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def maybe(self) -> bool:
        return self.draw(st.booleans())

    # --- a file

    def file(self) -> str:
        defs = [self._def(name) for name in self.one((), ("f",), ("f", "text_of"))]
        fields = self.draw(
            st.lists(st.tuples(names, types, st.booleans()), min_size=1, max_size=6, unique_by=lambda f: f[0])
        )
        payload = {name: optional(kind) if absent else kind for name, kind, absent in fields}
        self.payload = payload
        responds = self.maybe()
        written = ", ".join(self._field(name, kind) for name, kind in payload.items())
        lines = [f"on webhook {self._clauses(payload, responds)}{{{written}}}"]
        scope: Scope | None = payload
        if responds:
            before, scope = self.chain(scope, _Room(waits=False, ends=False))
            lines += [*before, *(self._respond(scope) if scope is not None else [])]
        if scope is not None:
            lines += self.chain(scope, _Room())[0] or ["-> log 1"]
        if self.maybe():
            handler, _ = self.chain({**payload, "error": ERROR}, _Room(waits=False))
            lines += ["on error", *(handler or ["-> log error.message"])]
        return "\n".join(["flow f_1", *lines, *defs])

    def _field(self, name: str, kind: T) -> str:
        key = f'"{name}-{name}" as ' if name in PLAIN_NAMES and self.maybe() else ""
        default = f" = {self.one(*LITERALS[kind])}" if kind in _DEFAULTS and self.maybe() else ""
        return f"{key}{name}: {kind}{default}"

    def _clauses(self, payload: Scope, responds: bool) -> str:
        keys = [name for name, kind in payload.items() if kind.name in TEXTUAL | {"int", "decimal"}]
        dedupe = f"dedupe by {self.one(*keys)} for 24h " if keys and self.maybe() else ""
        return dedupe + ("answer 202 with {run: run.id} " if not responds and self.maybe() else "")

    def _def(self, name: str) -> str:
        params = {"add": self.one(*PLAIN, JSON), "x": self.one(INT, optional(TEXT), T("list", item=INT))}
        result = self.one(INT, TEXT, DECIMAL, BOOL)
        body = self.value(result, params, 2)
        self.defs[name] = (tuple(params.values()), result)
        return f"def {name}({', '.join(f'{param}: {kind}' for param, kind in params.items())}): {result} = {body}"

    # --- steps

    def chain(self, scope: Scope, room: _Room) -> tuple[list[str], Scope | None]:
        """The steps of a chain, and the scope after them; None where nothing goes on."""
        lines: list[str] = []
        for _ in range(self.draw(st.integers(0, 4))):
            if self.steps <= 0:
                break
            self.steps -= 1
            written, after = self._step(scope, room)
            lines.append(f"-> {written}")
            if after is None:
                return lines, None
            scope = after
        return lines, scope

    def block(self, scope: Scope, room: _Room) -> tuple[str, Scope | None]:
        lines, after = self.chain(scope, room)
        return "{ " + " ".join(lines) + " }", after

    def _step(self, scope: Scope, room: _Room) -> tuple[str, Scope | None]:
        kinds: list[Callable[[Scope, _Room], tuple[str, Scope | None]]] = [self._log, self._bind, self._bind]
        kinds += [self._http, self._emit, self._code, self._bind_else]
        kinds += [self._person] if self.paths(scope, T("phone")) else []
        kinds += [self._sleep, self._wait_for] if room.waits else []
        if room.depth < 3:
            kinds += [self._if, self._narrow, self._match, self._parallel, self._for]
        kinds += [self._end] if room.depth else []
        return self.draw(st.sampled_from(kinds))(scope, room)

    def _log(self, scope: Scope, room: _Room) -> tuple[str, Scope]:
        return f"log {self.any(scope)[0]}", scope

    def _bind(self, scope: Scope, room: _Room) -> tuple[str, Scope]:
        value, kind = self.any(scope)
        name = self.draw(names)
        return f"{name} = {value}", {**scope, name: replace(kind)}

    def _bind_else(self, scope: Scope, room: _Room) -> tuple[str, Scope | None]:
        written, after = self._bind(scope, room)
        return self._else(written, scope, after, room)

    def _else(self, written: str, scope: Scope, after: Scope, room: _Room) -> tuple[str, Scope | None]:
        """A step that may have an `else`."""
        if not self.maybe() or room.depth > 2:
            return written, after
        block, failed = self.block({**scope, "error": ERROR}, room.inner())
        if failed is not None and "error" not in scope:
            failed = {name: kind for name, kind in failed.items() if name != "error"}
        return f"{written} else {block}", _merged([after, failed])

    def _http(self, scope: Scope, room: _Room) -> tuple[str, Scope | None]:
        verb = self.one("post", "get", "put", "patch", "delete")
        host = self.one("https://a.example", "{config.erp}")
        held = [path for path, kind in self.all_paths(scope) if self._holds(kind)]
        hole = f"/{{{self.one(*held)}}}" if held and self.maybe() else ""
        with_ = f" with {self.record(scope)}" if verb != "delete" and self.maybe() else ""
        retry = self.one("", " retry 3", " retry 2 every 1s..5m")
        return self._bound(f'{verb} "{host}/p{hole}"{with_}{retry}', scope, room)

    def _holds(self, kind: T) -> bool:
        return not kind.optional and (kind.name in TEXTUAL or kind in (INT, DECIMAL))

    def _bound(self, written: str, scope: Scope, room: _Room) -> tuple[str, Scope | None]:
        """A step whose result is json or of a type that the flow says, and may be bound."""
        if not self.maybe():
            return self._else(written, scope, scope, room)
        name, kind = self.draw(names), self.draw(st.just(JSON) | types)
        typed = "" if kind == JSON else f": {kind}"
        return self._else(f"{written} as {name}{typed}", scope, {**scope, name: replace(kind)}, room)

    def _emit(self, scope: Scope, room: _Room) -> tuple[str, Scope]:
        with_ = f" with {self.record(scope)}" if self.maybe() else ""
        return f"emit pago by {self.value(self.one(TEXT, INT, DECIMAL), scope, 1)}{with_}", scope

    def _code(self, scope: Scope, room: _Room) -> tuple[str, Scope | None]:
        taken = [name for name in scope if name not in ("error", "class", "from", "None", "_")]
        params = ", ".join(taken[:2])
        kind = self.draw(types)
        name = self.draw(names)
        written = f"code({params}): {kind} ```python\n  return None\n  ``` as {name}"
        return self._else(written, scope, {**scope, name: replace(kind)}, room)

    def _person(self, scope: Scope, room: _Room) -> tuple[str, Scope | None]:
        key = self.one(*self.paths(scope, T("phone")))
        match self.one("upsert", "find", "send"):
            case "upsert":
                fields = f" with {{nome: {self.value(TEXT, scope, 1)}}}"
                return self._else(f"upsert person by {key}{fields}", scope, {**scope, "person": replace(PERSON)}, room)
            case "find" if self.maybe():
                block, nothing = self.block(scope, room.inner())
                after = _merged([{**scope, "c": replace(PERSON)}, nothing])
                return f"find person by {key} as c else {block}", after
            case "find":
                return f"find person by {key}", {**scope, "person": optional(PERSON)}
            case _:
                to = self.one(key, *self.paths(scope, PERSON))
                return f'send hsm "oi" to {to} with {{a: {self.value(self.one(TEXT, INT), scope, 1)}}}', scope

    def _sleep(self, scope: Scope, room: _Room) -> tuple[str, Scope]:
        kind = self.one(DURATION, *(kind for kind in (DATETIME, DATE) if self.paths(scope, kind)))
        until = "until " if kind != DURATION else ""
        return f"wait {until}{self.value(kind, scope, 1)}", scope

    def _wait_for(self, scope: Scope, room: _Room) -> tuple[str, Scope | None]:
        return self._bound(f"wait for pago by {self.value(TEXT, scope, 1)} within 2h", scope, room)

    def _if(self, scope: Scope, room: _Room) -> tuple[str, Scope | None]:
        paths: list[Scope | None] = []
        written = ""
        for _ in range(self.one(1, 2)):
            block, after = self.block(scope, room.inner())
            written += f"{' else ' if written else ''}if {self.value(BOOL, scope, 2)} {block}"
            paths.append(after)
        if not self.maybe():
            return written, _merged([*paths, scope])
        block, after = self.block(scope, room.inner())
        return f"{written} else {block}", _merged([*paths, after])

    def _narrow(self, scope: Scope, room: _Room) -> tuple[str, Scope | None]:
        """A test of absence: the name is there on one side of it."""
        absent = [name for name, kind in scope.items() if kind.optional]
        if not absent:
            return self._if(scope, room)
        name = self.one(*absent)
        known = {**scope, name: required(scope[name])}
        test = self.one(f"{name} != none", f"not (none == {name})", f"{name} != none and {self.value(BOOL, known, 1)}")
        block, after = self.block(known, room.inner())
        other, otherwise = self.block(scope, room.inner())
        return f"if {test} {block} else {other}", _merged([after, otherwise])

    def _match(self, scope: Scope, room: _Room) -> tuple[str, Scope | None]:
        """All values of an enum or a bool, or some of anything else and `else`."""
        subjects = [(path, kind) for path, kind in self.all_paths(scope) if kind.name in ("enum", "bool")]
        if not subjects:
            subjects = [(self.value(kind, scope, 1), kind) for kind in (self.one(INT, TEXT, DECIMAL),)]
        subject, kind = self.one(*subjects)
        patterns = self._patterns(kind)
        covered = self.draw(st.integers(1, len(patterns)))
        closed = covered < len(patterns) or kind.name not in ("enum", "bool") or self.maybe()
        arms = [*patterns[:covered], *(["else"] if closed else [])]
        cases: list[str] = []
        paths: list[Scope | None] = []
        for arm in arms:
            there = kind.optional and subject in scope and arm != "none" and (arm != "else" or "none" in arms)
            inner = {**scope, subject: required(kind)} if there else scope
            block, after = self.block(inner, room.inner())
            cases.append(f"{arm} => {block}")
            paths.append(after)
        return f"match {subject} {{ {' '.join(cases)} }}", _merged(paths)

    def _patterns(self, kind: T) -> list[str]:
        match kind.name:
            case "enum":
                found = [quoted(value) for value in kind.values]
            case "text":
                found = [quoted("ana"), quoted("")]
            case name:
                found = {"bool": ["true", "false"], "int": ["1", "-3, 7"], "decimal": ["0.5", "2"]}[name]
        return [*found, "none"] if kind.optional else found

    def _parallel(self, scope: Scope, room: _Room) -> tuple[str, Scope | None]:
        """What two branches bind is of no use afterwards."""
        written: list[str] = []
        after, bound = dict(scope), set[str]()
        for name in self.one(("a",), ("a", "class"), ("a", "b", "ctx")):
            block, end = self.block(scope, room.inner(ends=False))
            written.append(f"{name} {block}")
            mine = {n for n, kind in (end or {}).items() if scope.get(n) is not kind}
            after |= {n: end[n] for n in mine if end is not None}
            after = {n: kind for n, kind in after.items() if n not in mine & bound}
            bound |= mine
        return f"parallel {{ {' '.join(written)} }}", after

    def _for(self, scope: Scope, room: _Room) -> tuple[str, Scope]:
        self.loops += 1
        lists = [kind for _, kind in self.all_paths(scope) if kind.name == "list" and not kind.optional]
        kind = self.one(*lists) if lists else T("list", item=INT)
        items = self.value(kind, scope, 1)
        limits = self.one("", " max 2", " max 50 parallel 4")
        block, _ = self.block(
            {**scope, f"i{self.loops}": kind.item},
            room.inner(ends=False, waits=room.waits and "parallel" not in limits),
        )
        return f"for i{self.loops} in {items}{limits} {block}", scope

    def _end(self, scope: Scope, room: _Room) -> tuple[str, None]:
        fail = f"fail {self.value(TEXT, scope, 1)}"
        return (self.one("stop", "stop {a: 1}", fail) if room.ends else fail), None

    def _respond(self, scope: Scope) -> list[str]:
        body, condition = self.any(scope)[0], self.value(BOOL, scope, 1)
        return self.one(
            [f"-> respond 200 {body}"],
            [f"-> if {condition} {{ -> respond 204 }} else {{ -> respond 404 {body} -> stop }}"],
        )

    # --- values

    def all_paths(self, scope: Scope) -> list[tuple[str, T]]:
        """Names and their parts, with their types."""
        found: list[tuple[str, T]] = []
        for name, kind in scope.items():
            found.append((name, kind))
            found += [(f"{name}.{part}", optional(k) if kind.optional else k) for part, k in kind.fields]
            if kind.name == "list" and kind.item is not None:
                found.append((f"{name}[{self.draw(st.integers(0, 2))}]", optional(kind.item)))
            if kind.name == "json":
                found += [(f"{name}.a", optional(JSON)), (f'{name}["a b"]', optional(JSON))]
        return found + (self._roots() if self.payload else [])

    def _roots(self) -> list[tuple[str, T]]:
        texts = [(path, TEXT) for path in ("run.id", "run.flow", "config.erp")]
        absent = [(path, optional(TEXT)) for path in ('headers["X-Id"]', "query.q")]
        return [*texts, *absent, ("run.at", DATETIME), *((f"payload.{name}", k) for name, k in self.payload.items())]

    def paths(self, scope: Scope, wanted: T) -> list[str]:
        return [path for path, kind in self.all_paths(scope) if kind == wanted]

    def any(self, scope: Scope) -> tuple[str, T]:
        """A value of some type."""
        there = [kind for _, kind in self.all_paths(scope)]
        kind: T = self.draw(st.sampled_from((*PLAIN[:5], DATETIME, *there)))
        return self.value(kind, scope, 2), kind

    def record(self, scope: Scope) -> str:
        parts = [self.any(scope)[0] for _ in range(self.one(0, 1, 2))]
        keys = self.draw(st.lists(names.map(str) | st.just('"a b"'), min_size=2, max_size=2, unique=True))
        return "{" + ", ".join(f"{key}: {part}" for key, part in zip(keys, parts, strict=False)) + "}"

    def value(self, kind: T, scope: Scope, depth: int) -> str:
        """A value of exactly a type, which some value in scope or a literal has."""
        choices: list[Callable[[], str]] = []
        if found := self.paths(scope, kind):
            choices.append(lambda: str(self.one(*found)))
        choices += self._made(kind, scope, depth)
        return str(self.draw(st.sampled_from(choices))())

    def _made(self, kind: T, scope: Scope, depth: int) -> list[Callable[[], str]]:
        """Ways to write a value of a type that is not simply there."""
        made: list[Callable[[], str]] = []
        if kind in LITERALS:
            made.append(lambda: str(self.one(*LITERALS[kind])))
        made += [lambda: self._text(scope)] if kind == TEXT else []
        if kind.name == "list" and kind.item is not None and not kind.optional:
            made += self._lists(kind.item, scope, depth)
        if kind.name == "record" and not kind.optional and all(self._there(k, scope) for _, k in kind.fields):
            made.append(lambda: self._literal_record(kind, scope, depth))
        if depth <= 0:
            return made
        deeper = self._operations(kind, scope, depth - 1)
        if absent := self.paths(scope, optional(kind)) if not kind.optional else []:
            deeper.append(lambda: f"({self.one(*absent)} ?? {self.value(kind, scope, depth - 1)})")
        deeper += self._calls(kind, scope, depth - 1)
        return made + deeper

    def _calls(self, kind: T, scope: Scope, depth: int) -> list[Callable[[], str]]:
        """Calls of functions of the catalog, and of the file's own defs."""
        known = [*FUNCTIONS, *((name, params, result) for name, (params, result) in self.defs.items())]
        return [
            partial(self._call, name, params, scope, depth)
            for name, params, result in known
            if result == kind and all(self._there(param, scope) for param in params)
        ]

    def _there(self, kind: T, scope: Scope) -> bool:
        """Whether a value of a type can be had."""
        return bool(self.paths(scope, kind) or self._made(kind, scope, 0))

    def _call(self, name: str, params: tuple[T, ...], scope: Scope, depth: int) -> str:
        return f"{name}({', '.join(self.value(kind, scope, depth) for kind in params)})"

    def _text(self, scope: Scope) -> str:
        """Text in quotes, perhaps with holes."""
        written = quoted(self.draw(words))
        holes = [path for path, kind in self.all_paths(scope) if self._holds(kind) and '"' not in path]
        if holes and self.maybe():
            written = f'{written[:-1]}{{{self.one(*holes)}}} {{{self.one(*holes)}}}"'
        return written

    def _literal_record(self, kind: T, scope: Scope, depth: int) -> str:
        return "{" + ", ".join(f"{name}: {self.value(part, scope, depth - 1)}" for name, part in kind.fields) + "}"

    def _lists(self, item: T, scope: Scope, depth: int) -> list[Callable[[], str]]:
        """A list written out, or made from another."""
        made: list[Callable[[], str]] = []
        if self._there(item, scope):
            made.append(
                lambda: "[" + ", ".join(self.value(item, scope, depth - 1) for _ in range(self.one(1, 2))) + "]"
            )
        return [*made, lambda: self._each(item, scope, depth)] if made and depth > 0 else made

    def _each(self, item: T, scope: Scope, depth: int) -> str:
        self.loops += 1
        name, source = f"i{self.loops}", self.one(INT, TEXT, item)
        items = self.value(T("list", item=source), scope, depth - 1)
        inner = {**scope, name: source}
        condition = f" if {self.value(BOOL, inner, depth - 1)}" if self.maybe() else ""
        return f"[{self.value(item, inner, depth - 1)} for {name} in {items}{condition}]"

    def _operations(self, kind: T, scope: Scope, depth: int) -> list[Callable[[], str]]:
        def value(of: T) -> str:
            return self.value(of, scope, depth)

        def two(left: T, ops: str, right: T) -> Callable[[], str]:
            return lambda: f"({value(left)} {self.one(*ops.split())} {value(right)})"

        match kind:
            case T("int", optional=False):
                return [
                    two(INT, "+ - * %", INT),
                    lambda: f"-{value(INT)}",
                    lambda: f"count({value(self._list(scope))})",
                ]
            case T("decimal", optional=False):
                return [
                    two(DECIMAL, "+ - * / %", self.one(INT, DECIMAL)),
                    two(INT, "/", INT),
                    lambda: f"-{value(DECIMAL)}",
                ]
            case T("text", optional=False):
                return [two(TEXT, "+", self._textual(scope))]
            case T("duration", optional=False):
                return [
                    two(DURATION, "+ -", DURATION),
                    two(DURATION, "*", INT),
                    two(DATETIME, "-", DATETIME),
                    two(DATE, "-", DATE),
                ]
            case T("datetime" | "date", optional=False):
                return [two(kind, "+ -", DURATION)]
            case T("bool", optional=False):
                return self._tests(scope, two, value)
            case T(optional=True) if lists := self.paths(scope, T("list", item=required(kind))):
                return [lambda: f"{self.one('first', 'last')}({self.one(*lists)})"]
            case _:
                return []

    def _tests(
        self, scope: Scope, two: Callable[[T, str, T], Callable[[], str]], value: Callable[[T], str]
    ) -> list[Callable[[], str]]:
        ordered = self.one(INT, DECIMAL, DURATION, DATETIME, DATE)
        same = self.one(*PLAIN[:5], *(kind for _, kind in self.all_paths(scope) if _comparable(kind)))
        absent = [path for path, kind in self.all_paths(scope) if kind.optional]
        tests = [two(BOOL, "and or", BOOL), two(ordered, "< <= > >=", ordered), two(same, "== !=", same)]
        tests += [two(INT, "< >= ==", DECIMAL), lambda: f"(not {value(BOOL)})"]
        if not same.optional:
            tests.append(lambda: f"({value(same)} in {value(T('list', item=same))})")
        return [*tests, lambda: f"({self.one(*absent)} {self.one('==', '!=')} none)"] if absent else tests

    def _list(self, scope: Scope) -> T:
        lists = [kind for _, kind in self.all_paths(scope) if kind.name == "list" and not kind.optional]
        return self.one(T("list", item=INT), *lists)  # type: ignore[no-any-return]  # one of them

    def _textual(self, scope: Scope) -> T:
        texts = [kind for _, kind in self.all_paths(scope) if kind.name in TEXTUAL and not kind.optional]
        return self.one(TEXT, *texts)  # type: ignore[no-any-return]  # one of them


def _comparable(kind: T) -> bool:
    """Json is never compared, nor what holds some."""
    inside = (kind.item, *(part for _, part in kind.fields))
    return kind.name not in ("json", "failure") and all(_comparable(part) for part in inside if part is not None)


def _merged(paths: list[Scope | None]) -> Scope | None:
    """What is known where paths meet: a name is T, or `T?` if some leave it unbound, or of no use."""
    going_on = [path for path in paths if path is not None]
    merged: dict[str, T] = {}
    for name in dict.fromkeys(name for path in going_on for name in path):
        kinds = [path[name] for path in going_on if name in path]
        if len({required(kind) for kind in kinds}) == 1:
            absent = len(kinds) < len(going_on) or any(kind.optional for kind in kinds)
            merged[name] = kinds[0] if kinds[0].optional == absent else replace(kinds[0], optional=absent)
    return merged if going_on else None


# --- deliveries

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from(["", "ana", Decimal("1.50")]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "a b", "id"]), inner, max_size=2),
    max_leaves=4,
)
_PERSON = st.fixed_dictionaries(
    {"id": st.just("p1")}, optional={"name": st.sampled_from(["Ana", None]), "phone": st.just("+5511987654321")}
)
_UTC = st.just(UTC)
SCALARS: Mapping[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(["ana", ""]) | st.text(max_size=5),
    "bool": st.booleans(),
    "int": st.integers(-3, 9) | st.integers(-(2**63), 2**63 - 1),
    "decimal": st.decimals(-1000, 1000, places=2)
    | st.sampled_from([Decimal("0.00"), Decimal("9" * 28), Decimal("1E-10")]),
    "scalar": st.integers(0, 99) | st.text(min_size=1, max_size=4),
    "json": _JSON,
    "phone": st.sampled_from(["+5511987654321", "+551133334444"]),
    "email": st.sampled_from(["ana@example.com", "b.c@x.example"]),
    "url": st.sampled_from(["https://example.com/a?b=c", "http://x.example"]),
    "cpf": st.sampled_from(["52998224725"]),
    "cnpj": st.sampled_from(["00000000000191"]),
    "datetime": st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=_UTC).map(datetime.isoformat)
    | st.sampled_from(["2024-02-29T23:30:00-03:00", "9999-12-31T23:59:59Z"]),
    "date": st.dates().map(date.isoformat),
    "duration": st.builds("{}{}".format, st.integers(0, 999), st.sampled_from(["ms", "s", "m", "h", "d", "w"])),
}


def values(shape: ir.Shape) -> st.SearchStrategy[Any]:
    """JSON of a shape, in its canonical form."""
    match shape:
        case ir.Object(fields=fields):
            wanted = {f.key: values(f.shape) for f in fields if f.required}
            others = {f.key: values(f.shape) | st.none() for f in fields if not f.required}
            return st.fixed_dictionaries(wanted, optional=others)
        case ir.Many(item=item):
            return st.lists(values(item), max_size=3)
        case ir.OneOf(values=texts):
            return st.sampled_from(texts)
        case ir.Scalar(name="text", options=(low, high)):
            return st.text("añ ", min_size=int(low or 0), max_size=int(high) if high is not None else int(low or 0) + 5)
        case ir.Scalar(name="int", options=(low, high)):
            return st.integers(
                int(low) if low is not None else -9, int(high) if high is not None else int(low or 0) + 9
            )
        case ir.Scalar(name=name):
            return SCALARS[name]


def _payload(payload: ir.Object) -> st.SearchStrategy[Any]:
    match payload.fields:
        case (ir.ShapeField(key="", shape=shape),):
            return values(shape)
        case _:
            return values(payload)


_RESULTS: Mapping[str, st.SearchStrategy[Any]] = {
    "upsert person": _PERSON,
    "find person": _PERSON | st.none(),
    "send hsm": st.just("m1"),
}
_REFUSALS = st.sampled_from([Refusal("http_500"), Refusal("timeout", "nada em 15 s")])
encode = msgspec.json.Encoder(decimal_format="number").encode


def deliveries(plan: ir.Plan) -> st.SearchStrategy[Delivery]:
    """Payloads of a plan's shape, and answers for all of its effects: what comes back, or a failure."""
    return st.builds(
        _delivery,
        _payload(plan.payload).map(encode),
        st.fixed_dictionaries(
            {op.step: _answers(op) for op in ir.all_steps(plan) if isinstance(op, ir.Effect | ir.WaitFor)}
        ),
        st.fixed_dictionaries({}, optional={name: st.sampled_from(["", "h1"]) for name in plan.headers}),
        st.fixed_dictionaries({}, optional={name: st.sampled_from(["", "q1"]) for name in plan.query}),
    )


def _answers(op: ir.Effect | ir.WaitFor) -> st.SearchStrategy[list[bytes | Refusal]]:
    """Answers in the order in which a step of a loop takes them."""
    found = values(op.result) if op.result is not None else SCALARS["json"]
    if isinstance(op, ir.Effect):
        found = _RESULTS.get(op.verb, found)
    there: st.SearchStrategy[bytes | Refusal] = found.map(encode)
    return st.lists(st.one_of(there, there, there, _REFUSALS), min_size=1, max_size=2)


def _delivery(
    body: bytes, answers: Mapping[str, list[bytes | Refusal]], headers: Mapping[str, str], query: Mapping[str, str]
) -> Delivery:
    def script(step: str, args: tuple[Any, ...]) -> bytes | Refusal:
        name, _, index = step.partition("[")
        mine = answers[name]
        return mine[(sum(map(int, re.findall(r"\d+", index))) + len(args)) % len(mine)]

    return Delivery(body, script, headers, query, {"erp": "http://erp.example"})
