"""Runs in words."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from runtime.journal.rows import Kind, RunDetail, RunState, StepRow

_TOLD: Final = 5  # of what else was sent


class Failure(msgspec.Struct, frozen=True):
    """Why a run ended, or an attempt failed, as the journal keeps it."""

    code: str
    message: str
    step: str = ""


def first_of(kind: str, lines: list[str]) -> list[str]:
    """Some lines under a word, and how many there are more."""
    told = [f"{kind}: {line}" for line in lines[:_TOLD]]
    return told + ([f"and {len(lines) - _TOLD} more"] if len(lines) > _TOLD else [])


def failure_of(detail: RunDetail) -> Failure:
    """How a run failed, or its last attempt of a step."""
    return msgspec.json.decode(detail.run.error or b'{"code": "", "message": ""}', type=Failure)


def ending(detail: RunDetail) -> str:
    """How a run stands."""
    match detail.run.state:
        case RunState.DONE:
            return "it went through to its end"
        case RunState.STOPPED:
            return "it stopped itself"
        case RunState.WAITING:
            return f"it waits at {detail.run.step} until {instant(detail.wake_at or 0)}"
        case RunState.DEAD | RunState.PARKED:
            failure = failure_of(detail)
            return f"it failed at {failure.step or '?'} as {failure.code}: {failure.message}"
        case state:
            return f"it is {state}"


def way(detail: RunDetail) -> str:
    """The steps of a run that are recorded, and how it stands."""
    steps = ", ".join(step for row in detail.steps if (step := _step(row)))
    return f"{detail.run.flow} ran {steps or 'no step that is recorded'}; {ending(detail)}"


def _step(row: StepRow) -> str:
    match row.kind:
        case Kind.LOG:
            return ""
        case Kind.FAILED | Kind.TRIED:
            return f"{row.step} (failed as {msgspec.json.decode(row.value, type=Failure).code})"
        case _:
            return row.step


def instant(milliseconds: int) -> str:
    """A time as people read it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
