"""What an engine counts: how its runs ended, and how the attempts of their steps went."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from runtime.context import StepSpec
from runtime.counts import Bounded, Count, Histogram
from runtime.engine.leaving import Parked, Suspended
from runtime.failures import StepFailure
from runtime.journal.rows import RunState

RUN_SECONDS: Final = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0, 21_600.0, 86_400.0, 604_800.0)
STEP_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_OTHERS: Final = "others"


class EngineCounts:
    """Numbers since the start. `timer` gives seconds."""

    def __init__(self, timer: Callable[[], float] = time.perf_counter) -> None:
        self._timer = timer
        self.runs = Bounded[tuple[str, str], Count](Count, (_OTHERS, _OTHERS))  # flow, state
        self.run_seconds = Histogram(RUN_SECONDS)  # from acceptance to the end, waits included
        self.attempts = Bounded[tuple[str, str, str], Count](Count, (_OTHERS, _OTHERS, _OTHERS))  # flow, step, outcome
        self.step_seconds = Bounded[str, Histogram](lambda: Histogram(STEP_SECONDS), _OTHERS)  # verb

    def ended(self, flow: str, state: RunState, milliseconds: int | None = None) -> None:
        """Take note of a run that left for good, or parks; and of how long ago it was accepted."""
        self.runs[flow, state].number += 1
        if milliseconds is not None and state is not RunState.PARKED:
            self.run_seconds.add(milliseconds / 1000)

    async def attempt(self, flow: str, spec: StepSpec, attempt: Awaitable[Any]) -> Any:
        """Make an attempt of a step, and take note of how it went and how long that took, its record included."""
        began = self._timer()
        try:
            given = await attempt
        except StepFailure:
            self._attempted(flow, spec, "failed", began)
            raise
        except Suspended:
            self._attempted(flow, spec, "retry", began)
            raise
        except Parked:
            self._attempted(flow, spec, "unknown", began)
            raise
        self._attempted(flow, spec, "done", began)
        return given

    def _attempted(self, flow: str, spec: StepSpec, outcome: str, began: float) -> None:
        self.attempts[flow, spec.id, outcome].number += 1
        self.step_seconds[spec.verb].add(self._timer() - began)
