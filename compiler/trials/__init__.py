"""Tests of flows: what is wrong with them is found here, and what is not becomes a `Trial` that can be run."""

from compiler.trials.check import check_trials
from compiler.trials.steps import Known

__all__ = ["Known", "check_trials"]
