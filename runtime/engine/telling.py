"""What the log says of runs: ids, and the code of what is wrong; never what a failure says, which may hold a value."""

import logging
from typing import Any

import msgspec

from runtime.context import Run
from runtime.engine.ids import encode
from runtime.journal.rows import RunState

logger = logging.getLogger("seta.engine")


class _Cause(msgspec.Struct):
    code: str = ""


_read = msgspec.json.Decoder(_Cause).decode


def tell_end(run: Run, state: RunState, step: str, error: bytes) -> None:
    """Say that a run is dead or parked; that others ended or wait is told to who looks closely."""
    needs = state in (RunState.DEAD, RunState.PARKED)
    level = logging.INFO if needs else logging.DEBUG
    if not logger.isEnabledFor(level):
        return
    code = _read(error).code if error else ""
    facts = {"flow": run.flow, "run": run.id, "step": step, "code": code}
    logger.log(level, "run is %s", state, extra={name: fact for name, fact in facts.items() if fact})


def tell_line(run: Run, step: str, value: Any) -> None:
    """Say what a `log` step of a flow says."""
    text = value if isinstance(value, str) else encode(value).decode()
    logging.getLogger("seta.flow").info("log", extra={"flow": run.flow, "run": run.id, "step": step, "text": text})
