"""What to do after a failed attempt: repeat it, give up, or say that nobody knows what happened."""

from collections.abc import Callable
from enum import Enum, auto

from runtime.context import Policy, StepSpec
from runtime.failures import Kind, StepFailure


class Verdict(Enum):
    """What a failed attempt comes to."""

    REPEAT = auto()
    FAIL = auto()
    UNKNOWN = auto()


def judge(spec: StepSpec, failure: StepFailure, attempt: int) -> Verdict:
    """Follow the effect's class (docs/running.md): only what may be repeated is repeated."""
    if failure.kind is Kind.PERMANENT:
        return Verdict.FAIL
    if failure.kind is not Kind.NOT_DONE and not _repeatable(spec):
        return Verdict.UNKNOWN if spec.effect == "once" else Verdict.FAIL
    return Verdict.REPEAT if attempt < spec.policy.tries else Verdict.FAIL


def _repeatable(spec: StepSpec) -> bool:
    """Whether an attempt that may have had its effect may be made again."""
    match spec.effect:
        case "idempotent":
            return True
        case "keyed":
            return spec.policy.asked
        case "once":
            return spec.policy.unknown == "retry"


def pause(policy: Policy, attempt: int, random: Callable[[], float], at_least: float | None) -> int:
    """Milliseconds before the next attempt: exponential with full jitter, never less than was asked for."""
    ceiling = min(policy.high, policy.low * 2 ** (attempt - 1))
    chosen = max(policy.low * random(), ceiling * random())
    floor = 0 if at_least is None else int(at_least * 1000)
    return max(floor, int(chosen))
