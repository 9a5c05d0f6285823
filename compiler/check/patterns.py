"""The arms of `match`: what their patterns cover, and whether all together they cover everything."""

from decimal import Decimal

from compiler.reports import Reports
from compiler.types import BOOL, DECIMAL, INT, EnumOf, NoneType, OptionalOf, Type, Unknown, is_text, required, show
from dsl import Span, nodes

Value = str | int | Decimal | None
MAX_ARMS = 100


def pattern_value(pattern: nodes.Expr) -> Value:
    """The value that a pattern stands for."""
    match pattern:
        case nodes.Text():
            return pattern.static
        case nodes.IntLit(value=number):
            return number
        case nodes.DecimalLit(value=exact):
            return exact
        case nodes.BoolLit(value=flag):
            return flag
        case nodes.Unary(op="-", value=nodes.IntLit(value=number)):
            return -number
        case nodes.Unary(op="-", value=nodes.DecimalLit(value=exact)):
            return -exact
        case _:
            return None


def check_patterns(step: nodes.Match, subject: Type, reports: Reports) -> None:
    """Report patterns of another type, patterns given twice, arms after `else`, and what no arm covers."""
    _count(step, reports)
    seen: dict[tuple[type, Value], nodes.Expr] = {}
    closed: nodes.Case | None = None
    for case in step.cases:
        if closed is not None:
            related = [(closed.span, "this arm takes all that is left")]
            reports.add("E501", case.span, "this arm can never run", "unreachable", related=related)
        for pattern in case.patterns:
            _pattern(pattern, subject, seen, reports)
        if not case.patterns:
            closed = case
    missing = _missing(subject, {value for _, value in seen})
    if closed is None and missing:
        first = reports.source.slice(step.span).split("{", 1)[0].rstrip()
        head = Span(step.span.start, step.span.start + len(first))
        reports.add(
            "E231",
            head,
            f"this `match` does not cover {missing}",
            f"of {show(subject)}",
            notes=["every value needs an arm; `else => { … }` takes all that are left"],
        )


def _count(step: nodes.Match, reports: Reports) -> None:
    if len(step.cases) > MAX_ARMS or any(len(case.patterns) > MAX_ARMS for case in step.cases):
        message = f"a `match` has at most {MAX_ARMS} arms, and an arm as many patterns"
        reports.add("E219", Span(step.span.start, step.span.start + len("match")), message, "too many")


def _pattern(pattern: nodes.Expr, subject: Type, seen: dict[tuple[type, Value], nodes.Expr], reports: Reports) -> None:
    value = pattern_value(pattern)
    if isinstance(pattern, nodes.Text) and value is None:
        reports.add("E215", pattern.span, "a pattern is plain text, without holes", "a hole")
        return
    kind = Decimal if isinstance(value, int) and not isinstance(value, bool) else type(value)
    first = seen.setdefault((kind, value), pattern)
    if first is not pattern:
        reports.add("E207", pattern.span, "this pattern is given twice", "again", related=[(first.span, "first here")])
    if not _fits(value, subject):
        reports.add(
            "E301",
            pattern.span,
            f"a value of {show(subject)} is never this",
            f"{show(subject)} is matched",
        )


def _fits(value: Value, subject: Type) -> bool:
    inner = required(subject)
    match value:
        case _ if isinstance(inner, Unknown):
            return True
        case None:
            return isinstance(subject, OptionalOf | NoneType)
        case str():
            return value in inner.values if isinstance(inner, EnumOf) else is_text(inner)
        case bool():
            return inner == BOOL
        case _:
            return inner in (INT, DECIMAL)


def _missing(subject: Type, covered: set[Value]) -> str:
    """What no pattern covers, in words, or ""."""
    inner = required(subject)
    needed: list[Value] = []
    match inner:
        case EnumOf(values):
            needed = list(values)
        case Unknown():
            return ""
        case _ if inner == BOOL:
            needed = [True, False]
        case _:
            return f"all of {show(inner)}"
    if isinstance(subject, OptionalOf):
        needed.append(None)
    return ", ".join(_shown(value) for value in needed if value not in covered)


def _shown(value: Value) -> str:
    match value:
        case None:
            return "`none`"
        case bool():
            return f"`{str(value).lower()}`"
        case _:
            return f'`"{value}"`'
