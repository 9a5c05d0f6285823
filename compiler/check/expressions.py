"""Types of expressions. A failed expression is Unknown, and silences those that use it."""

from collections.abc import Iterable

from compiler.check.calls import Calls
from compiler.check.narrow import dotted
from compiler.check.operators import Operators
from compiler.reports import Reports, listed, way
from compiler.scope import ROOTS, Binding, Scope
from compiler.types import (
    BOOL,
    DATETIME,
    DECIMAL,
    DURATION,
    INT,
    JSON,
    PII_TEXT,
    SECRET,
    TEXT,
    Clash,
    FieldOf,
    ListOf,
    NoneType,
    OptionalOf,
    Prim,
    RecordOf,
    Type,
    Unknown,
    is_pii,
    is_text,
    join,
    optional,
    required,
    show,
)
from dsl import nodes

_RUN = RecordOf((FieldOf("id", TEXT, "id"), FieldOf("flow", TEXT, "flow"), FieldOf("at", DATETIME, "at")))
FAILURE = RecordOf(
    (FieldOf("step", TEXT), FieldOf("code", TEXT), FieldOf("message", TEXT), FieldOf("attempt", INT)), "failure"
)


class Expressions(Operators, Calls):
    """Checks the expressions of one flow and notes their types in its facts."""

    def check(self, expr: nodes.Expr, scope: Scope) -> Type:
        """The type of an expression in a scope."""
        found = self._check(expr, scope)
        self.facts.types[id(expr)] = found
        return found

    def _check(self, expr: nodes.Expr, scope: Scope) -> Type:  # noqa: C901, PLR0912  # one case a kind of node
        match expr:
            case nodes.NameRef():
                return self._name(expr, scope)
            case nodes.IntLit():
                return INT
            case nodes.DecimalLit():
                return DECIMAL
            case nodes.BoolLit():
                return BOOL
            case nodes.NoneLit():
                return NoneType()
            case nodes.DurationLit():
                return DURATION
            case nodes.Text():
                return self._text(expr, scope)
            case nodes.FieldOf():
                return self._field(expr, scope)
            case nodes.Index():
                return self._index(expr, scope)
            case nodes.FunctionCall():
                return self._call(expr, scope)
            case nodes.Unary():
                return self._unary(expr, scope)
            case nodes.Binary():
                return self._binary(expr, scope)
            case nodes.Record():
                return self._record(expr, scope)
            case nodes.ListLit():
                return self._list(expr, scope)
            case nodes.Comprehension():
                return self._comprehension(expr, scope)

    def _name(self, expr: nodes.NameRef, scope: Scope, *, field_of: bool = False) -> Type:  # noqa: C901  # what a name may be, in order
        if (binding := scope.get(expr.name)) is not None:
            self.facts.names[id(expr)] = binding
            self.facts.used.add(binding.variable)
            if isinstance(binding.type, Clash):
                return self._clash(expr, binding)
            return binding.type
        if expr.name == "payload":
            self.facts.roots[id(expr)] = "payload"
            if not field_of:
                self.reports.add("N202", expr.span, "the payload is used whole: every field of it goes along")
            return self.facts.payload
        if expr.name in ROOTS:
            return self._bare_root(expr)
        if expr.name in (self.reports.unread or ()):
            return Unknown()  # it may well be bound in what could not be read
        names = [binding.name for binding in scope]
        meant = self.reports.nearest(expr.name, names)
        fixes = []
        if meant is not None:
            fixes.append(self.reports.replace(f"replace `{expr.name}` by `{meant}`", expr.span, meant, safe=True))
        notes = [f"in scope: {listed(names)}" if names else "nothing is in scope here"]
        if meant is None:
            notes.append(f"if the sender sends it, declare it: on webhook {{{expr.name}: text}}")
        self.reports.add(
            "E201",
            expr.span,
            f"no value named `{expr.name}` here",
            f"did you mean `{meant}`?" if meant else "unknown name",
            notes=notes,
            fixes=fixes,
        )
        return Unknown()

    def _clash(self, expr: nodes.NameRef, binding: Binding) -> Type:
        self.reports.add(
            "E305",
            expr.span,
            f"`{expr.name}` has another type on each path that leads here",
            "no one type",
            related=[(binding.span, "bound here, and otherwise on another path")],
            notes=["bind it to one type on all paths, or to another name"],
        )
        return Unknown()

    def _bare_root(self, expr: nodes.NameRef) -> Type:
        if expr.name == "error":
            message = "`error` is there in `else` and `on error` only"
            return self.mismatch("E210", expr.span, message, "nothing has failed here")
        message = f"`{expr.name}` is read by its parts, such as `{_EXAMPLES[expr.name]}`"
        return self.mismatch("E210", expr.span, message, "not a value by itself")

    def _text(self, expr: nodes.Text, scope: Scope) -> Type:
        holes = [self.hole(part, scope) for part in expr.parts if isinstance(part, nodes.Hole)]
        return PII_TEXT if any(map(is_pii, holes)) else TEXT

    def hole(self, hole: nodes.Hole, scope: Scope) -> Type:
        """The type of a hole, which takes text kinds, int or decimal, and never what may be absent."""
        found = self.check(hole.path, scope)
        if isinstance(found, Unknown) or is_text(found) or found in (INT, DECIMAL):
            return found
        if isinstance(found, OptionalOf):
            self.absent(hole.path, found, TEXT, "a hole in text")
        elif found == SECRET:
            self.secret(hole.span)
        else:
            self.mismatch(
                "E303",
                hole.span,
                f"a hole in text takes text, int or decimal, not {show(found)}",
                f"this is {show(found)}",
            )
        return found

    def _field(self, expr: nodes.FieldOf, scope: Scope) -> Type:
        root = expr.value.name if isinstance(expr.value, nodes.NameRef) else ""
        if root in ("run", "config", "secret", "headers", "query") and scope.get(root) is None:
            return self._root_field(root, expr)
        if isinstance(expr.value, nodes.NameRef):
            value = self.facts.types[id(expr.value)] = self._name(expr.value, scope, field_of=True)
        else:
            value = self.check(expr.value, scope)
        inner = required(value)
        if isinstance(inner, Unknown):
            return Unknown()
        if inner == JSON:
            return JSON if self._is_there(expr, scope) else optional(JSON)
        field = inner.field(expr.name.text) if isinstance(inner, RecordOf) else None
        if field is None:
            return self._no_field(expr, inner)
        found = optional(field.type) if isinstance(value, OptionalOf) else field.type
        return required(found) if self._is_there(expr, scope) else found

    def _is_there(self, expr: nodes.FieldOf, scope: Scope) -> bool:
        """Whether a condition has told that this path is there."""
        root, path = dotted(expr)
        binding = scope.get(root) if root is not None else None
        return binding is not None and (binding.variable, path) in scope.present

    def _root_field(self, root: str, expr: nodes.FieldOf) -> Type:
        self.facts.roots[id(expr)] = root
        name = expr.name.text
        if root == "secret":
            self.facts.secrets.add(name)
            return SECRET
        if root in ("headers", "query"):
            return self._request(expr, root, name)
        if root == "run":
            field = _RUN.field(name)
            return field.type if field is not None else self._no_field(expr, _RUN)
        if name in self.environment.config:
            return TEXT
        known = sorted(self.environment.config)
        self.reports.add(
            "E216",
            expr.name.span,
            f"seta.toml has no `{name}` under [config]",
            "not configured",
            notes=[f"configured: {listed(known)}" if known else "nothing is configured"],
            fixes=[way(f'{name} = "…"', "under [config] in seta.toml")],
        )
        return TEXT

    def _request(self, expr: nodes.Expr, root: str, name: str) -> Type:
        """A header or query parameter: absent, or text."""
        self.facts.roots[id(expr)] = root
        if root == "headers":
            self.facts.headers.add(name.lower())
        else:
            self.facts.query.add(name)
        return optional(TEXT)

    def _no_field(self, expr: nodes.FieldOf, value: Type) -> Type:
        name = expr.name.text
        names = [field.name for field in value.fields] if isinstance(value, RecordOf) else []
        meant = self.reports.nearest(name, names)
        fixes = []
        if meant is not None:
            fixes.append(self.reports.replace(f"replace `{name}` by `{meant}`", expr.name.span, meant, safe=True))
        self.reports.add(
            "E210",
            expr.name.span,
            f"{show(value)} has no field `{name}`",
            f"did you mean `{meant}`?" if meant else "no such field",
            notes=[f"its fields are {listed(names)}"] if names else [],
            fixes=fixes,
        )
        return Unknown()

    def _index(self, expr: nodes.Index, scope: Scope) -> Type:
        root = expr.value.name if isinstance(expr.value, nodes.NameRef) else ""
        if root in ("headers", "query") and scope.get(root) is None:
            if isinstance(expr.index, nodes.Text) and expr.index.static is not None:
                return self._request(expr, root, expr.index.static)
            message = f"`{root}` takes a name in quotes, so that only what the flow names is kept"
            return self.mismatch("E215", expr.index.span, message, "not a literal")
        value = required(self.check(expr.value, scope))
        self._not_negative(expr)
        self.expect(expr.index, INT if value != JSON else JSON, scope, "an index")
        match value:
            case ListOf(item):
                return optional(item)
            case Prim("json"):
                return optional(JSON)
            case Unknown():
                return Unknown()
            case _:
                message = f"{show(value)} cannot be read by an index"
                return self.mismatch("E302", expr.span, message, "needs an array or json")

    def _not_negative(self, expr: nodes.Index) -> None:
        match expr.index:
            case nodes.Unary(op="-", value=nodes.IntLit(value=back)):
                array = self.reports.source.slice(expr.value.span)
                fixes = [self.reports.replace("the last one", expr.span, f"last({array})")] if back == 1 else []
                message = "an index counts from the start of an array, from 0"
                self.reports.add("E304", expr.index.span, message, "never there", fixes=fixes)
            case _:
                pass

    def _record(self, expr: nodes.Record, scope: Scope) -> Type:
        fields: dict[str, FieldOf] = {}
        for entry in unique_entries(expr.entries, self.reports):
            found = self.check(entry.value, scope)
            if found == SECRET:
                self.secret(entry.value.span)
                found = Unknown()
            fields[entry.key.text] = FieldOf(entry.key.text, found, entry.key.text)
        return RecordOf(tuple(fields.values()))

    def _list(self, expr: nodes.ListLit, scope: Scope) -> Type:
        types = [self.check(item, scope) for item in expr.items]
        if SECRET in types:
            self.secret(expr.span)
            return Unknown()
        joined = join(types)
        return ListOf(joined if joined is not None else _common(types))

    def _comprehension(self, expr: nodes.Comprehension, scope: Scope) -> Type:
        """`[value for name in items if condition]`; the name is there inside only, and shadows nothing."""
        items = self.present(expr.items, scope)
        item = items.item if isinstance(items, ListOf) else Unknown()
        if not isinstance(items, ListOf | Unknown):
            self.mismatch("E302", expr.items.span, f"`for` goes through an array, not {show(items)}", "not an array")
        inner = self.loop(expr.name, item, scope)
        self.facts.binds[id(expr)] = inner.names[expr.name.text]
        if expr.condition is not None:
            self.expect(expr.condition, BOOL, inner, "`if`")
        return ListOf(self.check(expr.value, inner))

    def loop(self, name: nodes.Name, item: Type, scope: Scope) -> Scope:
        """The scope inside a loop over values of a type."""
        if name.text in ROOTS or scope.get(name.text) is not None:
            self.mismatch("E214", name.span, f"`{name.text}` means something else already", "choose another name")
        self._loops += 1
        return scope.bind(Binding(name.text, f"{name.text}#each{self._loops}", item, name.span, "step"))


def _common(types: list[Type]) -> Type:
    """The type of an array of several: what all of them may stand for, otherwise json."""
    if all(is_text(found) for found in types):
        return TEXT
    return DECIMAL if all(found in (INT, DECIMAL) for found in types) else JSON


_EXAMPLES = {
    "run": "run.id",
    "config": "config.NAME",
    "secret": "secret.NAME",
    "headers": 'headers["x-id"]',
    "query": "query.id",
}


def unique_entries(entries: Iterable[nodes.Entry], reports: Reports) -> list[nodes.Entry]:
    """The entries of a record without repeated keys, which are reported."""
    seen: dict[str, nodes.Entry] = {}
    for entry in entries:
        first = seen.setdefault(entry.key.text, entry)
        if first is not entry:
            reports.add(
                "E207",
                entry.key.span,
                f"`{entry.key.text}` is given twice",
                "given again here",
                related=[(first.key.span, "first given here")],
            )
    return list(seen.values())
