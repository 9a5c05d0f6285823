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

from compiler.catalog import Catalog, Template
from compiler.check import Environment, Facts, check_flow, declare, same_names
from compiler.codegen import generate
from compiler.expand import Expanded, Fill, expand
from compiler.ir import Effect, Plan, all_steps, applied, canonical
from compiler.ir.trials import Trial
from compiler.lower import lower
from compiler.optimise import optimise
from compiler.reports import Reports
from compiler.trials import Known, check_trials
from dsl import Diagnostic, Source, Span, has_errors, in_order, nodes, parse

EDITION = 1


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
    declaring: tuple[Source, ...]  # the files whose types and defs the flow could use

    @property
    def fills(self) -> tuple[Fill, ...]:
        """All that the four rules filled in, in text order."""
        return tuple(sorted((*self.expanded.fills, *self.facts.fills), key=lambda fill: (fill.rule, fill.offset)))


@dataclass(frozen=True, slots=True)
class Folder:
    """What became of a folder of flows. With errors among the diagnostics, `flows` holds those without any."""

    flows: tuple[Compiled, ...]
    diagnostics: tuple[Diagnostic, ...]
    trials: tuple[Trial, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether these flows may not be served."""
        return has_errors(self.diagnostics)


@dataclass(frozen=True, slots=True)
class Checked:
    """A folder after its checks: flows and tests without errors, and what there is to say of all."""

    flows: tuple[tuple[Source, Expanded, Facts], ...]
    trials: tuple[Trial, ...]
    diagnostics: tuple[Diagnostic, ...]
    environment: Environment
    declaring: tuple[Source, ...]


def compile_folder(sources: Iterable[Source], environment: Environment) -> Folder:
    """Compile all files of a folder; every problem of every file is found in one call."""
    checked = check_folder(sources, environment)
    flows = (_finish(*flow, checked.environment, checked.declaring) for flow in checked.flows)
    return Folder(tuple(flows), checked.diagnostics, checked.trials)


def check_folder(sources: Iterable[Source], environment: Environment) -> Checked:
    """The passes up to the checks: enough to know every problem."""
    diagnostics: list[Diagnostic] = []
    files: list[nodes.File] = []
    for source in sources:
        parsed = parse(source)
        diagnostics.extend(parsed.diagnostics)
        files.extend([parsed.file] if parsed.file is not None else [])
    broken = {d.primary.source.path for d in diagnostics if d.code.startswith("E")}
    environment = _declare(files, environment, diagnostics)
    flows: list[tuple[Source, Expanded, Reports]] = []
    facts: list[Facts] = []
    for file in files:
        for flow in _flows(file, diagnostics):
            reports = Reports(file.source, file.unread if file.source.path in broken else None)
            expanded = expand(flow, _name(flow, file.source), environment.catalog, reports)
            facts.append(check_flow(expanded, environment, reports))
            flows.append((file.source, expanded, reports))
    same_names(flows)
    broken = {d.primary.source.path for d in diagnostics if d.code.startswith("E")}
    known: dict[str, Known] = {}
    for (source, expanded, reports), found in zip(flows, facts, strict=True):
        diagnostics.extend(reports.diagnostics)
        sound = not has_errors(reports.diagnostics) and source.path not in broken
        known.setdefault(expanded.name, Known(source, expanded, found, sound))
    trials, of_trials = check_trials(files, known)
    diagnostics.extend(of_trials)
    good = [(flow.source, flow.expanded, flow.facts) for flow in known.values() if flow.sound]
    declaring = tuple(f.source for f in files if any(isinstance(i, nodes.TypeDef | nodes.Def) for i in f.items))
    return Checked(tuple(good), trials, _without_repeats(in_order(diagnostics)), environment, declaring)


def _declare(files: list[nodes.File], environment: Environment, diagnostics: list[Diagnostic]) -> Environment:
    """The environment with the types and defs of all files."""
    declared = [
        (file.source, item, Reports(file.source))
        for file in files
        for item in file.items
        if isinstance(item, nodes.TypeDef | nodes.Def)
    ]
    environment = declare(declared, environment)
    for _, _, reports in declared:
        diagnostics.extend(reports.diagnostics)
    return environment


def _without_repeats(diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """One report for one place and code: a step is checked once for each path that leads to it."""
    keyed = groupby(diagnostics, key=lambda d: (d.primary.source.path, d.primary.span, d.code, d.message))
    return tuple(next(group) for _, group in keyed)


def _flows(file: nodes.File, diagnostics: list[Diagnostic]) -> list[nodes.Flow]:
    """The flows of a file."""
    reports = Reports(file.source)
    flows = [item for item in file.items if isinstance(item, nodes.Flow)]
    if file.edition is not None and file.edition != EDITION:
        span = file.items[0].span if file.items else Span(0, 0)
        reports.add("E701", span, f"this version of Seta knows `lang {EDITION}` only", "written for another edition")
    for second in [flow for flow in flows if flow.name is None][1:]:
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


def _finish(
    source: Source, expanded: Expanded, facts: Facts, environment: Environment, declaring: tuple[Source, ...]
) -> Compiled:
    lowered = lower(expanded, facts, environment)
    plan = optimise(lowered)
    module = generate(plan, source)
    hashed = plan_hash(plan, expanded, environment.catalog)
    return Compiled(expanded.name, source, expanded, facts, lowered, plan, module, hashed, declaring)


def plan_hash(plan: Plan, expanded: Expanded, catalog: Catalog) -> str:
    """A hash (32 hex) of the plan, of the catalog entries it uses, and of the edition; not of spans and comments."""
    used = [msgspec.to_builtins(entry) for entry in _used(plan, expanded, catalog)]
    text = msgspec.json.encode([EDITION, canonical(plan), used])
    return blake2b(text, digest_size=16).hexdigest()


def used_entries(flow: Compiled, catalog: Catalog) -> list[msgspec.Struct]:
    """The catalog entries that a flow uses, in order of name."""
    return _used(flow.plan, flow.expanded, catalog)


def templates(plan: Plan, catalog: Catalog) -> list[Template]:
    """The templates of the catalog file that a plan sends, in order of name."""
    effects = (op for op in all_steps(plan) if isinstance(op, Effect) and op.verb in catalog.verbs)
    named = {op.literal for op in effects if catalog.verbs[op.verb].with_ == "params"}
    return [template for name, template in sorted(catalog.templates.items()) if (name,) in named]


def _used(plan: Plan, expanded: Expanded, catalog: Catalog) -> list[msgspec.Struct]:
    verbs = {op.verb for op in all_steps(plan) if isinstance(op, Effect)}
    found: dict[str, msgspec.Struct] = {name: v for name, v in catalog.verbs.items() if name in verbs}
    for verb in (catalog.verbs[name] for name in verbs if name in catalog.verbs):
        named = {verb.result, *(kind for slot in verb.slots for kind in slot.types)}
        found |= {name: entity for name, entity in catalog.entities.items() if name in named}
    if plan.guard is not None:
        found[f"signed {plan.guard.scheme}"] = catalog.schemes[plan.guard.scheme]
    written = {node.name.text for node in nodes.walk(expanded.flow) if isinstance(node, nodes.FunctionCall)}
    found |= {f"template {template.name}": template for template in templates(plan, catalog)}
    functions = applied(plan) | written
    found |= {name: f for name, f in catalog.functions.items() if name in functions}
    return [found[name] for name in sorted(found)]
