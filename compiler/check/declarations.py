"""What a folder declares for all of its flows: types and defs, neither of which may lead back to itself."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from compiler.check.expressions import Expressions
from compiler.check.facts import Definition, Environment, Facts
from compiler.check.reach import MAX_DEPTH, MAX_WEIGHT, Named, loops, reaches
from compiler.check.written import NAMED, TypeReader
from compiler.reports import Reports
from compiler.scope import Binding, Scope
from compiler.types import Type, Unknown
from dsl import Source, nodes

Declared = list[tuple[Source, nodes.TypeDef | nodes.Def, Reports]]


def declare(declared: Declared, environment: Environment) -> Environment:
    """The environment with the folder's own types and defs; problems go to the reports of their files."""
    unique = _unique(declared, environment)
    declared_types = [(node, reports) for _, node, reports in unique if isinstance(node, nodes.TypeDef)]
    types = _Types(declared_types, _unreadable(declared_types))
    environment = replace(environment, types={name: types[name] for name in types})
    defs = [(source, node, reports) for source, node, reports in unique if isinstance(node, nodes.Def)]
    signatures = {node.name.text: _signature(source, node, reports, environment) for source, node, reports in defs}
    environment = replace(environment, defs=signatures)
    for _, node, reports in defs:
        _check_body(signatures[node.name.text], environment, reports)
    _bounded([(node, reports) for _, node, reports in defs])
    return environment


def _unique(declared: Declared, environment: Environment) -> Declared:
    """Declarations under names of their own."""
    taken: dict[str, nodes.Node] = {}
    unique: Declared = []
    for source, node, reports in declared:
        name = node.name.text
        ours = name in NAMED or name in environment.catalog.functions or name in environment.catalog.entities
        if ours or name in taken:
            what = "the language or the catalog" if ours else "this folder"
            reports.add("E208", node.name.span, f"`{name}` exists already in {what}", "choose another name")
            continue
        taken[name] = node
        unique.append((source, node, reports))
    return unique


class _Types(Mapping[str, Type]):
    """Declared types, each read when it is first asked for, by a reader that asks here."""

    def __init__(self, declared: list[tuple[nodes.TypeDef, Reports]], unreadable: Iterable[str]) -> None:
        self._declared = {node.name.text: (node, reports) for node, reports in declared}
        self._read: dict[str, Type] = dict.fromkeys(unreadable, Unknown())
        self._reading: list[str] = []

    def __getitem__(self, name: str) -> Type:
        node, reports = self._declared[name]
        if name in self._read:
            return self._read[name]
        if name in self._reading:
            loop = " -> ".join([*self._reading[self._reading.index(name) :], name])
            reports.add("E221", node.name.span, f"the type `{name}` leads back to itself", loop)
            return Unknown()
        self._reading.append(name)
        self._read[name] = TypeReader(reports, self).read(node.type)
        self._reading.pop()
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)


def _signature(source: Source, node: nodes.Def, reports: Reports, environment: Environment) -> Definition:
    types = TypeReader(reports, environment.types)
    seen: dict[str, nodes.DefParam] = {}
    for param in node.params:
        first = seen.setdefault(param.name.text, param)
        if first is not param:
            related = [(first.span, "first here")]
            reports.add("E207", param.span, f"the parameter `{param.name.text}` is given twice", "", related=related)
    params = tuple((param.name.text, types.read(param.type)) for param in node.params)
    return Definition(node, source, params, types.read(node.result), Facts())


def _check_body(definition: Definition, environment: Environment, reports: Reports) -> None:
    node = definition.node
    scope = Scope()
    for param, (name, kind) in zip(node.params, definition.params, strict=True):
        scope = scope.bind(Binding(name, name, kind, param.span, "step"))
    for inner in nodes.walk(node.body):
        if isinstance(inner, nodes.NameRef) and inner.name in _ROOTS and scope.get(inner.name) is None:
            message = f"a `def` computes from its parameters alone, not from `{inner.name}`"
            reports.add("E223", inner.span, message, "hand it in as a parameter")
            return
    expressions = Expressions(environment, definition.facts, reports)
    expressions.expect(node.body, definition.result, scope, f"the result of {node.name.text}")


_ROOTS = frozenset({"payload", "headers", "query", "run", "secret", "config", "error"})


def _unreadable(types: list[tuple[nodes.TypeDef, Reports]]) -> set[str]:
    """Types that are too much to read: those that come to too much, and loops so long that none is worth following."""
    named = {node.name.text: _named(node, nodes.TypeName) for node, _ in types}
    by_name = {node.name.text: (node, reports) for node, reports in types}
    rings = loops(named)
    long = {name for ring in rings if len(ring) > MAX_DEPTH for name in ring}
    for name in long:
        node, reports = by_name[name]
        reports.add("E221", node.name.span, f"the type `{name}` leads back to itself", "over very many others")
    return long | _too_far({name: one for name, one in named.items() if name not in set().union(*rings)}, by_name)


def _bounded(defs: list[tuple[nodes.Def, Reports]]) -> None:
    """Report each def that calls itself, over whatever way round, and each that comes to too much."""
    named = {node.name.text: _named(node, nodes.FunctionCall) for node, _ in defs}
    by_name = {node.name.text: (node, reports) for node, reports in defs}
    recursive = set[str]().union(*loops(named))
    for node, reports in defs:
        if node.name.text in recursive:
            message = f"`{node.name.text}` calls itself, and would never end"
            reports.add("E222", node.name.span, message, "no recursion")
    _too_far({name: one for name, one in named.items() if name not in recursive}, by_name)


def _too_far(named: Mapping[str, Named], declared: Mapping[str, tuple[nodes.TypeDef | nodes.Def, Reports]]) -> set[str]:
    """The declarations that come to too much with all that they name; the first of them is reported."""
    far = [name for name, reach in reaches(named).items() if reach.too_far]
    for name in far[:1]:
        node, reports = declared[name]
        notes = [f"at most {MAX_WEIGHT:,} words and values, and {MAX_DEPTH} deep"]
        message = f"`{name}` comes to too much with all that it names"
        reports.add("E105", node.name.span, message, "too large or too deep", notes=notes)
    return set(far)


def _named(node: nodes.TypeDef | nodes.Def, kind: type[nodes.TypeName | nodes.FunctionCall]) -> Named:
    inner = list(nodes.walk(node))
    names = (one.name if isinstance(one, nodes.TypeName) else one.name.text for one in inner if isinstance(one, kind))
    return Named(len(inner), tuple(names))


def calls(node: nodes.Node, known: Mapping[str, Definition]) -> set[str]:
    """The defs that something calls directly."""
    return {
        inner.name.text
        for inner in nodes.walk(node)
        if isinstance(inner, nodes.FunctionCall) and inner.name.text in known
    }
