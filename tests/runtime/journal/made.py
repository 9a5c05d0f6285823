"""Writes as tests need them, with everything that does not matter filled in."""

from itertools import count

from runtime.journal.rows import Kind, Misfit, RunState
from runtime.journal.writes import Accept, Effect, KeepPlan, Move, Record

NOW = 1_764_000_000_000  # ms
REJECTED_UNTIL = NOW + 1

_numbers = count(1)


def accept(  # noqa: PLR0913  # what a test may want of a delivery
    run_id: str = "",
    *,
    flow: str = "retomada",
    body: bytes = b"{}",
    running: bool = True,
    keep: int | None = None,
    lender: int = 0,
    rejected: int = 0,
) -> Accept:
    """A delivery with an id of its own."""
    run_id = run_id or f"run{next(_numbers):08}"
    key = f"key of {run_id}"
    return Accept(run_id, key, flow, "plan1", NOW, body, b"[1]", b"", running, keep, lender=lender, rejected=rejected)


def misfit(body: bytes = b"{}", *, until: int = REJECTED_UNTIL, received_at: int = NOW) -> Misfit:
    """A delivery that did not fit, with an id of its own."""
    problems = b'[{"pointer":"/nome","expected":"text","got":"nothing"}]'
    return Misfit(f"rejected{next(_numbers):08}", "plan1", received_at, until, body, b"", problems)


def record(
    run: int, step: str = "a", kind: Kind = Kind.RESULT, value: bytes = b"1", effect: Effect | None = None
) -> Record:
    """What a step gave."""
    return Record(run, step, kind, b"hash", NOW, value=value, effect=effect)


def move(run: int, state: RunState, *, wake_at: int | None = None, at: int = NOW, error: bytes = b"") -> Move:
    """A change of state."""
    return Move(run, state, at, wake_at, error=error)


def keep_plan(plan: str = "plan1", bundle: bytes = b"{}") -> KeepPlan:
    """A plan's sources."""
    return KeepPlan(plan, "retomada", bundle, NOW)
