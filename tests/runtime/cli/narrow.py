"""A terminal of some columns, without colours, for commands that run in this process."""

import pytest
from rich.console import Console

from runtime.cli import terminal


def narrow(monkeypatch: pytest.MonkeyPatch, columns: int = 80) -> None:
    """Let commands print to such a terminal."""

    def console(_: str) -> Console:
        return Console(width=columns, force_terminal=True, color_system=None, highlight=False)

    monkeypatch.setattr(terminal, "console", console)
