"""One run to its end, or to where it leaves: the flow, then its `on error`."""

import logging
from collections.abc import Awaitable
from typing import Any

import msgspec

from runtime.engine.explain import attribute, told
from runtime.engine.leaving import Parked, Suspended
from runtime.engine.life import Life
from runtime.engine.run_context import RunContext
from runtime.failures import StepFailure
from runtime.journal.protocol import JournalError
from runtime.journal.rows import RunState

logger = logging.getLogger("seta.engine")


class Ending(msgspec.Struct, frozen=True):
    """What the last write of a run says, as long as it stays in memory."""

    state: RunState
    step: str = ""
    error: bytes = b""
    wake_at: int | None = None
    attempt: int = 0


async def drive(life: Life, payload: Any) -> Ending:
    """Run the flow. Raises Abandoned, and JournalError where the run has to be read again."""
    try:
        ending = await _through(life, payload)
    except Parked as parked:
        return _with_failure(life, RunState.PARKED, parked.failure)
    except Suspended as suspended:
        ending = _waiting(life, suspended)
    if life.replay.left:
        return _with_failure(life, RunState.PARKED, life.replay.diverged(ending.step).failure)
    return ending


async def _through(life: Life, payload: Any) -> Ending:
    """Run the flow, and `on error` if it fails. That settles the run by stopping it, and is never run for itself."""
    context, program = RunContext(life), life.program
    end = await _end(life, program.run(payload, context))
    if not isinstance(end, StepFailure):
        return Ending(RunState.STOPPED if end else RunState.DONE)
    if program.handler is None or isinstance(end, _Fault):
        return _with_failure(life, RunState.DEAD, end)
    end_of_handler = await _end(life, program.handler(payload, context, context.error(end)))
    if isinstance(end_of_handler, StepFailure):
        return _with_failure(life, RunState.DEAD, end, end_of_handler)
    return _with_failure(life, RunState.STOPPED if end_of_handler else RunState.DEAD, end)


class _Fault(StepFailure):
    """A fault of ours, of which the log says all and others are told little."""


async def _end(life: Life, chain: Awaitable[bool]) -> bool | StepFailure:
    """Whether a chain stopped itself, or how it failed."""
    try:
        return await chain
    except JournalError:
        raise
    except StepFailure as failed:
        failure = failed
    except Exception as error:
        logger.exception("a fault in the flow or in Seta", extra={"flow": life.run.flow, "run": life.run.id})
        failure = _Fault("internal", f"{type(error).__name__} (see the server's log)")
        failure.__traceback__ = error.__traceback__
    attribute(life.program, failure)
    return failure


def _with_failure(life: Life, state: RunState, failure: StepFailure, of_handler: StepFailure | None = None) -> Ending:
    error = told(life.program, failure, of_handler)
    return Ending(state, failure.step, error, attempt=failure.attempt)


def _waiting(life: Life, suspended: Suspended) -> Ending:
    failure = suspended.failure
    error, attempt = (b"", 0) if failure is None else (told(life.program, failure), failure.attempt)
    return Ending(RunState.WAITING, suspended.step, error, suspended.until, attempt)
