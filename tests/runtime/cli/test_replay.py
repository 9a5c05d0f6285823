"""`seta replay` against a server that runs, and without one."""

import asyncio
import json
import re
import time
from pathlib import Path

import httpx
import pytest

from runtime.connections import local
from runtime.journal import open_journal
from runtime.journal.rows import Misfit
from runtime.journal.writes import Reject
from tests.runtime.admin.conftest import AT
from tests.runtime.cli.conftest import Seta
from tests.runtime.cli.process import ServerProcess, listed
from tests.runtime.cli.process import seta as process

FLOW = 'flow leads\non webhook {telefone: text}\n  -> format_phone(telefone) -> upsert person -> send hsm "oi"\n'
LENIENT = "flow leads\non webhook {telefone: text}\n  -> log telefone\n"
STRICT = "flow leads\non webhook {telefone: phone}\n  -> log telefone\n"


def states(folder: Path) -> list[str]:
    return [run["state"] for run in listed(folder, "runs")]


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
        assert list(document) == ["schema", "replays", "next", "upto", "served"]
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


def test_rejected_deliveries_are_replayed_once_the_flow_is_mended(tmp_path: Path) -> None:
    file = tmp_path / "flows" / "leads.seta"
    file.parent.mkdir()
    file.write_text(STRICT)
    with ServerProcess(tmp_path) as server:
        for body in ('{"telefone":"nenhum"}', '{"telefone":7}', '{"fone":"11999998888"}'):
            assert httpx.post(server.flows["leads"].url, content=body).status_code == 422
        end = time.monotonic() + 10
        while len(listed(tmp_path, "rejected")) < 3 and time.monotonic() < end:
            time.sleep(0.05)
        file.write_text(LENIENT)
        assert process(tmp_path, "reload").returncode == 0
        told = process(tmp_path, "replay", "--rejected", "--rate", "100/s")
        problem = "the delivery still does not fit the flow: /telefone should be text, is"
        (number, missing) = (one["id"] for one in reversed(listed(tmp_path, "rejected")))
        assert (told.returncode, told.stderr) == (1, "seta: 2 of 3 cannot be replayed\n")
        assert told.stdout.splitlines() == [
            "1 rejected delivery replayed",
            f"  {number}: {problem} a number",
            f"  {missing}: {problem} nothing",
        ]
        assert settle(tmp_path) == ["done"]


def test_without_a_server_the_next_one_runs_what_is_replayed(folder: Path) -> None:
    (folder / "flows" / "leads.seta").write_text(LENIENT)
    begun = time.monotonic()
    told = process(folder, "replay", "--rate", "1/m")
    assert (told.returncode, told.stdout) == (0, "3 runs replayed: the next `seta serve` runs them\n")
    assert time.monotonic() - begun < 30
    assert states(folder) == ["accepted"] * 3 + ["dead"] * 3
    (folder / "flows" / "leads.seta").write_text(STRICT)
    with ServerProcess(folder):
        assert settle(folder) == ["done"] * 3 + ["dead"] * 3


@pytest.mark.usefixtures("filled")
def test_without_a_server_the_folder_of_flows_has_to_compile(seta: Seta, tmp_path: Path) -> None:
    result = seta("replay", "--dry-run")
    assert (result.exit_code, result.stdout) == (0, "1 run would be replayed\n")
    before = seta("runs", "--json").stdout
    (tmp_path / "flows" / "retomada.seta").write_text("on webhook -> nothing at all\n")
    result = seta("replay")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("\nseta: 1 error in 1 file\n")
    assert seta("runs", "--json").stdout == before


@pytest.mark.usefixtures("rejected_too")
def test_without_a_server_rejected_deliveries_become_runs(seta: Seta) -> None:
    told = seta("replay", "--rejected", "--json")
    document = json.loads(told.stdout)
    assert (document["schema"], document["served"]) == ("seta.replay/1", False)
    fit, gone = document["replays"]
    assert (fit["flow"], fit["repeat"], fit["problem"]) == ("retomada", False, None)
    assert (gone["run"], gone["problem"]) == (None, "the flow is not served any more")
    assert (told.exit_code, told.stderr) == (1, "seta: 1 of 2 cannot be replayed\n")
    shown = json.loads(seta("runs", "show", fit["run"], "--json").stdout)["run"]
    assert (shown["state"], shown["payload"]) == ("accepted", {"telefone": "11999998888"})
    assert [one["flow"] for one in json.loads(seta("rejected", "--json").stdout)["rejected"]] == ["erp"]
    again = seta("replay", "--rejected", "--flow", "retomada")
    assert (again.exit_code, again.stdout) == (0, "no such rejected deliveries\n")


@pytest.fixture
def rejected_too(tmp_path: Path) -> None:
    """Two rejected deliveries: one that fits the first example, and one of a flow that is gone."""

    async def make() -> None:
        journal = await open_journal(tmp_path / ".seta", clock=lambda: AT, tables=(local.TABLES,))
        for flow in ("retomada", "erp"):
            body = b'{"telefone":"11999998888"}'
            await journal.commit(Reject(flow, (Misfit(flow, "plan", AT, AT + 10**12, body, b"", b"[]"),)))
        await journal.close()

    asyncio.run(make())


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("option", ["--state=dead", "--again", "--same-key"])
def test_options_of_runs_do_not_go_with_rejected_deliveries(seta: Seta, option: str) -> None:
    result = seta("replay", "--rejected", option)
    told = "Error: --rejected goes without --state, --again and --same-key: such deliveries had no run\n"
    assert (result.exit_code, result.stderr.endswith(told)) == (2, True)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("rate", ["0/s", "50", "5/h", "-1/s", "1234567/s"])
def test_rate_that_is_none_is_refused(seta: Seta, rate: str) -> None:
    result = seta("replay", f"--rate={rate}")
    assert (result.exit_code, f"'{rate}' is no rate such as 50/s or 30/m" in result.stderr) == (2, True)
