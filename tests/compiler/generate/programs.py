"""Programs that are well typed, for property tests.

They are written as text, so that everything from the grammar on takes part. The writer knows the types of the names in
scope by rules of its own (docs/language.md), which tests the checker too: it must find nothing to refuse.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tests.compiler.generate.kinds import (
    BOOL,
    CLASH,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    ERROR,
    INT,
    JSON,
    LITERALS,
    PERSON,
    PHONE,
    PLAIN_NAMES,
    SIMPLE,
    TEXT,
    Scope,
    T,
    lists,
    merged,
    names,
    optional,
    quoted,
    required,
    types,
)
from tests.compiler.generate.values import Values, holds

_DEPTH = 3  # of blocks
_STEPS = 12  # of a flow
_DEFAULTS = (INT, DECIMAL, BOOL)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The text of a file with one flow, and perhaps defs."""
    return _Writer(draw).file()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a step stands, and what may stand there."""

    scope: Scope
    waits: bool = True
    stops: bool = True  # not in a loop, nor in a branch of `parallel`, nor before the answer
    depth: int = 0

    def inside(self, scope: Scope, *, waits: bool = True, stops: bool = True) -> "_Place":
        return _Place(scope, self.waits and waits, self.stops and stops, self.depth + 1)


Written = tuple[str, Scope | None]  # a step and the scope after it; None where nothing goes on


@dataclass(slots=True)
class _Writer(Values):
    left: int = _STEPS

    # --- a file

    def file(self) -> str:
        defs = [self._def(name) for name in self.one((), ("f",), ("f", "text_of"))]
        fields = st.lists(st.tuples(names, types, st.booleans()), min_size=1, max_size=5, unique_by=lambda f: f[0])
        self.payload = {name: optional(kind) if absent else kind for name, kind, absent in self.draw(fields)}
        return "\n".join(["flow f_1", *self._flow(self.payload), *defs])

    def _def(self, name: str) -> str:
        params = {"add": self.one(*SIMPLE, JSON), "x": self.one(INT, optional(TEXT), lists(INT))}
        result = self.one(INT, TEXT, DECIMAL, BOOL)
        body = self.value(result, params, 2)
        self.defs[name] = (tuple(params.values()), result)
        return f"def {name}({', '.join(f'{param}: {kind}' for param, kind in params.items())}): {result} = {body}"

    def _flow(self, payload: Scope) -> list[str]:
        written = ", ".join(self._field(name, kind) for name, kind in payload.items())
        lines, after = self._answered(payload) if self.maybe() else ([], payload)
        clauses = self._clauses(payload) if lines else self._clauses(payload) + self._answer()
        if after is not None:
            lines += self.chain(_Place(after))[0] or ["-> log 1"]
        if self.maybe():
            handler, _ = self.chain(_Place({**payload, "error": ERROR}, waits=False))
            lines += ["on error", *(handler or ["-> log error.message"])]
        return [f"on webhook {clauses}{{{written}}}", *lines]

    def _answered(self, payload: Scope) -> tuple[list[str], Scope | None]:
        """Steps up to the answer of a flow that responds."""
        lines, after = self.chain(_Place(payload, waits=False, stops=False))
        return (lines, None) if after is None else ([*lines, self._respond(after)], after)

    def _field(self, name: str, kind: T) -> str:
        key = f'"{name}-{name}" as ' if name in PLAIN_NAMES and self.maybe() else ""
        default = f" = {self.one(*LITERALS[kind])}" if kind in _DEFAULTS and self.maybe() else ""
        return f"{key}{name}: {kind}{default}"

    def _clauses(self, payload: Scope) -> str:
        keys = [name for name, kind in payload.items() if holds(required(kind))]
        return self.one("", f"dedupe by {self.one(*keys)} for 24h ", f"serial by {self.one(*keys)} ") if keys else ""

    def _answer(self) -> str:
        return self.one("", "answer 202 with {run: run.id} ")

    def _respond(self, scope: Scope) -> str:
        body = self.record(scope)
        either = f"-> if {self._condition(scope, 1)} {{ -> respond 204 }} else {{ -> respond 404 {body} -> stop }}"
        return self.one(f"-> respond 200 {body}", either)

    # --- steps

    def chain(self, place: _Place) -> tuple[list[str], Scope | None]:
        """The steps of a chain, and the scope after them."""
        lines: list[str] = []
        for _ in range(min(self.draw(st.integers(0, 4)), self.left)):
            self.left -= 1
            written, after = self.one(*self._kinds(place))(place)
            lines.append(f"-> {written}")
            if after is None:
                return lines, None
            place = replace(place, scope=after)
        return lines, place.scope

    def block(self, place: _Place) -> Written:
        lines, after = self.chain(place)
        return "{ " + " ".join(lines) + " }", after

    def _kinds(self, place: _Place) -> list[Callable[[_Place], Written]]:
        kinds: list[Callable[[_Place], Written]] = [
            self._log,
            self._bind,
            self._bind,
            self._http,
            self._code,
            self._emit,
            self._person,
        ]
        kinds += [self._sleep, self._wait_for] if place.waits else []
        kinds += [self._if, self._narrow, self._match, self._parallel, self._for] if place.depth < _DEPTH else []
        return [*kinds, self._end] if place.depth else kinds

    def _log(self, place: _Place) -> Written:
        return f"log {self.any(place.scope)[0]}", place.scope

    def _bind(self, place: _Place) -> Written:
        value, kind = self.any(place.scope)
        name = self.draw(names)
        return self._else(f"{name} = {value}", place, name, kind)

    def _else(self, written: str, place: _Place, name: str = "", kind: T = JSON) -> Written:
        """A step that binds a name or none, and may have an `else`; a failed step leaves its name as it was."""
        after = {**place.scope, name: replace(kind)} if name else place.scope
        if place.depth >= _DEPTH or not self.maybe():
            return written, after
        block, failed = self.block(place.inside({**place.scope, "error": ERROR}))
        if failed is not None and "error" not in place.scope:
            failed = {name: kind for name, kind in failed.items() if name != "error"}
        return f"{written} else {block}", merged([after, failed])

    def _http(self, place: _Place) -> Written:
        verb = self.one("post", "get", "put", "patch", "delete")
        host = self.one("https://a.example", "{config.erp}")
        holes = self.holes(place.scope)
        hole = f"/{{{self.one(*holes)}}}" if holes and self.maybe() else ""
        with_ = f" with {self.record(place.scope)}" if verb != "delete" and self.maybe() else ""
        retry = self.one("", " retry 3", " retry 2 every 1s..5m", " within 2h")
        return self._bound(f'{verb} "{host}/p{hole}"{with_}{retry}', place)

    def _bound(self, written: str, place: _Place) -> Written:
        """A step whose result is json, or of a type that the flow says, and may be bound."""
        if not self.maybe():
            return self._else(written, place)
        name, kind = self.draw(names), self.draw(st.just(JSON) | types)
        return self._else(f"{written} as {name}" + ("" if kind == JSON else f": {kind}"), place, name, kind)

    def _emit(self, place: _Place) -> Written:
        with_ = f" with {self.record(place.scope)}" if self.maybe() else ""
        return f"emit pago by {self.value(self.one(TEXT, INT, DECIMAL), place.scope, 1)}{with_}", place.scope

    def _code(self, place: _Place) -> Written:
        params = [name for name, kind in place.scope.items() if name not in ("class", "error") and kind != CLASH][:2]
        name, kind = self.draw(names), self.draw(types)
        written = f"code({', '.join(params)}): {kind} ```python\n  return None\n  ``` as {name}"
        return self._else(written, place, name, kind)

    def _person(self, place: _Place) -> Written:
        key = self.value(PHONE, place.scope, 0)
        match self.one("upsert", "find", "find or", "send"):
            case "upsert":
                written = f"upsert person by {key} with {{nome: {self.value(TEXT, place.scope, 1)}}}"
                return self._else(written, place, "person", PERSON)
            case "find":
                return f"find person by {key}", {**place.scope, "person": optional(PERSON)}
            case "find or":
                block, nothing = self.block(place.inside(place.scope))
                return f"find person by {key} as c else {block}", merged(
                    [{**place.scope, "c": replace(PERSON)}, nothing]
                )
            case _:
                to = self.one(key, *self.paths(place.scope, PERSON))
                value = self.value(self.one(TEXT, INT, DECIMAL), place.scope, 1)
                return self._else(f'send hsm "oi" to {to} with {{a: {value}}}', place)

    def _sleep(self, place: _Place) -> Written:
        kind = self.one(DURATION, DATETIME, DATE)
        return f"wait {'until ' if kind != DURATION else ''}{self.value(kind, place.scope, 1)}", place.scope

    def _wait_for(self, place: _Place) -> Written:
        return self._bound(f"wait for pago by {self.value(TEXT, place.scope, 1)} within 2h", place)

    def _if(self, place: _Place) -> Written:
        paths: list[Scope | None] = []
        arms: list[str] = []
        for _ in range(self.one(1, 2)):
            block, after = self.block(place.inside(place.scope))
            arms.append(f"if {self._condition(place.scope, 2)} {block}")
            paths.append(after)
        block, after = self.block(place.inside(place.scope)) if self.maybe() else ("", place.scope)
        return " else ".join([*arms, block] if block else arms), merged([*paths, after])

    def _condition(self, scope: Scope, depth: int) -> str:
        """A condition that tells nothing of what may be absent: of that only `_narrow` keeps the books."""
        written = self.value(BOOL, scope, depth)
        return f"({written}) == true" if "none" in written else written

    def _narrow(self, place: _Place) -> Written:
        """A test of absence: the name is there on one side of it."""
        absent = [name for name, kind in place.scope.items() if kind.optional]
        if not absent:
            return self._if(place)
        name = self.one(*absent)
        known = {**place.scope, name: required(place.scope[name])}
        condition = self._condition(known, 1)
        test = self.one(f"{name} != none", f"not (none == {name})", f"{name} != none and {condition}")
        block, after = self.block(place.inside(known))
        other, otherwise = self.block(place.inside(place.scope))
        return f"if {test} {block} else {other}", merged([after, otherwise])

    def _match(self, place: _Place) -> Written:
        """All values of an enum or a bool, or some of anything else and `else`."""
        closed = [(path, kind) for path, kind in self.all_paths(place.scope) if kind.name in ("enum", "bool")]
        other = self.one(INT, TEXT, DECIMAL)
        subject, kind = self.one(*closed) if closed else (self.value(other, place.scope, 1), other)
        patterns = _patterns(kind)
        covered = self.draw(st.integers(0, len(patterns)))
        whole = covered == len(patterns) and kind.name in ("enum", "bool")
        arms = [*patterns[:covered], *([] if whole and self.maybe() else ["else"])]
        cases: list[str] = []
        paths: list[Scope | None] = []
        for arm in arms:
            there = kind.optional and subject in place.scope and arm != "none" and (arm != "else" or "none" in arms)
            inner = {**place.scope, subject: required(kind)} if there else place.scope
            block, after = self.block(place.inside(inner))
            cases.append(f"{arm} => {block}")
            paths.append(after)
        return f"match {subject} {{ {' '.join(cases)} }}", merged(paths)

    def _parallel(self, place: _Place) -> Written:
        """What two branches bind is of no use afterwards."""
        branches: list[str] = []
        after, bound = dict(place.scope), set[str]()
        for name in self.one(("a",), ("a", "class"), ("a", "b", "ctx")):
            block, end = self.block(place.inside(place.scope, stops=False))
            if end is None:  # then nothing could follow
                block, end = "{ }", place.scope
            branches.append(f"{name} {block}")
            mine = {n: kind for n, kind in end.items() if place.scope.get(n) is not kind}
            after |= {n: CLASH if n in bound else kind for n, kind in mine.items()}
            bound |= mine.keys()
        return f"parallel {{ {' '.join(branches)} }}", after

    def _for(self, place: _Place) -> Written:
        self.loops += 1
        name, kind = f"i{self.loops}", self.a_list(place.scope)
        items = self.value(kind, place.scope, 1)
        limits = self.one("", " max 2", " max 50 parallel 4")
        scope = {**place.scope, name: kind.item or INT}
        block, _ = self.block(place.inside(scope, waits="parallel" not in limits, stops=False))
        return f"for {name} in {items}{limits} {block}", place.scope

    def _end(self, place: _Place) -> Written:
        fail = f"fail {self.value(TEXT, place.scope, 1)}"
        return (self.one("stop", "stop {a: 1}", fail) if place.stops else fail), None


def _patterns(kind: T) -> list[str]:
    match kind.name:
        case "enum":
            found = [quoted(value) for value in kind.values]
        case "text":
            found = [quoted("ana"), quoted("")]
        case name:
            found = {"bool": ["true", "false"], "int": ["1", "-3, 7"], "decimal": ["0.5", "2"]}[name]
    return [*found, "none"] if kind.optional else found
