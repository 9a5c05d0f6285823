"""`seta` as a process of its own, started as a console script starts it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from click.testing import CliRunner

from runtime.cli import command

ROOT = Path(__file__).parents[3]
PACKAGES = os.pathsep.join(map(str, (ROOT, ROOT / "runtime" / "public")))
SECONDS = 30.0

RETOMADA = 'on webhook -> format_phone(telefone) -> upsert person -> send hsm "retomada"\n'
LEAD = '{"nome":"João Silva","email":"joao@example.com","telefone":"11999998888"}'.encode()

# What pip writes for the entry point `seta = "runtime.cli:main"`.
_SCRIPT = """\
import sys
from runtime.cli import main
if __name__ == '__main__':
    sys.exit(main())
"""


def script(folder: Path, prelude: str = "") -> list[str]:
    """Make a console script, away from the checkout, and give the command that runs it; Python may come before it."""
    path = folder / "bin" / "seta"
    path.parent.mkdir(exist_ok=True)
    path.write_text(prelude + _SCRIPT)
    return [sys.executable, str(path)]


def environment(**changes: str) -> dict[str, str]:
    """Give an environment in which our packages are found wherever the working directory is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SETA_")}
    return {**kept, "PYTHONPATH": PACKAGES, "PYTHONDONTWRITEBYTECODE": "1", **changes}


def seta(folder: Path, *args: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*script(folder), *args],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def listed(folder: Path, name: str) -> list[Any]:
    """Ask a server for a list, as `seta NAME --json` does, without a process for it."""
    asked = CliRunner().invoke(command, [name, "--json", "--data", str(folder / ".seta")], catch_exceptions=False)
    rows: list[Any] = json.loads(asked.stdout)[name]
    return rows


@dataclass(frozen=True)
class Flow:
    """What the server printed of a flow."""

    name: str
    url: str
    curl: str

    @property
    def path(self) -> str:
        """The path of the URL."""
        return "/" + self.url.split("/", 3)[3]


class NeverReadyError(Exception):
    """The server ended before it listened; the message is what it said."""


class ServerProcess:
    """A server in a folder that holds `flows/`, on a free port. Killed at the end, if it still runs.

    `prelude` is Python that it runs before anything else; `changes` are of its environment.
    """

    def __init__(self, folder: Path, *args: str, prelude: str = "", **changes: str) -> None:
        self.folder = folder
        with (folder / "stderr").open("w") as stderr:
            self._process = subprocess.Popen(
                [*script(folder, prelude), "serve", "--port", "0", *args],
                cwd=folder,
                env=environment(**changes),
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self.printed = self._until_ready()
        listening = re.search(r"on http://127\.0\.0\.1:(\d+)", self.printed)
        if listening is None:
            self.__exit__(None, None, None)
            raise NeverReadyError(self.errors)
        self.port = int(listening[1])
        found = re.findall(r"^  (\S+) (http\S+)\n  (curl .*)$", self.printed, re.MULTILINE)
        self.flows = {name: Flow(name, url, curl) for name, url, curl in found}

    def _until_ready(self) -> str:
        assert self._process.stdout is not None
        lines = []
        for line in self._process.stdout:
            lines.append(line)
            if "Ctrl-C stops" in line:
                break
        return "".join(lines)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def died(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    @property
    def errors(self) -> str:
        """What it said on standard error so far."""
        return (self.folder / "stderr").read_text()

    def curl(self, flow: str) -> str:
        """Paste the printed line into a shell, and give what curl prints."""
        done = subprocess.run(
            ["/bin/sh", "-c", f"{self.flows[flow].curl} -s -i"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        return done.stdout

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end and give the exit code."""
        return self._process.wait(SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()
