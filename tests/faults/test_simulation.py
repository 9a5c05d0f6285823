"""Hundreds of lives in virtual time: crashes, lost records, owners that do not know that they are none, lost answers.

A seed plays the same piece again: `simulate(SEED, …)` gives the trace of one that broke a promise.
"""

import logging
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sized
from pathlib import Path

import pytest

from runtime.program import Program
from tests.faults.conftest import Tell
from tests.faults.simulation.play import Piece, simulate
from tests.faults.simulation.promises import FLOWS, check
from tests.runtime.engine.conftest import CATALOG, programs


@pytest.fixture(scope="module")
def flows() -> Mapping[str, Program]:
    return programs(FLOWS)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Refused commits are what happens here all the time."""
    caplog.set_level(logging.CRITICAL)


def play(seed: int, flows: Mapping[str, Program]) -> Piece:
    with tempfile.TemporaryDirectory() as folder:
        return simulate(seed, Path(folder), flows, list(CATALOG.verbs))


def play_all(seeds: Iterable[int], flows: Mapping[str, Program]) -> str:
    """Play the pieces of many seeds and check each; the figure as a sentence."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        try:
            piece = play(seed, flows)
            check(piece)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        states = Counter(run.state for run in piece.runs) + Counter(run.code for run in piece.runs)
        happenings: dict[str, Sized] = {
            "deaths": piece.deaths,
            "crashes": piece.crashes,
            "held": [one for one in piece.asked if one.what == "held"],
            "deposed": piece.deposed,
            "refused": piece.refused,
            "calls": piece.attempts,
        }
        seen += states + Counter({name: len(what) for name, what in happenings.items()})
        seen += Counter(seeds=1, runs=len(piece.runs), hours=int(piece.seconds / 3600 + 1))
    assert all(seen[name] for name in ("done", "dead", "stopped", "parked", "poison", "deposed", "refused", "held"))
    return (
        f"{seen['seeds']} simulations of {seen['hours']} hours: {seen['runs']} runs with {seen['calls']} calls over"
        f" {seen['deaths']} deaths ({seen['crashes']} of {seen['poison']} runs that kill), {seen['deposed']} deposed"
        f" owners, {seen['held']} held calls and {seen['refused']} refused commits; no promise broken"
    )


def test_20_simulations_break_no_promise(flows: Mapping[str, Program], tell: Tell) -> None:
    tell(play_all(range(20), flows))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_500_simulations_break_no_promise(flows: Mapping[str, Program], tell: Tell) -> None:
    tell(play_all(range(500), flows))


@pytest.mark.parametrize("seed", range(3))
def test_a_seed_gives_the_same_trace_each_time(flows: Mapping[str, Program], seed: int) -> None:
    first = play(seed, flows)
    assert play(seed, flows).trace == first.trace
    assert play(seed + 1000, flows).trace != first.trace
