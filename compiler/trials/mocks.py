"""`mock`: what a step gives in a test, or how it fails."""

import re
from collections.abc import Iterator

from compiler.catalog import ENGINE_FAILURES
from compiler.ir.trials import FailsAs, Json, Mock
from compiler.reports import Reports, listed
from compiler.trials.steps import Found, Steps
from compiler.trials.values import Values
from dsl import nodes

_ALWAYS = ("timeout",)  # the engine's own: whatever a step does, it may take too long


def mock(step: nodes.Mock, steps: Steps, reports: Reports) -> Iterator[Mock]:
    """The mock as data, where the flows have such a step and what it gives fits."""
    found = steps.find(step.verb, step.noun, step.literal)
    if found is None:
        return
    calls, chosen = found
    match step.value:
        case nodes.FunctionCall(name=nodes.Name(text="fail")):
            code = _code(step.value, chosen, reports)
            if code is not None:
                yield Mock(step.span, calls, FailsAs(code))
        case _:
            yield Mock(step.span, calls, _value(step.value, chosen, reports))


def _code(call: nodes.FunctionCall, chosen: list[Found], reports: Reports) -> str | None:
    match call.args:
        case (nodes.Arg(name=None, value=nodes.Text(static=str(code))),):
            pass
        case _:
            message = 'a failure is written as its code: fail("http_503")'
            reports.add("E296", call.span, message, "one text is required")
            return None
    for verb in {found.verb.title: found.verb for found in chosen}.values():
        known = (*verb.failures, *verb.service_failures, *ENGINE_FAILURES)
        if verb.failures and not any(_is(code, one) for one in known):
            message = f"`{verb.title}` does not fail as `{code}`"
            notes = [f"it fails as {listed(known)}"]
            reports.add("E296", call.args[0].span, message, "no failure of this step", notes=notes)
    return code


def _is(code: str, known: str) -> bool:
    """Whether a code is one that the catalog lists, where STATUS stands for three digits, and CODE for any number."""
    pattern = re.escape(known).replace("STATUS", r"[1-5]\d\d").replace("CODE", r"\d+")
    return re.fullmatch(pattern, code) is not None


def _value(value: nodes.Expr, chosen: list[Found], reports: Reports) -> Json:
    """The value, checked against what each of the steps gives."""
    given: Json = None
    for found in chosen:
        kind = found.facts.results.get(id(found.step))
        if kind is None:
            _of_nothing(value, found, reports)
        else:
            given = Values(reports).fitted(value, kind, f"the result of `{found.written}`")
    return given


def _of_nothing(value: nodes.Expr, found: Found, reports: Reports) -> None:
    """A step without a result can only be mocked to do nothing, or to fail."""
    if not isinstance(value, nodes.NoneLit):
        message = f"`{found.verb.title}` gives nothing: mock it as `none`, or as `fail(…)`"
        reports.add("E294", value.span, message, "none is required")
