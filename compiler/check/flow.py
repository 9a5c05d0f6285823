"""Walks the steps of a flow in the order in which they run, from scope to scope."""

import ast
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from compiler.check.commands import Commands, word
from compiler.check.expressions import FAILURE, Expressions
from compiler.check.facts import Environment, Facts
from compiler.check.narrow import narrow
from compiler.check.patterns import check_patterns, pattern_value
from compiler.check.trigger import check_trigger, payload_fields
from compiler.check.written import TypeReader
from compiler.expand import Expanded
from compiler.reports import Reports, listed
from compiler.scope import ROOTS, Binding, Scope, merge, narrowed
from compiler.types import (
    BOOL,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INT,
    JSON,
    SECRET,
    TEXT,
    Clash,
    ListOf,
    Type,
    Unknown,
    fits,
    is_pii,
    is_text,
    required,
    show,
    with_pii,
)
from dsl import Source, Span, has_errors, nodes

MAX_ITEMS = 1000  # of a `for` that says no `max`


def check_flow(expanded: Expanded, environment: Environment, reports: Reports) -> Facts:
    """Check a flow that `expand` has written out; all problems go to `reports`."""
    facts = Facts()
    flow = expanded.flow
    facts.responds = any(isinstance(node, nodes.Respond) for node in nodes.walk(flow))
    types = TypeReader(reports, environment.types)
    facts.payload, facts.fields = payload_fields(expanded, types, reports)
    _inferred_note(expanded, reports)
    checker = _Steps(expanded, environment, facts, reports)
    payload = checker.start()
    check_trigger(expanded, checker.expressions, payload, facts, reports)
    if not flow.chain.steps:
        reports.add("E219", flow.trigger.span, "this flow does nothing", "no `->` follows")
    checker.whole(flow.chain, payload)
    if flow.handler is not None:
        with checker.failing(payload, flow.handler) as scope:
            facts.binds[id(flow.handler)] = scope.names["error"]
            checker.whole(flow.handler, scope, handler=True)
    checker.unused()
    return facts


def same_names(flows: list[tuple[Source, Expanded, Reports]]) -> None:
    """A folder is one namespace: names and paths of flows are unique in it."""
    names: dict[str, Span] = {}
    paths: dict[str, Span] = {}
    for _, expanded, reports in flows:
        _claim(names, expanded.name, expanded.flow.name or expanded.flow.trigger, "flow", reports)
        path = expanded.flow.trigger.path
        if path is not None and path.static is not None:
            _claim(paths, path.static, path, "path", reports)


def _claim(taken: dict[str, Span], name: str, node: nodes.Node, what: str, reports: Reports) -> None:
    if name in taken:
        reports.add(
            "E208",
            node.span,
            f"the {what} `{name}` exists already in this folder",
            f"a second {what} of that name",
            notes=[f"every {what} of a folder has a name of its own"],
        )
    taken.setdefault(name, node.span)


def _inferred_note(expanded: Expanded, reports: Reports) -> None:
    fill = next((f for f in expanded.fills if f.rule == "R1" and expanded.inferred), None)
    if fill is not None:
        trigger = expanded.flow.trigger
        end = Span(fill.offset, fill.offset)
        reports.add(
            "N201",
            trigger.span,
            "the payload of this flow is inferred from use",
            notes=[fill.says],
            fixes=[reports.replace(f"write it down: on webhook{fill.text}", end, fill.text)],
        )


