"""Pairs what stands between parentheses with the parameters of a function or scheme."""

from compiler.catalog import Param
from compiler.reports import Reports, listed
from dsl import nodes
from dsl.source import Span

Pairs = list[tuple[nodes.Arg, Param]]


def paired(args: tuple[nodes.Arg, ...], params: tuple[Param, ...], name: str, span: Span, reports: Reports) -> Pairs:
    """Arguments with their parameters, by place or by name; what does not pair is reported as E213."""
    by_name = {param.name: param for param in params}
    free = list(params)
    pairs: Pairs = []
    for arg in args:
        param = by_name.get(arg.name.text) if arg.name is not None else (free[0] if free else None)
        if param is None or param not in free:
            what = "is given twice or unknown" if arg.name is not None else "is one too many"
            message = f"this argument of {name} {what}"
            reports.add("E213", arg.span, message, f"it takes {name}({', '.join(map(shown, params))})")
            continue
        free.remove(param)
        pairs.append((arg, param))
    missing = [param.name for param in free if param.required]
    if missing:
        reports.add("E213", span, f"{name} needs {listed(missing)}", "argument missing")
    return pairs


def shown(param: Param) -> str:
    """A parameter as signatures show it."""
    return f"{param.name}: {param.type}" if param.required else f"{param.name}: {param.type}?"
