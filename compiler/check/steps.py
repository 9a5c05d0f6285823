"""Checks the steps of a chain in the order in which they run, from scope to scope."""

import ast
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from compiler.check.commands import Commands, word
from compiler.check.expressions import FAILURE, Expressions
from compiler.check.facts import Environment, Facts
from compiler.check.failing import failures
from compiler.check.written import TypeReader
from compiler.expand import Expanded
from compiler.reports import Reports, listed
from compiler.scope import ROOTS, Binding, Scope
from compiler.types import (
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INT,
    JSON,
    SECRET,
    TEXT,
    Type,
    Unknown,
    fits,
    is_pii,
    is_text,
    required,
    show,
    with_pii,
)
from dsl import Span, has_errors, nodes

_WITHOUT_BODY = (204, 205, 304)


class Steps:
    """Checks chains of one flow."""

    def __init__(self, expanded: Expanded, environment: Environment, facts: Facts, reports: Reports) -> None:
        self._expanded = expanded
        self._in_handler = False
        self._environment = environment
        self.facts = facts
        self.reports = reports
        self.types = TypeReader(reports, environment.types)
        self.expressions = Expressions(environment, facts, reports)
        self._commands = Commands(environment, facts, reports, self.expressions)
        self._versions: dict[str, int] = {}
        self.blocks = 0
        self.inside: list[Literal["parallel", "for", "for parallel"]] = []
        self.misplaced: set[Span] = set()  # a `stop` that was reported ends nothing around it
        self._explicit: list[Binding] = []

    def start(self) -> Scope:
        """The scope of the payload's fields."""
        scope = Scope()
        payload = self._expanded.flow.trigger.payload
        spans: dict[str, Span] = {}
        if isinstance(payload, nodes.RecordType):
            spans = {f.name.text: f.span for f in payload.fields}
        for field in self.facts.payload.fields:
            span = spans.get(field.name, self._expanded.flow.trigger.span)
            lenient = field.name in self._expanded.lenient
            if field.name in ROOTS:
                self._reserved(field.name, span)
            scope = scope.bind(Binding(field.name, f"p.{field.name}", field.type, span, "payload", lenient))
        return scope

    def whole(self, chain: nodes.Chain, scope: Scope, *, handler: bool = False) -> None:
        """Check the chain of a flow or of its handler, to its end."""
        self._in_handler = handler
        after = self.chain(chain, scope)
        if after.ended is None and not handler:
            end = chain.steps[-1].span if chain.steps else self._expanded.flow.trigger.span
            self._answered(after, end)

    @contextmanager
    def failing(self, scope: Scope, node: nodes.Node) -> Iterator[Scope]:
        """The scope in which something has failed: `error` is there."""
        self.blocks += 1
        yield scope.bind(Binding("error", f"error#{self.blocks}", FAILURE, node.span, "step"))

    def unused(self) -> None:
        """Warn of names that a flow writes and never reads; where something is wrong, a use may be lost in it."""
        if has_errors(self.reports.diagnostics):
            return
        for binding in self._explicit:
            if binding.variable not in self.facts.used and not binding.name.startswith("_"):
                self.reports.add(
                    "W210",
                    binding.span,
                    f"`{binding.name}` is never used",
                    "bound here",
                    notes=["leave the name out, or begin it with `_`"],
                )

    def chain(self, chain: nodes.Chain, scope: Scope) -> Scope:
        """Check a chain; the scope after it."""
        told = False
        for step in chain.steps:
            if self.reports.full:
                break
            if scope.ended is not None and not told:
                told = True
                self.reports.add(
                    "E501",
                    step.span,
                    "this step can never run",
                    "unreachable",
                    related=[(scope.ended, "nothing goes on from here")],
                )
            scope = self.step(step, scope)
        return scope

    def step(self, step: nodes.Step, scope: Scope) -> Scope:
        """The scope after a step, and after its `else` if it has one."""
        raise NotImplementedError

    def first_word(self, span: Span) -> Span:
        """The first word under a span."""
        text = self.reports.source.slice(span)
        return Span(span.start, span.start + len(text.split(maxsplit=1)[0]))

    def _bind(self, name: nodes.Name, kind: Type, step: nodes.Step, scope: Scope, *, explicit: bool = False) -> Scope:
        if name.text in ROOTS:
            self._reserved(name.text, name.span)
            return scope
        self._versions[name.text] = self._versions.get(name.text, 0) + 1
        version = self._versions[name.text]
        variable = name.text if version == 1 else f"{name.text}#{version}"
        binding = Binding(name.text, variable, kind, name.span, "step")
        self.facts.binds[id(step)] = binding
        if explicit:
            self._explicit.append(binding)
        return scope.bind(binding)

    def _reserved(self, name: str, span: Span) -> None:
        self.reports.add(
            "E214",
            span,
            f"`{name}` is a word of the language here and cannot be bound",
            "choose another name",
            notes=[f"{listed(ROOTS)} always mean the same"],
        )

    def bind_step(self, step: nodes.BindStep, scope: Scope) -> Scope:
        """`name = expr`."""
        self._commands.clauses(step.clauses)
        self._take_only(step.clauses, ("else",), "a step that only computes")
        found = self.expressions.check(step.value, scope)
        self._over_handled(step)
        if found == SECRET:
            self.reports.add("E601", step.value.span, "a secret cannot be bound to a name", "this is a secret")
            found = Unknown()
        rewrites = isinstance(step.value, nodes.FunctionCall) and step.name.span.start > step.span.start
        return self._bind(step.name, found, step, scope, explicit=not rewrites)

    def _over_handled(self, step: nodes.BindStep) -> None:
        """Warn of an `else` after what cannot fail."""
        for clause in step.clauses:
            if isinstance(clause, nodes.OrElse) and not failures(step.value, self.facts, self._environment):
                before = self.reports.source.text[: clause.span.start]
                span = Span(len(before.rstrip()), clause.span.end)
                fix = self.reports.replace("remove it", span, "", safe=True)
                message = "this cannot fail, so its `else` never runs"
                self.reports.add("W412", clause.span, message, "never runs", fixes=[fix])

    def _take_only(self, clauses: tuple[nodes.Clause, ...], taken: tuple[str, ...], what: str) -> None:
        for clause in clauses:
            if word(clause) not in taken:
                self.reports.add("E206", clause.span, f"{what} takes no `{word(clause)}`", "not expected here")

    def call_step(self, step: nodes.CallStep, scope: Scope) -> Scope:
        """A call that rule R2 did not turn into a binding: its result would be lost."""
        found = self.expressions.check(step.call, scope)
        if not isinstance(found, Unknown):
            name = step.call.name.text
            start = Span(step.span.start, step.span.start)
            self.reports.add(
                "E209",
                step.span,
                f"the result of {name} is not used",
                f"this gives {show(found)}",
                fixes=[self.reports.replace("give it a name", start, "x = ", snippet=f"x = {name}(…)")],
            )
        return scope

    def command(self, step: nodes.Command, scope: Scope) -> Scope:
        """A verb of the catalog, or `emit`."""
        if step.verb.text == "emit" and step.noun is not None:
            return self._emit(step, scope)
        result = self._commands.check(step, scope)
        if result.type is not None:
            self.facts.results[id(step)] = result.type
        named = next((c.name for c in step.clauses if isinstance(c, nodes.As)), None)
        written = named is not None and (step.noun is None or named.span != step.noun.span)
        if named is None and isinstance(result.type, Unknown):
            named = step.noun  # an unknown verb may well have bound its noun
        if named is None or result.type is None:
            return scope
        return self._bind(named, result.type, step, scope, explicit=written)

    def _emit(self, step: nodes.Command, scope: Scope) -> Scope:
        """`emit NAME by KEY with {…}`: wakes the runs that wait for it."""
        self._commands.clauses(step.clauses)
        self._take_only(step.clauses, ("by", "with"), "`emit`")
        if step.literal is not None:
            self.reports.add("E215", step.literal.span, "`emit` takes no quoted text", "not expected here")
        self._event_key(step.clauses, step.head, scope)
        for clause in step.clauses:
            if isinstance(clause, nodes.With):
                self.expressions.expect(clause.value, JSON, scope, "with of emit")
        return scope

    def _event_key(self, clauses: tuple[nodes.Clause, ...], span: Span, scope: Scope) -> None:
        by = next((c for c in clauses if isinstance(c, nodes.By)), None)
        if by is None:
            self.reports.add("E211", span, "an event has a key: say `by …`", "no key")
            return
        self.key(by.value, scope, "the key of an event")

    def key(self, expr: nodes.Expr, scope: Scope, what: str, *, absent: bool = False) -> None:
        """A key is text or a number."""
        found = self.expressions.check(expr, scope)
        inner = required(found) if absent else found
        if not (is_text(inner) or inner in (INT, DECIMAL) or isinstance(inner, Unknown)):
            self.expressions.expect(expr, TEXT, scope, what)

    def code_step(self, step: nodes.CodeStep, scope: Scope) -> Scope:
        """`code(a, b): type` with its Python."""
        self._commands.clauses(step.clauses)
        self._take_only(step.clauses, ("as", "within", "else"), "`code`")
        personal = False
        for param in step.params:
            ref = nodes.NameRef(param.span, param.text)
            found = self.expressions.check(ref, scope)
            personal = personal or is_pii(found)
            if found == SECRET:
                self.reports.add("E601", param.span, "code never gets a secret", "this is a secret")
            if (binding := self.facts.names.get(id(ref))) is not None:
                self.facts.names[id(param)] = binding
        self._python(step)
        for clause in step.clauses:
            if isinstance(clause, nodes.Within):
                self._constant(clause.limit, "`within` of code")
        kind = self.types.read(step.result)
        kind = with_pii(kind) if personal else kind
        self.facts.results[id(step)] = kind
        named = next((c for c in step.clauses if isinstance(c, nodes.As)), None)
        return scope if named is None else self._bind(named.name, kind, step, scope, explicit=True)

    def _constant(self, expr: nodes.Expr, what: str) -> None:
        if not isinstance(expr, nodes.DurationLit):
            self.reports.add("E215", expr.span, f"{what} is a duration such as 30s or 2h", "not a literal")

    def _python(self, step: nodes.CodeStep) -> None:
        """Report what keeps the Python of a code step from being compiled, where it stands in the file."""
        indented = textwrap.indent(textwrap.dedent(step.python), " ")
        try:
            ast.parse(f"async def block():\n{indented}\n pass")
        except SyntaxError as error:
            source = self.reports.source
            line = source.position(step.body.start).line + (error.lineno or 2) - 2
            line = min(line, source.position(step.body.end).line)
            start = source.offset(line) + len(source.line(line)) - len(source.line(line).lstrip())
            end = source.offset(line) + len(source.line(line).rstrip())
            self.reports.add("E111", Span(start, max(start, end)), f"this is not Python: {error.msg}", "here")

    def log(self, step: nodes.Log, scope: Scope) -> Scope:
        """`log expr`."""
        found = self.expressions.check(step.value, scope)
        if not fits(required(found), JSON):  # a line may be of a value that is not there
            self.expressions.expect(step.value, JSON, scope, "`log`")
        return scope

    def stop(self, step: nodes.Stop, scope: Scope) -> Scope:
        """`stop`: the run ends well."""
        if step.value is not None:
            self.expressions.expect(step.value, JSON, scope, "`stop`")
        if self.inside:
            self._misplaced(step.span, "`stop`", "E505")
            self.misplaced.add(step.span)
        else:
            self._answered(scope, step.span)
        return scope.end(step.span)

    def fail(self, step: nodes.Fail, scope: Scope) -> Scope:
        """`fail expr`: the run ends badly."""
        self.expressions.expect(step.value, TEXT, scope, "`fail`")
        return scope.end(step.span)

    def respond(self, step: nodes.Respond, scope: Scope) -> Scope:
        """`respond N expr`, once on each path."""
        if step.body is not None:
            self.expressions.expect(step.body, JSON, scope, "`respond`")
        if not 200 <= step.status <= 599:
            self.reports.add("E219", step.span, "a status is from 200 to 599", "out of range")
        elif step.body is not None and step.status in _WITHOUT_BODY:
            message = f"an answer of {step.status} has no body (RFC 9110)"
            self.reports.add("E219", step.body.span, message, "nobody would get this")
        if self.inside:
            self._misplaced(step.span, "`respond`", "E505")
        elif scope.answered != "no":
            often = "is answered already" if scope.answered == "yes" else "is answered already on some paths"
            self.reports.add("E504", step.span, f"the sender {often}", "a second answer")
        return scope.answer()

    def _answered(self, scope: Scope, span: Span) -> None:
        """Each path of a flow that uses `respond` answers."""
        if self.facts.responds and not self._in_handler and scope.answered != "yes" and scope.ended is None:
            where = "on this path" if scope.answered == "no" else "on some paths that lead here"
            self.reports.add(
                "E502",
                span,
                f"the sender gets no answer {where}",
                "the flow ends here",
                notes=["a flow that uses `respond` answers on every path; `respond 204` answers with nothing"],
            )

    def _misplaced(self, span: Span, what: str, code: str) -> None:
        place = "`parallel`" if self.inside[-1] == "parallel" else "`for`"
        self.reports.add(code, span, f"{what} may not stand inside {place}", f"inside {place}")

    def _durable(self, step: nodes.Step, scope: Scope) -> None:
        if self.facts.responds and scope.answered != "yes":
            self.reports.add(
                "E503",
                self.first_word(step.span),
                "the sender waits for an answer, which comes before any durable wait",
                "waits here",
                notes=["`respond` first, then wait"],
            )
        if "for parallel" in self.inside:
            self._misplaced(self.first_word(step.span), "a durable wait", "E505")

    def wait(self, step: nodes.Wait, scope: Scope) -> Scope:
        """`wait 2h`."""
        self.expressions.expect(step.duration, DURATION, scope, "`wait`")
        self._durable(step, scope)
        return scope

    def wait_until(self, step: nodes.WaitUntil, scope: Scope) -> Scope:
        """`wait until expr`."""
        found = self.expressions.check(step.instant, scope)
        if found not in (DATETIME, DATE) and not isinstance(found, Unknown):
            self.expressions.expect(step.instant, DATETIME, scope, "`wait until`")
        self._durable(step, scope)
        return scope

    def wait_for(self, step: nodes.WaitFor, scope: Scope) -> Scope:
        """`wait for event by key within 2h`."""
        self._commands.clauses(step.clauses)
        self._take_only(step.clauses, ("by", "within", "as", "else"), "`wait for`")
        self._event_key(step.clauses, self.first_word(step.span), scope)
        within = next((c for c in step.clauses if isinstance(c, nodes.Within)), None)
        if within is None:
            self.reports.add("E211", self.first_word(step.span), "say how long at most: `within 2h`", "no end")
        else:
            self._constant(within.limit, "`within` of `wait for`")
        self._durable(step, scope)
        named = next((c for c in step.clauses if isinstance(c, nodes.As)), None)
        kind = self.types.read(named.type) if named is not None and named.type is not None else JSON
        self.facts.results[id(step)] = kind
        return scope if named is None else self._bind(named.name, kind, step, scope, explicit=True)
