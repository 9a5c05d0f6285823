"""The passes in their order, over a whole folder: text in, programs or problems out.

Pure: no file, clock, network or environment is touched; the catalog and the settings of the folder are arguments.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from pathlib import PurePosixPath

import msgspec

from compiler.catalog import Catalog
from compiler.check import Environment, Facts, check_flow, same_names
from compiler.codegen import generate
from compiler.expand import Expanded, Fill, expand
from compiler.ir import Apply, Effect, Plan, canonical, steps
from compiler.lower import lower
from compiler.optimise import optimise
from compiler.reports import Reports
from dsl import Diagnostic, Source, Span, has_errors, in_order, nodes, parse

EDITION = 1

# The order in which a flow is compiled; `seta explain --emit` can stop after some of them.
PASSES = ("parse", "expand", "check", "lower", "optimise", "codegen")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A flow after all passes."""

    name: str
    source: Source
    expanded: Expanded
    facts: Facts
    lowered: Plan
    plan: Plan
    module: ast.Module
    hash: str

    @property
    def fills(self) -> tuple[Fill, ...]:
        """All that the four rules filled in, in text order."""
        return tuple(sorted((*self.expanded.fills, *self.facts.fills), key=lambda fill: (fill.rule, fill.offset)))


@dataclass(frozen=True, slots=True)
class Folder:
    """What became of a folder of flows. With errors among the diagnostics, `flows` holds those without any."""

    flows: tuple[Compiled, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def broken(self) -> bool:
        """Whether these flows may not be served."""
        return has_errors(self.diagnostics)


def compile_folder(sources: Iterable[Source], environment: Environment) -> Folder:
    """Compile all files of a folder; every problem of every file is found in one call."""
    diagnostics: list[Diagnostic] = []
    checked: list[tuple[Source, Expanded, Reports]] = []
    facts: list[Facts] = []
    for source in sources:
        parsed = parse(source)
        diagnostics.extend(parsed.diagnostics)
        for flow in _flows(parsed.file, source, diagnostics) if parsed.file is not None else ():
            reports = Reports(source)
            expanded = expand(flow, _name(flow, source), environment.catalog, reports)
            facts.append(check_flow(expanded, environment, reports))
            checked.append((source, expanded, reports))
    same_names(checked)
    broken = {d.primary.source.path for d in diagnostics if d.code.startswith("E")}
    flows = []
    for (source, expanded, reports), found in zip(checked, facts, strict=True):
        diagnostics.extend(reports.diagnostics)
        if not has_errors(reports.diagnostics) and source.path not in broken:
            flows.append(_finish(source, expanded, found, environment))
    return Folder(tuple(flows), _without_repeats(in_order(diagnostics)))


def _without_repeats(diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """One report for one place and code: a step is checked once for each path that leads to it."""
    keyed = groupby(diagnostics, key=lambda d: (d.primary.source.path, d.primary.span, d.code, d.message))
    return tuple(next(group) for _, group in keyed)


def _flows(file: nodes.File, source: Source, diagnostics: list[Diagnostic]) -> list[nodes.Flow]:
    """The flows of a file; whatever else it declares is refused for now."""
    reports = Reports(source)
    flows = [item for item in file.items if isinstance(item, nodes.Flow)]
    words = {nodes.TypeDef: "`type`", nodes.Def: "`def`", nodes.Test: "`test`"}
    for item in file.items:
        if (what := words.get(type(item))) is not None:
            reports.not_yet(item.span, what)
    if file.edition is not None and file.edition != EDITION:
        span = file.items[0].span if file.items else Span(0, 0)
        reports.add("E701", span, f"this version of Seta knows `lang {EDITION}` only", "written for another edition")
    if len([flow for flow in flows if flow.name is None]) > 1:
        second = [flow for flow in flows if flow.name is None][1]
        reports.add(
            "E208",
            second.trigger.span,
            "only one flow of a file may go without a name",
            "write `flow NAME` before it",
        )
    diagnostics.extend(reports.diagnostics)
    return flows


def _name(flow: nodes.Flow, source: Source) -> str:
    return flow.name.text if flow.name is not None else PurePosixPath(source.path).stem


def _finish(source: Source, expanded: Expanded, facts: Facts, environment: Environment) -> Compiled:
    lowered = lower(expanded, facts, environment)
    plan = optimise(lowered)
    module = generate(plan, source)
    return Compiled(expanded.name, source, expanded, facts, lowered, plan, module, plan_hash(plan, environment.catalog))


def plan_hash(plan: Plan, catalog: Catalog) -> str:
    """A hash (32 hex) of the plan, of the catalog entries it uses, and of the edition; not of spans and comments."""
    used = [msgspec.to_builtins(entry) for entry in used_entries(plan, catalog)]
    text = msgspec.json.encode([EDITION, canonical(plan), used])
    return blake2b(text, digest_size=16).hexdigest()


def used_entries(plan: Plan, catalog: Catalog) -> list[msgspec.Struct]:
    """The catalog entries that a plan uses, in order of name."""
    verbs = {op.verb for op in steps(plan.ops) if isinstance(op, Effect)}
    found: dict[str, msgspec.Struct] = {name: v for name, v in catalog.verbs.items() if name in verbs}
    for name in verbs:
        verb = catalog.verbs.get(name)
        if verb is not None and verb.result in catalog.entities:
            found[verb.result] = catalog.entities[verb.result]
    functions = _applied(plan)
    found |= {name: f for name, f in catalog.functions.items() if name in functions}
    return [found[name] for name in sorted(found)]


def _applied(plan: Plan) -> set[str]:
    names: set[str] = set()
    stack: list[object] = [plan]
    while stack:
        node = stack.pop()
        if isinstance(node, Apply):
            names.add(node.function)
        if isinstance(node, tuple):
            stack.extend(node)
        elif hasattr(node, "__dataclass_fields__"):
            stack.extend(getattr(node, name) for name in node.__dataclass_fields__)
    return names
