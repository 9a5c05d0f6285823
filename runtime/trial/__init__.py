"""Tests of flows at work: each on the real engine and a journal of its own, with time that only it moves."""

from runtime.trial.bench import Bench, Outcome, bench
from runtime.trial.findings import ending, instant
from runtime.trial.live import Busy, run_live
from runtime.trial.matching import written
from runtime.trial.rehearsal import Rehearsal
from runtime.trial.sending import shown
from runtime.trial.stage import Restless

__all__ = [
    "Bench",
    "Busy",
    "Outcome",
    "Rehearsal",
    "Restless",
    "bench",
    "ending",
    "instant",
    "run_live",
    "shown",
    "written",
]
