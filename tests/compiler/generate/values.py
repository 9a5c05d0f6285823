"""Expressions of a type, written as text."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from hypothesis import strategies as st

from tests.compiler.generate.kinds import (
    BOOL,
    CLASH,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INT,
    JSON,
    LITERALS,
    SIMPLE,
    TEXT,
    TEXTUAL,
    Scope,
    T,
    comparable,
    lists,
    names,
    optional,
    quoted,
    required,
    words,
)

Ways = list[Callable[[], str]]  # in which a value may be written
X = TypeVar("X")

_OURS: tuple[tuple[str, tuple[T, ...], T], ...] = (
    ("length", (TEXT,), INT),
    ("floor", (DECIMAL,), INT),
    ("to_unix", (DATETIME,), INT),
    ("as_int", (JSON,), optional(INT)),
    ("max", (DECIMAL, INT), DECIMAL),
    ("round", (DECIMAL, INT), DECIMAL),
    ("contains", (TEXT, TEXT), BOOL),
    ("upper", (TEXT,), TEXT),
    ("trim", (TEXT,), TEXT),
    ("format_brl", (DECIMAL,), TEXT),
    ("replace", (TEXT, TEXT, TEXT), TEXT),
    ("as_text", (JSON,), optional(TEXT)),
    ("date_of", (DATETIME,), DATE),
    ("add_days", (DATE, INT), DATE),
    ("start_of_day", (DATETIME,), DATETIME),
)


@dataclass(slots=True)
class Values:
    """Writes expressions. `payload` is empty in a def, which sees its parameters alone."""

    draw: st.DrawFn
    payload: Scope = field(default_factory=dict)
    defs: dict[str, tuple[tuple[T, ...], T]] = field(default_factory=dict)
    loops: int = 0

    def one(self, *choices: X) -> X:
        return self.draw(st.sampled_from(choices))

    def maybe(self) -> bool:
        return self.draw(st.booleans())

    # --- what is there

    def all_paths(self, scope: Scope) -> list[tuple[str, T]]:
        """Names and their parts, with their types."""
        found: list[tuple[str, T]] = []
        for name, kind in scope.items():
            found.append((name, kind))
            found += [(f"{name}.{part}", optional(k) if kind.optional else k) for part, k in kind.fields]
            if kind.item is not None:
                found += [(f"{name}[{index}]", optional(kind.item)) for index in (0, 2)]
            if kind.name == "json":
                found += [(f"{name}.a", optional(JSON)), (f'{name}["a b"]', optional(JSON))]
        return [(path, kind) for path, kind in found if kind != CLASH] + (self._roots() if self.payload else [])

    def _roots(self) -> list[tuple[str, T]]:
        texts = [(path, TEXT) for path in ("run.id", "run.flow", "config.erp")]
        absent = [(path, optional(TEXT)) for path in ('headers["X-Id"]', "query.q")]
        return [*texts, *absent, ("run.at", DATETIME), *((f"payload.{name}", k) for name, k in self.payload.items())]

    def paths(self, scope: Scope, wanted: T) -> list[str]:
        """Paths of exactly a type."""
        return [path for path, kind in self.all_paths(scope) if kind == wanted]

    def holes(self, scope: Scope) -> list[str]:
        """Paths that may stand in a hole of a text."""
        return [path for path, kind in self.all_paths(scope) if holds(kind) and '"' not in path]

    def _there(self, kind: T, scope: Scope) -> bool:
        """Whether a value of a type can be had."""
        return bool(self.paths(scope, kind) or self._made(kind, scope, 0))

    # --- values

    def any(self, scope: Scope) -> tuple[str, T]:
        """A value of some type."""
        kind = self.one(*SIMPLE, *(kind for _, kind in self.all_paths(scope)))
        return self.value(kind, scope, 2), kind

    def record(self, scope: Scope) -> str:
        """A record of whatever there is."""
        keys = self.draw(st.lists(names | st.just('"a b"'), max_size=2, unique=True))
        return "{" + ", ".join(f"{key}: {self.any(scope)[0]}" for key in keys) + "}"

    def value(self, kind: T, scope: Scope, depth: int) -> str:
        """A value of exactly a type, of which there is one in scope or a literal."""
        ways: Ways = [partial(self.one, *found)] if (found := self.paths(scope, kind)) else []
        ways += self._made(kind, scope, depth)
        if depth > 0:
            ways += self._computed(kind, scope, depth - 1)
        return self.one(*ways)()

    def _made(self, kind: T, scope: Scope, depth: int) -> Ways:
        """Literals of a type."""
        ways: Ways = [partial(self.one, *LITERALS[kind])] if kind in LITERALS else []
        if kind == TEXT:
            ways.append(lambda: self._text(scope))
        if kind.name == "list" and kind.item is not None and not kind.optional and self._there(kind.item, scope):
            item = kind.item
            ways.append(lambda: f"[{', '.join(self.value(item, scope, depth - 1) for _ in range(self.one(1, 2)))}]")
        if kind.name == "record" and not kind.optional and all(self._there(part, scope) for _, part in kind.fields):
            ways.append(lambda: self._fields(kind, scope, depth))
        return ways

    def _fields(self, kind: T, scope: Scope, depth: int) -> str:
        return "{" + ", ".join(f"{name}: {self.value(part, scope, depth - 1)}" for name, part in kind.fields) + "}"

    def _text(self, scope: Scope) -> str:
        written, holes = quoted(self.draw(words)), self.holes(scope)
        return f'{written[:-1]}{{{self.one(*holes)}}} {{{self.one(*holes)}}}"' if holes and self.maybe() else written

    def _computed(self, kind: T, scope: Scope, depth: int) -> Ways:
        """Operations and calls that give a type."""
        ways = self._operations(kind, scope, depth) + self._calls(kind, scope, depth)
        absent = [] if kind.optional else self.paths(scope, optional(kind))
        if absent:
            ways.append(lambda: f"({self.one(*absent)} ?? {self.value(kind, scope, depth)})")
        if kind.name == "list" and kind.item is not None and not kind.optional:
            item = kind.item
            ways += [lambda: self._each(item, scope, depth)] if self._there(item, scope) else []
        return ways

    def _calls(self, kind: T, scope: Scope, depth: int) -> Ways:
        known = [*_OURS, *((name, params, result) for name, (params, result) in self.defs.items())]
        return [
            partial(self._call, name, params, scope, depth)
            for name, params, result in known
            if result == kind and all(self._there(param, scope) for param in params)
        ]

    def _call(self, name: str, params: tuple[T, ...], scope: Scope, depth: int) -> str:
        return f"{name}({', '.join(self.value(kind, scope, depth) for kind in params)})"

    def _each(self, item: T, scope: Scope, depth: int) -> str:
        self.loops += 1
        name, source = f"i{self.loops}", self.one(INT, TEXT, item)
        items, inner = self.value(lists(source), scope, depth), {**scope, name: source}
        condition = f" if {self.value(BOOL, inner, depth)}" if self.maybe() else ""
        return f"[{self.value(item, inner, depth)} for {name} in {items}{condition}]"

    # --- operators

    def _two(self, left: T, ops: str, right: T, scope: Scope, depth: int) -> str:
        """An operation; now and then precedence decides what belongs together."""
        written = f"{self.value(left, scope, depth)} {self.one(*ops.split())} {self.value(right, scope, depth)}"
        return f"({written})"

    def _operations(self, kind: T, scope: Scope, depth: int) -> Ways:
        ways: Ways = [partial(self._two, *operands, scope, depth) for operands in self._operands(kind, scope)]
        match kind:
            case T("int" | "decimal", optional=False):
                ways.append(lambda: f"-{self.value(kind, scope, depth)}")
                ways += [lambda: f"count({self.value(self.a_list(scope), scope, depth)})"] if kind == INT else []
            case T("text", optional=False) if self.payload:
                ways.append(lambda: f"hmac_sha256(secret.TOKEN, {self.value(TEXT, scope, depth)})")
            case T("bool", optional=False):
                ways.append(lambda: f"(not {self.value(BOOL, scope, depth)})")
                ways += [lambda: self._absent(scope)]
            case T(optional=True) if found := self.paths(scope, lists(required(kind))):
                ways.append(lambda: f"{self.one('first', 'last')}({self.one(*found)})")
            case _:
                pass
        return ways

    def _operands(self, kind: T, scope: Scope) -> list[tuple[T, str, T]]:
        """Left type, operators, right type of what gives a type."""
        if kind == BOOL:
            return self._tests(scope)
        textual = self.one(TEXT, *(k for _, k in self.all_paths(scope) if k.name in TEXTUAL and not k.optional))
        return {
            INT: [(INT, "+ - * %", INT)],
            DECIMAL: [(DECIMAL, "+ - * / %", self.one(INT, DECIMAL)), (INT, "/", INT)],
            TEXT: [(TEXT, "+", textual)],
            DURATION: [(DURATION, "+ -", DURATION), (DURATION, "*", INT), (DATETIME, "-", DATETIME), (DATE, "-", DATE)],
            DATETIME: [(DATETIME, "+ -", DURATION)],
            DATE: [(DATE, "+ -", DURATION)],
        }.get(kind, [])

    def _tests(self, scope: Scope) -> list[tuple[T, str, T]]:
        ordered = self.one(INT, DECIMAL, DURATION, DATETIME, DATE)
        compared = self.one(*SIMPLE, *(kind for _, kind in self.all_paths(scope) if comparable(kind)))
        tests = [(BOOL, "and or", BOOL), (ordered, "< <= > >=", ordered), (compared, "== !=", compared)]
        tests.append((INT, "< >= ==", DECIMAL))
        return tests if compared.optional else [*tests, (compared, "in", lists(compared))]

    def _absent(self, scope: Scope) -> str:
        absent = [path for path, kind in self.all_paths(scope) if kind.optional]
        return f"({self.one(*absent)} {self.one('==', '!=')} none)" if absent else "true"

    def a_list(self, scope: Scope) -> T:
        """The type of some list that can be had."""
        return self.one(lists(INT), *(k for _, k in self.all_paths(scope) if k.name == "list" and not k.optional))


def holds(kind: T) -> bool:
    """Whether a value of a type may stand in a hole of a text."""
    return not kind.optional and (kind.name in TEXTUAL or kind in (INT, DECIMAL))
