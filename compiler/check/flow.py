"""Walks the steps of a flow in the order in which they run, from scope to scope."""

from compiler.check.blocks import Blocks
from compiler.check.facts import Environment, Facts
from compiler.check.trigger import check_trigger, payload_fields
from compiler.check.written import TypeReader
from compiler.expand import Expanded
from compiler.reports import Reports
from dsl import Source, Span, nodes


def check_flow(expanded: Expanded, environment: Environment, reports: Reports) -> Facts:
    """Check a flow that `expand` has written out; all problems go to `reports`."""
    facts = Facts()
    flow = expanded.flow
    facts.responds = any(isinstance(node, nodes.Respond) for node in nodes.walk(flow))
    types = TypeReader(reports, environment.types)
    facts.payload, facts.fields = payload_fields(expanded, types, reports)
    _inferred_note(expanded, reports)
    checker = Blocks(expanded, environment, facts, reports)
    payload = checker.start()
    check_trigger(expanded, checker.expressions, payload, facts, reports)
    if not flow.chain.steps and reports.unread is None:
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
            fixes=[reports.replace("write it down, as `seta explain` shows it", end, fill.text)],
        )
