"""Checks steps with blocks: paths that part and meet again."""

from dataclasses import replace

from compiler.check.narrow import narrow, there
from compiler.check.patterns import MAX_ARMS, check_patterns, pattern_value
from compiler.check.steps import Steps
from compiler.scope import Binding, Scope, merge, narrowed
from compiler.types import (
    BOOL,
    JSON,
    Clash,
    ListOf,
    OptionalOf,
    Unknown,
    required,
    show,
)
from dsl import nodes

MAX_ITEMS = 1000  # of a `for` that says no `max`


class Blocks(Steps):
    """Checks chains of one flow, blocks and all."""

    def step(self, step: nodes.Step, scope: Scope) -> Scope:
        """The scope after a step, and after its `else` if it has one."""
        after = self._plain(step, scope)
        otherwise = next((c for c in getattr(step, "clauses", ()) if isinstance(c, nodes.OrElse)), None)
        return after if otherwise is None else self._else(step, otherwise, scope, after)

    def _plain(self, step: nodes.Step, scope: Scope) -> Scope:  # noqa: C901, PLR0912  # one case a kind of step
        match step:
            case nodes.BindStep():
                return self.bind_step(step, scope)
            case nodes.CallStep():
                return self.call_step(step, scope)
            case nodes.Command():
                return self.command(step, scope)
            case nodes.CodeStep():
                return self.code_step(step, scope)
            case nodes.If():
                return self._if(step, scope)
            case nodes.Match():
                return self._match(step, scope)
            case nodes.Parallel():
                return self._parallel(step, scope)
            case nodes.For():
                return self._for(step, scope)
            case nodes.Wait():
                return self.wait(step, scope)
            case nodes.WaitUntil():
                return self.wait_until(step, scope)
            case nodes.WaitFor():
                return self.wait_for(step, scope)
            case nodes.Respond():
                return self.respond(step, scope)
            case nodes.Log():
                return self.log(step, scope)
            case nodes.Stop():
                return self.stop(step, scope)
            case nodes.Fail():
                return self.fail(step, scope)

    def _merged(self, step: nodes.Step, before: Scope, paths: list[Scope]) -> Scope:
        self.blocks += 1
        after, self.facts.merges[id(step)] = merge(before, paths, f"m{self.blocks}")
        for merged in self.facts.merges[id(step)]:
            self.facts.used.update(source.variable for source in merged.sources if source is not None)
        return after

    def _else(self, step: nodes.Step, clause: nodes.OrElse, before: Scope, after: Scope) -> Scope:
        """`else { … }` after a step: runs when it fails; a failed step leaves its name unbound."""
        finds = (verb := self.facts.verbs.get(id(step))) is not None and verb.finds
        if finds and (binding := self.facts.binds.get(id(step))) is not None:
            after = narrowed(after, binding.name)
            return self._merged(step, before, [after, self.chain(clause.chain, before)])
        with self.failing(before, clause) as scope:
            self.facts.binds[id(clause)] = scope.names["error"]
            failed = self.chain(clause.chain, scope).without("error")
        if (outer := before.get("error")) is not None:
            failed = failed.bind(outer)
        return self._merged(step, before, [after, failed])

    def _if(self, step: nodes.If, scope: Scope) -> Scope:
        if len(step.arms) > MAX_ARMS:
            message = f"an `if` has at most {MAX_ARMS} arms"
            self.reports.add("E219", self.first_word(step.span), message, "too many")
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
        check_patterns(step, subject, self.reports)
        paths: list[Scope] = []
        none_left = True
        for case in step.cases:
            takes_none = any(pattern_value(pattern) is None for pattern in case.patterns)
            present = (bool(case.patterns) and not takes_none) or (not case.patterns and not none_left)
            none_left = none_left and not takes_none
            paths.append(self.chain(case.chain, there(step.subject, scope) if present else scope))
        return self._merged(step, scope, paths) if paths else scope

    def _parallel(self, step: nodes.Parallel, scope: Scope) -> Scope:
        """All branches see what was before; what they bind is there afterwards."""
        names: dict[str, nodes.Branch] = {}
        after, bound = scope, dict[str, nodes.Branch]()
        self.inside.append("parallel")
        for branch in step.branches:
            first = names.setdefault(branch.name.text, branch)
            if first is not branch:
                related = [(first.name.span, "first here")]
                self.reports.add("E207", branch.name.span, "two branches have this name", "again", related=related)
            end = self.chain(branch.chain, scope)
            after = self._beside(after, end)
            for name, binding in end.names.items():
                if (before := scope.get(name)) is not None and before.variable == binding.variable:
                    continue
                clash = name in bound
                bound[name] = branch
                after = after.bind(Binding(name, binding.variable, Clash(), binding.span, "step") if clash else binding)
        self.inside.pop()
        return after

    def _beside(self, after: Scope, end: Scope) -> Scope:
        """What a branch tells of what was there before: all branches finish, so that all that they found out holds."""
        for binding in end:
            known = after.get(binding.name)
            if known is not None and known.variable == binding.variable and isinstance(known.type, OptionalOf):
                after = after.bind(binding)
        after = replace(after, present=after.present | end.present)
        return after if end.ended is None or end.ended in self.misplaced else after.end(end.ended)

    def _for(self, step: nodes.For, scope: Scope) -> Scope:
        """The body for each item; it binds nothing outside."""
        items = self.expressions.check(step.items, scope)
        if isinstance(items, OptionalOf) and isinstance(items.inner, ListOf):
            self.expressions.absent(step.items, items, items.inner, "`for`")
        elif not isinstance(items, ListOf | Unknown):
            notes = ["`as_list(x) ?? []` takes json for an array"] if required(items) == JSON else []
            message = f"`for` goes through an array, not {show(items)}"
            self.reports.add("E301", step.items.span, message, "not an array", notes=notes)
        for given, what in ((step.max, "max"), (step.parallel, "parallel")):
            if len(given) > 1:
                self.reports.add("E207", step.span, f"`{what}` is given twice", "")
            if any(number < 1 for number in given):
                self.reports.add("E219", step.span, f"`{what}` is at least 1", "out of range")
        item = items.item if isinstance(items, ListOf) else Unknown()
        inner = self.expressions.loop(step.name, item, scope)
        self.facts.binds[id(step)] = inner.names[step.name.text]
        self.inside.append("for parallel" if step.parallel and step.parallel[0] > 1 else "for")
        self.chain(step.chain, inner)
        self.inside.pop()
        return scope
