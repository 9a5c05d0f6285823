"""The command as a whole: help, version, wrong calls."""

import re
import subprocess
import sys

import pytest

from tests.runtime.cli.conftest import Seta
from tests.runtime.cli.process import ROOT, environment

HELP = """\
Usage: seta [OPTIONS] COMMAND [ARGS]...

  Flows as text: a webhook comes in, the delivery is kept, the steps run.

Options:
  --version   Show the version and exit.
  -h, --help  Show this message and exit.

Commands:
  serve     Serve the flows of a folder until Ctrl-C.
  reload    Let the server read its folder of flows again.
  urls      Print where each flow is called, and a line to try it.
  openapi   Print an OpenAPI 3.1 document of all webhooks, or of one flow.
  runs      List runs, show one, or say how one goes on.
  replay    Start new runs of past deliveries, on the plans of today.
  rejected  List deliveries that did not fit their flow, or show one.
  persons   List the persons that flows have made, newest first.
  outbox    List the messages in the local outbox, newest first.
  privacy   Find, export or erase all that is kept of one person.
  doctor    Look whether a server would start here and be well.
  backup    Write a copy of the database to a file that is not there yet.
  restore   Put a backup into a folder of data that has none.
  check     Find every problem of flows: of files, or of all in a folder.
  test      Run the tests of flows: of files, or of all in a folder.
  run       Run a flow once, here and now, and tell what it would send.
  fmt       Lay flows out: files, all in a folder, or standard input (-).
  explain   Show what was filled in, and what the steps do.
  help      List the codes of problems and remarks, or explain one.
  new       Write a small flow that works, with a test, as a place to begin.
  catalog   List the verbs and functions of flows, or show one whole.

  Examples:
    seta serve                     serve the flows of flows/
    seta urls                      print where each flow is called
    seta runs --state dead         list what failed for good
    seta runs show ID              show one run, step by step
    seta check                     find every problem of the flows
    seta test                      run their tests
"""


def test_help_fits_on_a_page(seta: Seta) -> None:
    result = seta("--help")
    assert (result.exit_code, result.output) == (0, HELP)


@pytest.mark.parametrize(
    "name",
    [
        "serve",
        "reload",
        "urls",
        "runs",
        "replay",
        "persons",
        "outbox",
        "check",
        "test",
        "run",
        "fmt",
        "explain",
        "help",
        "new",
        "catalog",
    ],
)
def test_every_command_explains_itself(seta: Seta, name: str) -> None:
    result = seta(name, "-h")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: seta {name} ")


def test_version_is_told(seta: Seta) -> None:
    result = seta("--version")
    assert result.exit_code == 0
    assert re.fullmatch(r"seta (\d+\.\d+\.\d+|\(not installed\))\n", result.output)


@pytest.mark.parametrize(
    "args",
    [
        ["nothing"],
        ["runs", "nothing"],
        ["runs", "--state", "lost"],
        ["runs", "--limit", "0"],
        ["runs", "show"],
        ["serve", "--admin", "8402"],
        ["serve", "--port", "http"],
        ["serve", "--grace", "-1"],
        ["check", "--format", "yaml"],
        ["explain"],
        ["explain", "flows", "--emit", "nothing"],
    ],
    ids=" ".join,
)
def test_wrong_call_has_exit_code_2(seta: Seta, args: list[str]) -> None:
    result = seta(*args)
    assert result.exit_code == 2
    assert result.output.startswith("Usage: seta ")


def test_address_that_is_none_is_told_how_one_looks(seta: Seta) -> None:
    result = seta("serve", "--admin", "8402")
    assert "'8402' is not HOST:PORT, such as 127.0.0.1:8402" in result.output


def loaded(module: str, rooms: tuple[str, ...]) -> str:
    """Which modules of some rooms a module brings with it, in a process of its own."""
    code = f"import sys, {module}; print(sorted(name for name in sys.modules if name.startswith({rooms})))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout


def test_version_needs_none_of_the_rooms() -> None:
    assert loaded("runtime.cli", ("compiler", "dsl", "granian", "httpx", "importlib.metadata", "rich")) == "[]\n"


@pytest.mark.parametrize("name", ["check", "fmt", "help", "explain", "new"])
def test_command_about_text_alone_brings_nothing_that_serves_or_sends(name: str) -> None:
    rooms = ("aiohttp", "granian", "httpx", "runtime.admin", "runtime.engine", "runtime.extend", "runtime.linking")
    assert loaded(f"runtime.cli.{name}", rooms) == "[]\n"
