"""Which step a failure belongs to, and what is kept of it."""

import re
from types import TracebackType
from typing import Any, Final

from runtime.engine.ids import encode
from runtime.failures import StepFailure
from runtime.program import Place, Program

_INDICES: Final = re.compile(r"(\[\d+\])+$")


def attribute(program: Program, failure: StepFailure, indices: str = "") -> None:
    """Give a failure of pure code the step that it stands in; `indices` are those of the loops around it."""
    if not failure.step:
        place = _place_in(program, failure.__traceback__)
        failure.step = f"{place.step}{indices}" if place else ""


def document(program: Program, failure: StepFailure) -> dict[str, Any]:
    """What is kept of a failure: step, code, message, attempt, where; and what falls with it, if anything."""
    place = program.place(_INDICES.sub("", failure.step)) or _place_in(program, failure.__traceback__)
    told: dict[str, Any] = {
        "step": failure.step,
        "code": failure.code,
        "message": failure.message,
        "attempt": failure.attempt,
        "where": f"{program.filename}:{place.line}:{place.column}" if place else program.filename,
    }
    if failure.beside:
        told["beside"] = failure.beside
    return told


def told(program: Program, failure: StepFailure, of_handler: StepFailure | None = None) -> bytes:
    """The JSON that is kept of why a run ended or stands still."""
    found = document(program, failure)
    if of_handler is not None:
        found["handler"] = document(program, of_handler)
    return encode(found)


def _place_in(program: Program, trace: TracebackType | None) -> Place | None:
    """The innermost step of the flow's text that a traceback leads through."""
    found = None
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == program.code.co_filename:
            line, _, column, _ = list(code.co_positions())[trace.tb_lasti // 2]
            if line is not None and column is not None:
                found = program.place_of((line, column)) or found
        trace = trace.tb_next
    return found
