"""Runs of a server, as its command shows them."""

import json
import time
from typing import Any

from tests.runtime.cli.process import ServerProcess, seta


def run(served: ServerProcess, run_id: str) -> dict[str, Any]:
    """A run once it has ended."""
    for _ in range(100):
        found: dict[str, Any] = json.loads(seta(served.folder, "runs", "show", run_id, "--json").stdout)["run"]
        if found["state"] == "done":
            return found
        time.sleep(0.05)
    raise AssertionError(f"the run {run_id} does not end")