class _Steps:
    """Checks chains of one flow."""

    def __init__(
        self, expanded: Expanded, environment: Environment, facts: Facts, reports: Reports
    ) -> None:
        self._expanded = expanded
        self._facts = facts
        self._reports = reports
        self._types = TypeReader(reports, environment.types)
        self.expressions = Expressions(environment, facts, reports)
        self._commands = Commands(environment, facts, reports, self.expressions)
        self._versions: dict[str, int] = {}
        self._blocks = 0
        self._inside: list[Literal["parallel", "for", "for parallel"]] = []
        self._explicit: list[Binding] = []

    # --- a whole chain

    def start(self) -> Scope:
        """The scope of the payload's fields."""
        scope = Scope()
        payload = self._expanded.flow.trigger.payload
        spans: dict[str, Span] = {}
        if isinstance(payload, nodes.RecordType):
            spans = {f.name.text: f.span for f in payload.fields}
        for field in self._facts.payload.fields:
            span = spans.get(field.name, self._expanded.flow.trigger.span)
            lenient = field.name in self._expanded.lenient
            if field.name in ROOTS:
                self._reserved(field.name, span)
            scope = scope.bind(Binding(field.name, f"p.{field.name}", field.type, span, "payload", lenient))
        return scope

    def whole(self, chain: nodes.Chain, scope: Scope, *, handler: bool = False) -> None:
        """Check the chain of a flow or of its handler, to its end."""
        after = self.chain(chain, scope)
        if after.ended is None and not handler:
            end = chain.steps[-1].span if chain.steps else self._expanded.flow.trigger.span
            self._answered(after, end)

    @contextmanager
    def failing(self, scope: Scope, node: nodes.Node) -> Iterator[Scope]:
        """The scope in which something has failed: `error` is there."""
        self._blocks += 1
        yield scope.bind(Binding("error", f"error_{self._blocks}", FAILURE, node.span, "step"))

    def unused(self) -> None:
        """Warn of names that a flow writes and never reads; where something is wrong, a use may be lost in it."""
        if has_errors(self._reports.diagnostics):
            return
        for binding in self._explicit:
            if binding.variable not in self._facts.used and not binding.name.startswith("_"):
                self._reports.add(
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
            if scope.ended is not None and not told:
                told = True
                self._reports.add(
                    "E501",
                    step.span,
                    "this step can never run",
                    "unreachable",
                    related=[(scope.ended, "nothing goes on from here")],
                )
            scope = self._step(step, scope)
        return scope

    def _step(self, step: nodes.Step, scope: Scope) -> Scope:
        check: Callable[[nodes.Step, Scope], Scope] = getattr(self, f"_{type(step).__name__.lower()}")
        after = check(step, scope)
        otherwise = next((c for c in getattr(step, "clauses", ()) if isinstance(c, nodes.OrElse)), None)
        return after if otherwise is None else self._else(step, otherwise, scope, after)

    def _first_word(self, span: Span) -> Span:
        text = self._reports.source.slice(span)
        return Span(span.start, span.start + len(text.split(maxsplit=1)[0]))

    def _bind(self, name: nodes.Name, kind: Type, step: nodes.Step, scope: Scope, *, explicit: bool = False) -> Scope:
        if name.text in ROOTS:
            self._reserved(name.text, name.span)
            return scope
        self._versions[name.text] = self._versions.get(name.text, 0) + 1
        version = self._versions[name.text]
        variable = name.text if version == 1 else f"{name.text}_{version}"
        binding = Binding(name.text, variable, kind, name.span, "step")
        self._facts.binds[id(step)] = binding
        if explicit:
            self._explicit.append(binding)
        return scope.bind(binding)

    def _reserved(self, name: str, span: Span) -> None:
        self._reports.add(
            "E214",
            span,
            f"`{name}` is a word of the language here and cannot be bound",
            "choose another name",
            notes=[f"{listed(ROOTS)} always mean the same"],
        )

    # --- steps

    def _bindstep(self, step: nodes.BindStep, scope: Scope) -> Scope:
        self._commands.clauses(step.clauses)
        self._take_only(step.clauses, ("else",), "a step that only computes")
        found = self.expressions.check(step.value, scope)
        if found == SECRET:
            self._reports.add("E601", step.value.span, "a secret cannot be bound to a name", "this is a secret")
            found = Unknown()
        rewrites = isinstance(step.value, nodes.FunctionCall) and step.name.span.start > step.span.start
        return self._bind(step.name, found, step, scope, explicit=not rewrites)

    def _take_only(self, clauses: tuple[nodes.Clause, ...], taken: tuple[str, ...], what: str) -> None:
        for clause in clauses:
            if word(clause) not in taken:
                self._reports.add("E206", clause.span, f"{what} takes no `{word(clause)}`", "not expected here")

    def _callstep(self, step: nodes.CallStep, scope: Scope) -> Scope:
        """A call that rule R2 did not turn into a binding: its result would be lost."""
        found = self.expressions.check(step.call, scope)
        if not isinstance(found, Unknown):
            name = step.call.name.text
            start = Span(step.span.start, step.span.start)
            self._reports.add(
                "E209",
                step.span,
                f"the result of {name} is not used",
                f"this gives {show(found)}",
                fixes=[self._reports.replace(f"x = {name}(…)    give it a name", start, "x = ")],
            )
        return scope

    def _command(self, step: nodes.Command, scope: Scope) -> Scope:
        if step.verb.text == "emit" and step.noun is not None:
            return self._emit(step, scope)
        result = self._commands.check(step, scope)
        if result.type is not None:
            self._facts.results[id(step)] = result.type
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
            self._reports.add("E215", step.literal.span, "`emit` takes no quoted text", "not expected here")
        self._event_key(step.clauses, step.head, scope)
        for clause in step.clauses:
            if isinstance(clause, nodes.With):
                self.expressions.expect(clause.value, JSON, scope, "with of emit")
        return scope

    def _event_key(self, clauses: tuple[nodes.Clause, ...], span: Span, scope: Scope) -> None:
        by = next((c for c in clauses if isinstance(c, nodes.By)), None)
        if by is None:
            self._reports.add("E211", span, "an event has a key: say `by …`", "no key")
            return
        self.key(by.value, scope, "the key of an event")

    def key(self, expr: nodes.Expr, scope: Scope, what: str, *, absent: bool = False) -> None:
        """A key is text or a number."""
        found = self.expressions.check(expr, scope)
        inner = required(found) if absent else found
        if not (is_text(inner) or inner in (INT, DECIMAL) or isinstance(inner, Unknown)):
            self.expressions.expect(expr, TEXT, scope, what)

    def _codestep(self, step: nodes.CodeStep, scope: Scope) -> Scope:
        self._commands.clauses(step.clauses)
        self._take_only(step.clauses, ("as", "within", "else"), "`code`")
        personal = False
        for param in step.params:
            ref = nodes.NameRef(param.span, param.text)
            found = self.expressions.check(ref, scope)
            personal = personal or is_pii(found)
            if found == SECRET:
                self._reports.add("E601", param.span, "code never gets a secret", "this is a secret")
            if (binding := self._facts.names.get(id(ref))) is not None:
                self._facts.names[id(param)] = binding
        self._python(step)
        for clause in step.clauses:
            if isinstance(clause, nodes.Within):
                self._constant(clause.limit, "`within` of code")
        kind = self._types.read(step.result)
        kind = with_pii(kind) if personal else kind
        self._facts.results[id(step)] = kind
        named = next((c for c in step.clauses if isinstance(c, nodes.As)), None)
        return scope if named is None else self._bind(named.name, kind, step, scope, explicit=True)

    def _constant(self, expr: nodes.Expr, what: str) -> None:
        if not isinstance(expr, nodes.DurationLit):
            self._reports.add("E215", expr.span, f"{what} is a duration such as 30s or 2h", "not a literal")

    def _python(self, step: nodes.CodeStep) -> None:
        """Report what keeps the Python of a code step from being compiled, where it stands in the file."""
        indented = textwrap.indent(textwrap.dedent(step.python), " ")
        try:
            ast.parse(f"async def block():\n{indented}\n pass")
        except SyntaxError as error:
            source = self._reports.source
            line = source.position(step.body.start).line + (error.lineno or 2) - 2
            line = min(line, source.position(step.body.end).line)
            start = source.offset(line) + len(source.line(line)) - len(source.line(line).lstrip())
            end = source.offset(line) + len(source.line(line).rstrip())
            self._reports.add("E111", Span(start, max(start, end)), f"this is not Python: {error.msg}", "here")

    def _log(self, step: nodes.Log, scope: Scope) -> Scope:
        found = self.expressions.check(step.value, scope)
        if not fits(required(found), JSON):  # a line may be of a value that is not there
            self.expressions.expect(step.value, JSON, scope, "`log`")
        return scope

    # --- ends, answers and waits

    def _stop(self, step: nodes.Stop, scope: Scope) -> Scope:
        if step.value is not None:
            self.expressions.expect(step.value, JSON, scope, "`stop`")
        if self._inside:
            self._misplaced(step.span, "`stop`", "E505")
        else:
            self._answered(scope, step.span)
        return scope.end(step.span)

    def _fail(self, step: nodes.Fail, scope: Scope) -> Scope:
        self.expressions.expect(step.value, TEXT, scope, "`fail`")
        return scope.end(step.span)

    def _respond(self, step: nodes.Respond, scope: Scope) -> Scope:
        if step.body is not None:
            self.expressions.expect(step.body, JSON, scope, "`respond`")
        if not 200 <= step.status <= 599:
            self._reports.add("E219", step.span, "a status is from 200 to 599", "out of range")
        if self._inside:
            self._misplaced(step.span, "`respond`", "E505")
        elif scope.answered != "no":
            often = "is answered already" if scope.answered == "yes" else "is answered already on some paths"
            self._reports.add("E504", step.span, f"the sender {often}", "a second answer")
        return scope.answer()

    def _answered(self, scope: Scope, span: Span) -> None:
        """Each path of a flow that uses `respond` answers."""
        if self._facts.responds and scope.answered != "yes" and scope.ended is None:
            where = "on this path" if scope.answered == "no" else "on some paths that lead here"
            self._reports.add(
                "E502",
                span,
                f"the sender gets no answer {where}",
                "the flow ends here",
                notes=["a flow that uses `respond` answers on every path; `respond 204` answers with nothing"],
            )

    def _misplaced(self, span: Span, what: str, code: str) -> None:
        place = "`parallel`" if self._inside[-1] == "parallel" else "`for`"
        self._reports.add(code, span, f"{what} may not stand inside {place}", f"inside {place}")

    def _durable(self, step: nodes.Step, scope: Scope) -> None:
        if self._facts.responds and scope.answered != "yes":
            self._reports.add(
                "E503",
                self._first_word(step.span),
                "the sender waits for an answer, which comes before any durable wait",
                "waits here",
                notes=["`respond` first, then wait"],
            )
        if "for parallel" in self._inside:
            self._misplaced(self._first_word(step.span), "a durable wait", "E505")

    def _wait(self, step: nodes.Wait, scope: Scope) -> Scope:
        self.expressions.expect(step.duration, DURATION, scope, "`wait`")
        self._durable(step, scope)
        return scope

    def _waituntil(self, step: nodes.WaitUntil, scope: Scope) -> Scope:
        found = self.expressions.check(step.instant, scope)
        if found not in (DATETIME, DATE) and not isinstance(found, Unknown):
            self.expressions.expect(step.instant, DATETIME, scope, "`wait until`")
        self._durable(step, scope)
        return scope

    def _waitfor(self, step: nodes.WaitFor, scope: Scope) -> Scope:
        self._commands.clauses(step.clauses)
        self._take_only(step.clauses, ("by", "within", "as", "else"), "`wait for`")
        self._event_key(step.clauses, self._first_word(step.span), scope)
        within = next((c for c in step.clauses if isinstance(c, nodes.Within)), None)
        if within is None:
            self._reports.add("E211", self._first_word(step.span), "say how long at most: `within 2h`", "no end")
        else:
            self._constant(within.limit, "`within` of `wait for`")
        self._durable(step, scope)
        named = next((c for c in step.clauses if isinstance(c, nodes.As)), None)
        kind = self._types.read(named.type) if named is not None and named.type is not None else JSON
        self._facts.results[id(step)] = kind
        return scope if named is None else self._bind(named.name, kind, step, scope, explicit=True)

    # --- blocks

    def _merged(self, step: nodes.Step, before: Scope, paths: list[Scope]) -> Scope:
        self._blocks += 1
        after, self._facts.merges[id(step)] = merge(before, paths, f"m{self._blocks}")
        for merged in self._facts.merges[id(step)]:
            self._facts.used.update(source.variable for source in merged.sources if source is not None)
        return after

    def _else(self, step: nodes.Step, clause: nodes.OrElse, before: Scope, after: Scope) -> Scope:
        """`else { … }` after a step: runs when it fails; a failed step leaves its name unbound."""
        finds = (verb := self._facts.verbs.get(id(step))) is not None and verb.finds
        if finds and (binding := self._facts.binds.get(id(step))) is not None:
            after = narrowed(after, binding.name)
            return self._merged(step, before, [after, self.chain(clause.chain, before)])
        with self.failing(before, clause) as scope:
            self._facts.binds[id(clause)] = scope.names["error"]
            failed = self.chain(clause.chain, scope).without("error")
        return self._merged(step, before, [after, failed])

    def _if(self, step: nodes.If, scope: Scope) -> Scope:
        paths, otherwise = [], scope
        for arm in step.arms:
            self.expressions.expect(arm.condition, BOOL, otherwise, "`if`")
            paths.append(self.chain(arm.chain, narrow(arm.condition, otherwise, holds=True)))
            otherwise = narrow(arm.condition, otherwise, holds=False)
        if step.otherwise is not None:
            otherwise = self.chain(step.otherwise, otherwise)
        return self._merged(step, scope, [*paths, otherwise])

    def _match(self, step: nodes.Match, scope: Scope) -> Scope:
        subject = self.expressions.check(step.subject, scope)
        check_patterns(step, subject, self._reports)
        paths: list[Scope] = []
        none_left = True
        for case in step.cases:
            takes_none = any(pattern_value(pattern) is None for pattern in case.patterns)
            there = (bool(case.patterns) and not takes_none) or (not case.patterns and not none_left)
            none_left = none_left and not takes_none
            inner = scope
            if there and isinstance(step.subject, nodes.NameRef):
                inner = narrowed(scope, step.subject.name)
            paths.append(self.chain(case.chain, inner))
        return self._merged(step, scope, paths) if paths else scope

    def _parallel(self, step: nodes.Parallel, scope: Scope) -> Scope:
        """All branches see what was before; what they bind is there afterwards."""
        names: dict[str, nodes.Branch] = {}
        after, bound = scope, dict[str, nodes.Branch]()
        self._inside.append("parallel")
        for branch in step.branches:
            first = names.setdefault(branch.name.text, branch)
            if first is not branch:
                related = [(first.name.span, "first here")]
                self._reports.add("E207", branch.name.span, "two branches have this name", "again", related=related)
            end = self.chain(branch.chain, scope)
            for name, binding in end.names.items():
                if scope.get(name) == binding:
                    continue
                clash = name in bound
                bound[name] = branch
                after = after.bind(Binding(name, binding.variable, Clash(), binding.span, "step") if clash else binding)
        self._inside.pop()
        return after

    def _for(self, step: nodes.For, scope: Scope) -> Scope:
        """The body for each item; it binds nothing outside."""
        items = self.expressions.check(step.items, scope)
        if not isinstance(items, ListOf | Unknown):
            self.expressions.expect(step.items, ListOf(Unknown()), scope, "`for`")
        for given, what in ((step.max, "max"), (step.parallel, "parallel")):
            if len(given) > 1:
                self._reports.add("E207", step.span, f"`{what}` is given twice", "")
            if any(number < 1 for number in given):
                self._reports.add("E219", step.span, f"`{what}` is at least 1", "out of range")
        item = items.item if isinstance(items, ListOf) else Unknown()
        inner = self.expressions.loop(step.name, item, scope)
        self._facts.binds[id(step)] = inner.names[step.name.text]
        self._inside.append("for parallel" if step.parallel and step.parallel[0] > 1 else "for")
        self.chain(step.chain, inner)
        self._inside.pop()
        return scope
