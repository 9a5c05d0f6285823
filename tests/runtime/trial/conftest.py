"""Tests that run tests: text of flows with their `test` blocks, and what is told of them."""

from pathlib import Path

import pytest

from dsl import render_text
from runtime.loader import load
from runtime.steps import catalog
from runtime.trial import Outcome, bench

SETTINGS = '[config]\nerp = "https://erp.example/api"\n'


class Outcomes:
    """What came of the tests of a text, by title."""

    def __init__(self, found: list[Outcome]) -> None:
        self._found = {outcome.trial.title: outcome for outcome in found}

    def told(self, title: str = "t") -> str:
        """What is told of a test; nothing where it passed."""
        return render_text(self._found[title].findings)

    @property
    def failed(self) -> list[str]:
        """The titles of the tests that failed."""
        return [title for title, outcome in self._found.items() if not outcome.passed]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of flows, in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "seta.toml").write_text(SETTINGS)
    return tmp_path / "flows"


async def outcomes(folder: Path, text: str) -> Outcomes:
    """Run all tests of a text."""
    (folder / "a.seta").write_text(text, encoding="utf-8")
    loaded = load(Path("flows"), catalog())
    assert not loaded.folder.broken, render_text(loaded.diagnostics)
    async with bench(loaded, catalog(), folder, {}) as at:
        return Outcomes([await at.run(trial) for trial in loaded.folder.trials])
