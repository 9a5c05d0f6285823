"""Types of expressions. A failed expression is Unknown, and silences those that use it."""

from collections.abc import Iterable

from compiler.catalog import Function, Param
from compiler.check.facts import Definition, Environment, Facts
from compiler.check.written import catalog_type
from compiler.reports import Reports, listed, nearest
from compiler.scope import ROOTS, Binding, Scope
from compiler.types import (
    BOOL,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INT,
    JSON,
    PII_TEXT,
    SECRET,
    TEXT,
    Clash,
    EnumOf,
    FieldOf,
    ListOf,
    NoneType,
    OptionalOf,
    Prim,
    RecordOf,
    Type,
    Unknown,
    bind,
    fits,
    is_pii,
    is_text,
    join,
    optional,
    required,
    show,
    substitute,
    with_pii,
)
from dsl import nodes
from dsl.diagnostics import Fix
from dsl.source import Span

_RUN = RecordOf((FieldOf("id", TEXT, "id"), FieldOf("flow", TEXT, "flow"), FieldOf("at", DATETIME, "at")))
FAILURE = RecordOf(
    (FieldOf("step", TEXT), FieldOf("code", TEXT), FieldOf("message", TEXT), FieldOf("attempt", INT)), "failure"
)


class Expressions:
    """Checks the expressions of one flow and notes their types in its facts."""

    def __init__(self, environment: Environment, facts: Facts, reports: Reports) -> None:
        self._environment = environment
        self._facts = facts
        self._reports = reports
        self._loops = 0

    def check(self, expr: nodes.Expr, scope: Scope) -> Type:
        """The type of an expression in a scope."""
        found = self._check(expr, scope)
        self._facts.types[id(expr)] = found
        return found

    def expect(self, expr: nodes.Expr, wanted: Type, scope: Scope, where: str) -> Type:
        """Check an expression that must have a type; `where` names the slot in the message."""
        found = self.check(expr, scope)
        if fits(found, wanted):
            return found
        if isinstance(found, OptionalOf) and fits(found.inner, wanted):
            self._absent(expr, found, wanted, where)
        elif found == SECRET:
            self._secret(expr.span)
        else:
            self._reports.add(
                "E301",
                expr.span,
                f"{where} needs {show(wanted)}, but this is {show(found)}",
                f"this is {show(found)}, {show(wanted)} is required",
            )
        return Unknown()

    def _absent(self, expr: nodes.Expr, found: OptionalOf, wanted: Type, where: str) -> None:
        text = self._reports.source.slice(expr.span)
        related: list[tuple[Span, str]] = []
        fixes: list[Fix] = [self._reports.replace(f"{text} ?? …    use a default", expr.span, f"{text} ?? ")]
        if isinstance(expr, nodes.NameRef) and (binding := self._facts.names.get(id(expr))) is not None:
            if binding.span != expr.span:
                related.append((binding.span, "may be absent since here"))
            if binding.lenient:
                fixes.append(
                    Fix(f"on webhook {{{expr.name}: {show(found.inner)}}}    declare and require it", "choose")
                )
        self._reports.add(
            "E311",
            expr.span,
            f"`{text}` may be absent, but {where} needs {show(wanted)}",
            f"this is {show(found)}, {show(wanted)} is required",
            related=related,
            fixes=fixes,
        )

    def _secret(self, span: Span) -> None:
        self._reports.add("E601", span, "a secret may go only into a parameter that takes one", "this is a secret")

    def _mismatch(self, code: str, span: Span, message: str, label: str) -> Type:
        self._reports.add(code, span, message, label)
        return Unknown()

    # --- by kind of node

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

    def _name(self, expr: nodes.NameRef, scope: Scope) -> Type:
        if (binding := scope.get(expr.name)) is not None:
            self._facts.names[id(expr)] = binding
            self._facts.used.add(binding.variable)
            if isinstance(binding.type, Clash):
                return self._clash(expr, binding)
            return binding.type
        if expr.name == "payload":
            self._facts.roots[id(expr)] = "payload"
            return self._facts.payload
        if expr.name in ROOTS:
            return self._bare_root(expr)
        names = [binding.name for binding in scope]
        meant = nearest(expr.name, names)
        fixes = []
        if meant is not None:
            fixes.append(self._reports.replace(f"replace `{expr.name}` by `{meant}`", expr.span, meant, safe=True))
        notes = [f"in scope: {listed(names)}" if names else "nothing is in scope here"]
        if meant is None:
            notes.append(f"if the sender sends it, declare it: on webhook {{{expr.name}: text}}")
        self._reports.add(
            "E201",
            expr.span,
            f"no value named `{expr.name}` here",
            f"did you mean `{meant}`?" if meant else "unknown name",
            notes=notes,
            fixes=fixes,
        )
        return Unknown()

    def _clash(self, expr: nodes.NameRef, binding: Binding) -> Type:
        self._reports.add(
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
            return self._mismatch("E210", expr.span, message, "nothing has failed here")
        message = f"`{expr.name}` is read by its parts, such as `{_EXAMPLES[expr.name]}`"
        return self._mismatch("E210", expr.span, message, "not a value by itself")

    def _text(self, expr: nodes.Text, scope: Scope) -> Type:
        holes = [self.hole(part, scope) for part in expr.parts if isinstance(part, nodes.Hole)]
        return PII_TEXT if any(map(is_pii, holes)) else TEXT

    def hole(self, hole: nodes.Hole, scope: Scope) -> Type:
        """The type of a hole, which takes text kinds, int or decimal, and never what may be absent."""
        found = self.check(hole.path, scope)
        if isinstance(found, Unknown) or is_text(found) or found in (INT, DECIMAL):
            return found
        if isinstance(found, OptionalOf):
            self._absent(hole.path, found, TEXT, "a hole in text")
        elif found == SECRET:
            self._secret(hole.span)
        else:
            self._mismatch(
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
        value = self.check(expr.value, scope)
        inner = required(value)
        if isinstance(inner, Unknown):
            return Unknown()
        if inner == JSON:
            return optional(JSON)
        field = inner.field(expr.name.text) if isinstance(inner, RecordOf) else None
        if field is None:
            return self._no_field(expr, inner)
        return optional(field.type) if isinstance(value, OptionalOf) else field.type

    def _root_field(self, root: str, expr: nodes.FieldOf) -> Type:
        self._facts.roots[id(expr)] = root
        name = expr.name.text
        if root == "secret":
            return SECRET
        if root in ("headers", "query"):
            return self._request(expr, root, name)
        if root == "run":
            field = _RUN.field(name)
            return field.type if field is not None else self._no_field(expr, _RUN)
        if name in self._environment.config:
            return TEXT
        known = sorted(self._environment.config)
        self._reports.add(
            "E216",
            expr.name.span,
            f"seta.toml has no `{name}` under [config]",
            "not configured",
            notes=[f"configured: {listed(known)}" if known else "nothing is configured"],
            fixes=[Fix(f'{name} = "…"    under [config] in seta.toml', "choose")],
        )
        return TEXT

    def _request(self, expr: nodes.Expr, root: str, name: str) -> Type:
        """A header or query parameter: absent, or text."""
        self._facts.roots[id(expr)] = root
        if root == "headers":
            self._facts.headers.add(name.lower())
        else:
            self._facts.query.add(name)
        return optional(TEXT)

    def _no_field(self, expr: nodes.FieldOf, value: Type) -> Type:
        name = expr.name.text
        names = [field.name for field in value.fields] if isinstance(value, RecordOf) else []
        meant = nearest(name, names)
        fixes = []
        if meant is not None:
            fixes.append(self._reports.replace(f"replace `{name}` by `{meant}`", expr.name.span, meant, safe=True))
        self._reports.add(
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
            return self._mismatch("E215", expr.index.span, message, "not a literal")
        value = required(self.check(expr.value, scope))
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
                return self._mismatch("E302", expr.span, message, "needs an array or json")

    def _unary(self, expr: nodes.Unary, scope: Scope) -> Type:
        if expr.op == "not":
            self.expect(expr.value, BOOL, scope, "`not`")
            return BOOL
        found = self.check(expr.value, scope)
        if found in (INT, DECIMAL) or isinstance(found, Unknown):
            return found
        return self._mismatch("E302", expr.span, f"`-` needs a number, not {show(found)}", f"this is {show(found)}")

    # --- operators

    def _binary(self, expr: nodes.Binary, scope: Scope) -> Type:
        match expr.op:
            case "and" | "or":
                self.expect(expr.left, BOOL, scope, f"`{expr.op}`")
                self.expect(expr.right, BOOL, scope, f"`{expr.op}`")
                return BOOL
            case "??":
                return self._coalesce(expr, scope)
            case "==" | "!=":
                return self._equality(expr, scope)
            case "<" | "<=" | ">" | ">=":
                return self._order(expr, scope)
            case "in":
                return self._within(expr, scope)
            case _:
                return self._arithmetic(expr, scope)

    def _coalesce(self, expr: nodes.Binary, scope: Scope) -> Type:
        left, right = self.check(expr.left, scope), self.check(expr.right, scope)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return Unknown()
        if not isinstance(left, OptionalOf | NoneType):
            self._reports.add("W411", expr.op_span, "this is never absent, so its default is never used", "not needed")
            return left
        joined = join([required(left), right]) if not isinstance(left, NoneType) else right
        if required(left) == JSON and fits(required(right), JSON):
            joined = optional(JSON) if isinstance(right, OptionalOf) else JSON
        if joined is None and is_text(required(left)) and is_text(required(right)):
            joined = TEXT if not isinstance(right, OptionalOf) else optional(TEXT)
        if joined is None:
            message = f"a default for {show(left)} cannot be {show(right)}"
            return self._mismatch("E302", expr.right.span, message, f"this is {show(right)}")
        return joined

    def _equality(self, expr: nodes.Binary, scope: Scope) -> Type:
        left, right = self.check(expr.left, scope), self.check(expr.right, scope)
        if isinstance(left, NoneType) or isinstance(right, NoneType):
            return BOOL
        if JSON in (required(left), required(right)):
            return self._mismatch("E302", expr.span, "json cannot be compared: convert it first", "one side is json")
        if not _comparable(left, right):
            self._operands(expr, left, right, "compares two values of one type")
        return BOOL

    def _within(self, expr: nodes.Binary, scope: Scope) -> Type:
        left, right = self._present(expr.left, scope), self._present(expr.right, scope)
        if _any_unknown((left, right)):
            return BOOL
        if not isinstance(right, ListOf) or not _comparable(left, right.item) or required(right.item) == JSON:
            self._operands(expr, left, right, "asks whether an array holds a value of its type")
        return BOOL

    def _order(self, expr: nodes.Binary, scope: Scope) -> Type:
        left, right = self._present(expr.left, scope), self._present(expr.right, scope)
        same = left == right and left in (INT, DECIMAL, DURATION, DATETIME, DATE)
        if not same and {left, right} != {INT, DECIMAL} and not _any_unknown((left, right)):
            self._operands(expr, left, right, "compares numbers, dates or durations of one type")
        return BOOL

    def _arithmetic(self, expr: nodes.Binary, scope: Scope) -> Type:
        left, right = self._present(expr.left, scope), self._present(expr.right, scope)
        if _any_unknown((left, right)):
            return Unknown()
        if expr.op == "+" and is_text(left) and is_text(right):
            return PII_TEXT if is_pii(left) or is_pii(right) else TEXT
        if {left, right} <= {INT, DECIMAL}:
            return INT if {left, right} == {INT} and expr.op != "/" else DECIMAL
        if (moved := _TIMES.get((left, expr.op, right))) is not None:
            return moved
        needs = "joins text to text, adds numbers, or moves a time" if expr.op == "+" else "needs two numbers"
        return self._operands(expr, left, right, needs)

    def _present(self, expr: nodes.Expr, scope: Scope) -> Type:
        """The type of an operand, which must not be absent."""
        found = self.check(expr, scope)
        if isinstance(found, OptionalOf):
            self._absent(expr, found, found.inner, "this operator")
            return Unknown()
        return found

    def _operands(self, expr: nodes.Binary, left: Type, right: Type, needs: str) -> Type:
        return self._mismatch(
            "E302",
            expr.op_span,
            f"`{expr.op}` {needs}, not {show(left)} and {show(right)}",
            f"{show(left)} on the left, {show(right)} on the right",
        )

    # --- records, lists, calls

    def _record(self, expr: nodes.Record, scope: Scope) -> Type:
        fields: dict[str, FieldOf] = {}
        for entry in unique_entries(expr.entries, self._reports):
            found = self.check(entry.value, scope)
            if found == SECRET:
                self._secret(entry.value.span)
                found = Unknown()
            fields[entry.key.text] = FieldOf(entry.key.text, found, entry.key.text)
        return RecordOf(tuple(fields.values()))

    def _list(self, expr: nodes.ListLit, scope: Scope) -> Type:
        types = [self.check(item, scope) for item in expr.items]
        if SECRET in types:
            self._secret(expr.span)
            return Unknown()
        joined = join(types)
        if joined is None:
            joined = TEXT if all(is_text(found) for found in types) else JSON
        return ListOf(joined)

    def _call(self, expr: nodes.FunctionCall, scope: Scope) -> Type:
        if (definition := self._environment.defs.get(expr.name.text)) is not None:
            return self._definition(expr, definition, scope)
        function = self._environment.catalog.functions.get(expr.name.text)
        if function is None:
            for arg in expr.args:
                self.check(arg.value, scope)
            return self._no_function(expr)
        bound: dict[str, Type] = {}
        for arg, param in self._params(expr, function):
            self._argument(arg, param, function, scope, bound)
        result = substitute(catalog_type(function.result, self._environment.catalog), bound)
        personal = any(is_pii(self._facts.types.get(id(arg.value), Unknown())) for arg in expr.args)
        return with_pii(result) if personal else result

    def _definition(self, expr: nodes.FunctionCall, definition: Definition, scope: Scope) -> Type:
        """A call of a `def` of the folder: arguments go by place."""
        name = expr.name.text
        if len(expr.args) != len(definition.params) or any(arg.name is not None for arg in expr.args):
            signature = ", ".join(f"{param}: {show(kind)}" for param, kind in definition.params)
            self._mismatch("E213", expr.span, f"{name} takes {len(definition.params)} by place", f"{name}({signature})")
        for arg, (param, kind) in zip(expr.args, definition.params, strict=False):
            self.expect(arg.value, kind, scope, f"{param} of {name}")
        return definition.result

    def _argument(
        self, arg: nodes.Arg, param: Param, function: Function, scope: Scope, bound: dict[str, Type]
    ) -> None:
        wanted = catalog_type(param.type, self._environment.catalog)
        found = self.check(arg.value, scope)
        if not bind(wanted, found, bound):
            self.expect(arg.value, substitute(wanted, bound), scope, f"{param.name} of {function.name}")
        if param.constant and not (isinstance(arg.value, nodes.Text) and arg.value.static is not None):
            self._mismatch(
                "E215",
                arg.value.span,
                f"{param.name} of {function.name} is part of the plan: only quoted text may stand here",
                "not a literal",
            )

    def _params(self, expr: nodes.FunctionCall, function: Function) -> list[tuple[nodes.Arg, Param]]:
        """Pair arguments with parameters; what does not pair is reported."""
        by_name = {param.name: param for param in function.params}
        free = list(function.params)
        pairs: list[tuple[nodes.Arg, Param]] = []
        for arg in expr.args:
            param = by_name.get(arg.name.text) if arg.name is not None else (free[0] if free else None)
            if param is None or param not in free:
                signature = f"{function.name}({', '.join(_shown(p) for p in function.params)})"
                what = "is given twice or unknown" if arg.name is not None else "is one too many"
                self._mismatch("E213", arg.span, f"this argument of {function.name} {what}", f"it takes {signature}")
                continue
            free.remove(param)
            pairs.append((arg, param))
        missing = [param.name for param in free if param.required]
        if missing:
            self._mismatch("E213", expr.span, f"{function.name} needs {listed(missing)}", "argument missing")
        return pairs

    def _no_function(self, expr: nodes.FunctionCall) -> Type:
        meant = nearest(expr.name.text, [*self._environment.catalog.functions, *self._environment.defs])
        fixes = []
        if meant is not None:
            fixes.append(
                self._reports.replace(f"replace `{expr.name.text}` by `{meant}`", expr.name.span, meant, safe=True)
            )
        self._reports.add(
            "E203",
            expr.name.span,
            f"there is no function `{expr.name.text}`",
            f"did you mean `{meant}`?" if meant else "unknown function",
            notes=[f"the folder defines {listed(sorted(self._environment.defs))}"] if self._environment.defs else [],
            fixes=fixes,
        )
        return Unknown()

    def _comprehension(self, expr: nodes.Comprehension, scope: Scope) -> Type:
        """`[value for name in items if condition]`; the name is there inside only, and shadows nothing."""
        items = self._present(expr.items, scope)
        item = items.item if isinstance(items, ListOf) else Unknown()
        if not isinstance(items, ListOf | Unknown):
            self._mismatch("E302", expr.items.span, f"`for` goes through an array, not {show(items)}", "not an array")
        inner = self.loop(expr.name, item, scope)
        self._facts.binds[id(expr)] = inner.names[expr.name.text]
        if expr.condition is not None:
            self.expect(expr.condition, BOOL, inner, "`if`")
        return ListOf(self.check(expr.value, inner))

    def loop(self, name: nodes.Name, item: Type, scope: Scope) -> Scope:
        """The scope inside a loop over values of a type."""
        if name.text in ROOTS or scope.get(name.text) is not None:
            self._mismatch("E214", name.span, f"`{name.text}` means something else already", "choose another name")
        self._loops += 1
        return scope.bind(Binding(name.text, f"{name.text}_each{self._loops}", item, name.span, "step"))


_EXAMPLES = {
    "run": "run.id",
    "config": "config.NAME",
    "secret": "secret.NAME",
    "headers": 'headers["x-id"]',
    "query": "query.id",
}

_TIMES: dict[tuple[Type, str, Type], Type] = {
    (DATETIME, "+", DURATION): DATETIME,
    (DATETIME, "-", DURATION): DATETIME,
    (DATETIME, "-", DATETIME): DURATION,
    (DATE, "+", DURATION): DATE,
    (DATE, "-", DURATION): DATE,
    (DATE, "-", DATE): DURATION,
    (DURATION, "+", DURATION): DURATION,
    (DURATION, "-", DURATION): DURATION,
    (DURATION, "*", INT): DURATION,
    (INT, "*", DURATION): DURATION,
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


def _shown(param: Param) -> str:
    return f"{param.name}: {param.type}" if param.required else f"{param.name}: {param.type}?"


def _any_unknown(types: tuple[Type, ...]) -> bool:
    return any(isinstance(found, Unknown) for found in types)


def _comparable(left: Type, right: Type) -> bool:
    a, b = required(left), required(right)
    if _any_unknown((a, b)) or a == b:
        return True
    if is_text(a) and is_text(b):
        return not (isinstance(a, EnumOf) and isinstance(b, EnumOf))
    return {a, b} == {INT, DECIMAL}
