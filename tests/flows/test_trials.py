"""The tests that stand beside the example flows."""

import pytest

from compiler.ir.trials import Trial
from dsl import render_text
from runtime.loader import load
from runtime.steps import catalog
from runtime.trial import bench
from tests.runtime.cli.process import ROOT

LOADED = load(ROOT / "flows", catalog())


@pytest.mark.parametrize("trial", LOADED.folder.trials, ids=lambda trial: f"{trial.flow}: {trial.title}")
async def test_test_of_an_example_passes(trial: Trial) -> None:
    async with bench(LOADED, catalog(), ROOT / "flows", {}) as at:
        outcome = await at.run(trial)
    assert outcome.passed, render_text(outcome.findings)


def test_every_example_has_a_test() -> None:
    assert {trial.flow for trial in LOADED.folder.trials} == LOADED.programs.keys()
