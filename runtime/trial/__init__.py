"""Tests of flows at work: each on the real engine and a journal of its own, with time that only it moves."""

from runtime.trial.bench import Bench, Outcome, bench

__all__ = ["Bench", "Outcome", "bench"]
