"""Draws docs/terminal.svg from a real server: `python -m tests.docs.picture`."""

import io
import re
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.runtime.cli.process import LEAD, RETOMADA, ROOT, ServerProcess, environment, script

WIDTH = 104


def main() -> None:
    """Start a server, post twice, and record what two commands print."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "flows").mkdir()
        (folder / "flows" / "retomada.seta").write_text(RETOMADA)
        with ServerProcess(folder) as server:
            url = server.flows["retomada"].url
            for body in (LEAD, '{"telefone":"não informado"}'.encode()):
                urllib.request.urlopen(urllib.request.Request(url, body), timeout=5).read()  # noqa: S310  # loopback
                time.sleep(1)
            shown = run(folder, "runs")
            dead = re.findall(r"[0-9a-f-]{36}", shown)[0]
            for command, output in (("runs", shown), (f"runs show {dead}", run(folder, "runs", "show", dead))):
                console.print(Text(f"$ seta {command}", style="bold"))
                console.print(Text.from_ansi(output), soft_wrap=False)
                console.print()
    svg = console.export_svg(title="seta")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # the reader's own monospace does
    (ROOT / "docs" / "terminal.svg").write_text(svg, encoding="utf-8")


def run(folder: Path, *args: str) -> str:
    """The coloured output of a command."""
    command = [*script(folder), *args, "--color", "always"]
    env = environment(COLUMNS=str(WIDTH))
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True, timeout=30).stdout


if __name__ == "__main__":
    main()
