"""Walks the steps of a flow in the order in which they run, from scope to scope."""

import ast
import textwrap

from compiler.check.commands import Commands
from compiler.check.expressions import Expressions
from compiler.check.facts import Environment, Facts
from compiler.check.trigger import check_trigger, payload_fields
from compiler.check.written import read_type
from compiler.expand import Expanded
from compiler.reports import Reports, listed
from compiler.scope import ROOTS, Binding, Scope, merge, narrowed
from compiler.types import (
    BOOL,
    DURATION,
    JSON,
    SECRET,
    TEXT,
    Type,
    Unknown,
    fits,
    show,
)
from dsl import nodes
from dsl.source import Source, Span


def check_flow(expanded: Expanded, environment: Environment, reports: Reports) -> Facts:
    """Check a flow that `expand` has written out; all problems go to `reports`."""
    facts = Facts()
    check_trigger(expanded, reports)
    facts.payload, facts.fields = payload_fields(expanded, reports)
    _inferred_note(expanded, reports)
    checker = _Steps(expanded, environment, facts, reports)
    scope = checker.start()
    checker.chain(expanded.flow.chain, scope)
    if not expanded.flow.chain.steps:
        reports.add("E219", expanded.flow.trigger.span, "this flow does nothing", "no `->` follows")
    if expanded.flow.handler is not None:
        reports.not_yet(expanded.flow.handler.span, "`on error`")
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

    def __init__(self, expanded: Expanded, environment: Environment, facts: Facts, reports: Reports) -> None:
        self._expanded = expanded
        self._facts = facts
        self._reports = reports
        self._expressions = Expressions(environment, facts, reports)
        self._commands = Commands(environment, facts, reports, self._expressions)
        self._versions: dict[str, int] = {}
        self._blocks = 0

    def start(self) -> Scope:
        """The scope of the payload's fields."""
        scope = Scope()
        payload = self._expanded.flow.trigger.payload
        spans = {f.name.text: f.span for f in payload.fields} if isinstance(payload, nodes.RecordType) else {}
        for field in self._facts.payload.fields:
            span = spans.get(field.name, self._expanded.flow.trigger.span)
            lenient = field.name in self._expanded.lenient
            if field.name in ROOTS:
                self._reserved(field.name, span)
            scope = scope.bind(Binding(field.name, f"p.{field.name}", field.type, span, "payload", lenient))
        return scope

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

    def _step(self, step: nodes.Step, scope: Scope) -> Scope:  # noqa: C901, PLR0912  # one case a kind of node
        match step:
            case nodes.BindStep():
                return self._bind_step(step, scope)
            case nodes.CallStep():
                return self._call(step, scope)
            case nodes.Command():
                return self._command(step, scope)
            case nodes.CodeStep():
                return self._code(step, scope)
            case nodes.If():
                return self._if(step, scope)
            case nodes.Wait():
                self._expressions.expect(step.duration, DURATION, scope, "`wait`")
                return scope
            case nodes.Log():
                self._log(step, scope)
                return scope
            case nodes.Stop():
                if step.value is not None:
                    self._expressions.expect(step.value, JSON, scope, "`stop`")
                return scope.end(step.span)
            case nodes.Fail():
                self._expressions.expect(step.value, TEXT, scope, "`fail`")
                return scope.end(step.span)
            case nodes.Match() | nodes.Parallel() | nodes.For() | nodes.WaitFor() | nodes.WaitUntil() | nodes.Respond():
                self._reports.not_yet(self._first_word(step.span), f"`{_WORDS[type(step)]}`")
                return scope

    def _first_word(self, span: Span) -> Span:
        text = self._reports.source.slice(span)
        return Span(span.start, span.start + len(text.split(maxsplit=1)[0]))

    def _bind(self, name: nodes.Name, kind: Type, step: nodes.Step, scope: Scope) -> Scope:
        if name.text in ROOTS:
            self._reserved(name.text, name.span)
            return scope
        self._versions[name.text] = self._versions.get(name.text, 0) + 1
        version = self._versions[name.text]
        variable = name.text if version == 1 else f"{name.text}_{version}"
        binding = Binding(name.text, variable, kind, name.span, "step")
        self._facts.binds[id(step)] = binding
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

    def _bind_step(self, step: nodes.BindStep, scope: Scope) -> Scope:
        self._commands.clauses(step.clauses)
        self._refuse_clauses(step.clauses)
        found = self._expressions.check(step.value, scope)
        if found == SECRET:
            self._reports.add("E601", step.value.span, "a secret cannot be bound to a name", "this is a secret")
            found = Unknown()
        return self._bind(step.name, found, step, scope)

    def _refuse_clauses(self, clauses: tuple[nodes.Clause, ...]) -> None:
        for clause in clauses:
            if not isinstance(clause, nodes.OrElse):
                self._reports.add("E206", clause.span, "a step that only computes takes no such clause", "not expected")

    def _call(self, step: nodes.CallStep, scope: Scope) -> Scope:
        """A call that rule R2 did not turn into a binding: its result would be lost."""
        found = self._expressions.check(step.call, scope)
        if not isinstance(found, Unknown):
            name = step.call.name.text
            self._reports.add(
                "E209",
                step.span,
                f"the result of {name} is not used",
                f"this gives {show(found)}",
                fixes=[
                    self._reports.replace(
                        f"x = {name}(…)    give it a name", Span(step.span.start, step.span.start), "x = "
                    )
                ],
            )
        return scope

    def _command(self, step: nodes.Command, scope: Scope) -> Scope:
        result = self._commands.check(step, scope)
        if result.type is not None:
            self._facts.results[id(step)] = result.type
        named = next((c.name for c in step.clauses if isinstance(c, nodes.As)), None)
        if named is None and isinstance(result.type, Unknown):
            named = step.noun  # an unknown verb may well have bound its noun
        if named is not None and result.type is not None:
            return self._bind(named, result.type, step, scope)
        return scope

    def _code(self, step: nodes.CodeStep, scope: Scope) -> Scope:
        self._commands.clauses(step.clauses)
        for clause in step.clauses:
            if isinstance(clause, nodes.By | nodes.To | nodes.With | nodes.Every | nodes.Retry):
                self._reports.add("E206", clause.span, "`code` takes no such clause", "not expected here")
        for param in step.params:
            ref = nodes.NameRef(param.span, param.text)
            if self._expressions.check(ref, scope) == SECRET:
                self._reports.add("E601", param.span, "code never gets a secret", "this is a secret")
            if (binding := self._facts.names.get(id(ref))) is not None:
                self._facts.names[id(param)] = binding
        self._python(step)
        kind = read_type(step.result, self._reports)
        self._facts.results[id(step)] = kind
        named = next((c for c in step.clauses if isinstance(c, nodes.As)), None)
        if named is None:
            return scope
        return self._bind(named.name, kind, step, scope)

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

    def _log(self, step: nodes.Log, scope: Scope) -> None:
        found = self._expressions.check(step.value, scope)
        if not fits(found, JSON):
            self._expressions.expect(step.value, JSON, scope, "`log`")

    # --- if

    def _if(self, step: nodes.If, scope: Scope) -> Scope:
        self._blocks += 1
        paths, otherwise = [], scope
        for arm in step.arms:
            self._expressions.expect(arm.condition, BOOL, otherwise, "`if`")
            paths.append(self.chain(arm.chain, narrow(arm.condition, otherwise, holds=True)))
            otherwise = narrow(arm.condition, otherwise, holds=False)
        if step.otherwise is not None:
            otherwise = self.chain(step.otherwise, otherwise)
        after, self._facts.merges[id(step)] = merge(scope, [*paths, otherwise], f"m{self._blocks}")
        return after


_WORDS: dict[type[nodes.Node], str] = {
    nodes.Match: "match",
    nodes.Parallel: "parallel",
    nodes.For: "for",
    nodes.WaitFor: "wait for",
    nodes.WaitUntil: "wait until",
    nodes.Respond: "respond",
}


def narrow(condition: nodes.Expr, scope: Scope, *, holds: bool) -> Scope:
    """The scope in which a condition is known to hold, or not: `x == none` says whether x is there."""
    match condition:
        case nodes.Unary(op="not", value=inner):
            return narrow(inner, scope, holds=not holds)
        case nodes.Binary(op="and", left=left, right=right) if holds:
            return narrow(right, narrow(left, scope, holds=True), holds=True)
        case nodes.Binary(op="or", left=left, right=right) if not holds:
            return narrow(right, narrow(left, scope, holds=False), holds=False)
        case nodes.Binary(op="==" | "!=" as op, left=nodes.NameRef(name=name), right=nodes.NoneLit()):
            return narrowed(scope, name) if holds == (op == "!=") else scope
        case nodes.Binary(op="==" | "!=" as op, left=nodes.NoneLit(), right=nodes.NameRef(name=name)):
            return narrowed(scope, name) if holds == (op == "!=") else scope
        case _:
            return scope
