"""Commands in this process, over a folder that holds a flow and a few runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runtime.cli import command
from runtime.connections import local
from runtime.journal import open_journal
from tests.runtime.admin.conftest import AT, fill
from tests.runtime.cli.process import RETOMADA

Seta = Callable[..., Result]


@pytest.fixture
def seta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seta:
    """Run a command in a folder that holds the first example."""
    monkeypatch.chdir(tmp_path)
    for name in ("FLOWS", "DATA", "COLOR", "HOST", "PORT", "PUBLIC_URL"):
        monkeypatch.delenv(f"SETA_{name}", raising=False)
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "retomada.seta").write_text(RETOMADA)

    def run(*args: str, **changes: str) -> Result:
        return CliRunner().invoke(command, args, prog_name="seta", env=changes, catch_exceptions=False)

    return run


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """Make the data folder of three runs."""

    async def make() -> None:
        journal = await open_journal(tmp_path / ".seta", clock=lambda: AT, tables=(local.TABLES,))
        await fill(journal)
        await journal.close()

    asyncio.run(make())
    return tmp_path / ".seta"
