"""Schemathesis reads the document of a real server and sends it what it allows, and what it forbids.

All checks hold: no server error, answers as they are described, what does not fit is refused, nobody gets in without
the secret.
"""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.outside.serving import SECRETS, server
from tests.runtime.cli.process import ServerProcess, seta

# What JSON Schema cannot say, such as what a phone is or that a number has 28 digits at most, is refused with 422.
CONFIGURATION = f"""\
hooks = "hooks.py"

[checks]
positive_data_acceptance.expected-statuses = ["2xx", "401", "404", "422"]

[auth.openapi.token]
api_key = "{SECRETS["TOKEN"]}"

[auth.openapi.basic]
username = "{SECRETS["USER"]}"
password = "{SECRETS["PASSWORD"]}"
"""

# An array of nothing is no part of a form at all, and is then no array that a field must not be.
HOOKS = """\
import schemathesis


@schemathesis.hook
def filter_case(context, case):
    form = case.media_type == "multipart/form-data" and isinstance(case.body, dict)
    return not (form and any(value == [] for value in case.body.values()))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("outside")
    (folder / "schemathesis.toml").write_text(CONFIGURATION)
    (folder / "hooks.py").write_text(HOOKS)
    with server(folder, examples=True) as serving:
        (folder / "openapi.json").write_text(seta(folder, "openapi").stdout)
        yield serving


def run(served: ServerProcess, *options: str, seconds: float) -> None:
    """Let it run, always with the same data; what it reports is the failure of the test."""
    command = ["run", "openapi.json", "--url", f"http://127.0.0.1:{served.port}", "--checks", "all", *options]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *command, "--generation-deterministic", "--no-color"],
        cwd=served.folder,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in served.errors


@pytest.mark.timeout(180)
def test_examples_and_edges_of_every_webhook_are_answered_as_described(served: ServerProcess) -> None:
    run(served, "--phases", "examples,coverage", seconds=150)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_whatever_the_document_allows_or_forbids_is_answered_as_described(served: ServerProcess) -> None:
    run(served, "--phases", "fuzzing", "--max-examples", "40", "--max-time", "90", seconds=290)
