"""`seta replay` against a server that runs, and without one."""

import json
import re
import time
from pathlib import Path

import httpx
import pytest

from tests.runtime.cli.conftest import Seta
from tests.runtime.cli.process import ServerProcess
from tests.runtime.cli.process import seta as process

FLOW = 'flow leads\non webhook {telefone: text}\n  -> format_phone(telefone) -> upsert person -> send hsm "oi"\n'
LENIENT = "flow leads\non webhook {telefone: text}\n  -> log telefone\n"
STRICT = "flow leads\non webhook {telefone: phone}\n  -> log telefone\n"


def states(folder: Path) -> list[str]:
    found = json.loads(process(folder, "runs", "--json").stdout)["runs"]
    return [run["state"] for run in found]


def settle(folder: Path) -> list[str]:
    end = time.monotonic() + 10
    while set(states(folder)) & {"accepted", "running"} and time.monotonic() < end:
        time.sleep(0.05)
    return states(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose flow had three deliveries that it could not work with."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "leads.seta").write_text(FLOW)
    with ServerProcess(tmp_path) as server:
        for n in range(3):
            httpx.post(server.flows["leads"].url, json={"telefone": f"nenhum {n}"}).raise_for_status()
        assert settle(tmp_path) == ["dead"] * 3
    return tmp_path


def test_dead_runs_are_replayed_once_the_flow_is_mended(folder: Path) -> None:
    (folder / "flows" / "leads.seta").write_text(LENIENT)
    with ServerProcess(folder):
        dry = process(folder, "replay", "--flow", "leads", "--dry-run")
        assert (dry.returncode, dry.stdout, dry.stderr) == (0, "3 runs would be replayed\n", "")
        assert states(folder) == ["dead"] * 3
        begun = time.monotonic()
        done = process(folder, "replay", "--since", "1h", "--rate", "4/s")
        assert (done.returncode, done.stdout, done.stderr) == (0, "3 runs replayed\n", "")
        assert time.monotonic() - begun > 0.5
        assert settle(folder) == ["done"] * 3 + ["dead"] * 3
        document = json.loads(process(folder, "replay", "--json").stdout)
        assert list(document) == ["schema", "replays", "next", "upto"]
        assert (document["schema"], len({one["run"] for one in document["replays"]})) == ("seta.replay/1", 3)
        nothing = process(folder, "replay", "--flow", "others")
        assert (nothing.returncode, nothing.stdout) == (0, "no such runs\n")


def test_deliveries_that_do_not_fit_any_more_are_told(folder: Path) -> None:
    (folder / "flows" / "leads.seta").write_text(STRICT)
    with ServerProcess(folder):
        told = process(folder, "replay")
    assert (told.returncode, told.stderr) == (1, "seta: 3 of 3 cannot be replayed\n")
    first, *rest = told.stdout.splitlines()
    assert (first, len(rest)) == ("0 runs replayed", 3)
    assert all(re.fullmatch(r"  [0-9a-f-]{36}: the delivery does not fit the flow any more: .*", line) for line in rest)
    assert "nenhum" not in told.stdout


@pytest.mark.usefixtures("filled")
def test_without_a_server_nothing_is_replayed_and_it_says_why(seta: Seta) -> None:
    result = seta("replay")
    told = "seta: past runs are replayed on the plans that a server serves: start `seta serve` first\n"
    assert (result.exit_code, result.stderr, result.stdout) == (1, told, "")


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("rate", ["0/s", "50", "5/h", "-1/s", "1234567/s"])
def test_rate_that_is_none_is_refused(seta: Seta, rate: str) -> None:
    result = seta("replay", f"--rate={rate}")
    assert (result.exit_code, f"'{rate}' is no rate such as 50/s or 30/m" in result.stderr) == (2, True)
