"""Flows of loops and branches that a seed draws, over lives that end at any instant, against what must come of them.

A seed plays the same piece again: `grow(SEED, …)` gives the trace of one that broke a promise.
"""

import logging
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.faults.conftest import Tell
from tests.faults.simulation.growth import Grown, grow
from tests.faults.simulation.reference import check


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Refused commits are what happens here all the time."""
    caplog.set_level(logging.CRITICAL)


def play(seed: int) -> Grown:
    with tempfile.TemporaryDirectory() as folder:
        return grow(seed, Path(folder))


def play_all(seeds: Iterable[int]) -> str:
    """Play the pieces of many seeds and check each; the figure as a sentence."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        try:
            grown = play(seed)
            check(grown)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        seen += Counter({"flows": 1, grown.state: 1, "calls": len(grown.calls), "refused": len(grown.refused)})
        seen += Counter(
            cut=sum(call.told == "cut" for call in grown.calls), items=len({(i.loop, i.index) for i in grown.items})
        )
    assert all(seen[name] for name in ("done", "dead", "cut", "refused", "items"))
    return (
        f"{seen['flows']} flows of loops and branches: {seen['items']} items with {seen['calls']} calls, {seen['cut']}"
        f" of them cut by a death, and {seen['refused']} refused commits; {seen['done']} done, {seen['dead']} dead,"
        f" {seen['parked']} parked; no promise broken"
    )


def test_branches_of_8_flows_come_to_what_they_must(tell: Tell) -> None:
    tell(play_all(range(8)))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_branches_of_200_flows_come_to_what_they_must(tell: Tell) -> None:
    tell(play_all(range(200)))


def test_a_seed_gives_the_same_interleaving_each_time() -> None:
    first = play(3)
    assert play(3).trace == first.trace
    assert play(4).trace != first.trace
