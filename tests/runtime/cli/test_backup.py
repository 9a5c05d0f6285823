"""`seta backup`, `seta restore` and `seta runs release`."""

import json
from pathlib import Path

import httpx
import pytest

from tests.runtime.admin.conftest import OPEN
from tests.runtime.cli.conftest import Seta
from tests.runtime.cli.process import RETOMADA, ServerProcess
from tests.runtime.cli.process import seta as process


def test_data_is_backed_up_restored_and_released(seta: Seta, filled: Path) -> None:
    result = seta("backup", "copy.db")
    assert (result.exit_code, result.output) == (0, "copy.db is written\n")
    refused = seta("restore", "copy.db")
    told = "seta: copy.db cannot be restored: there is data in .seta already: move it away, or name another folder\n"
    assert (refused.exit_code, refused.stderr) == (1, told)
    filled.rename(filled.with_name("lost"))
    restored = seta("restore", "copy.db")
    assert (restored.exit_code, restored.output) == (
        0,
        ".seta is restored; 1 run is parked until `seta runs release`\n",
    )
    assert [run["id"] for run in json.loads(seta("runs", "--state", "parked", "--json").output)["runs"]] == [OPEN]
    assert seta("runs", "release").output == "1 run goes on\n"
    assert json.loads(seta("runs", "release", "--json").output) == {"schema": "seta.release/1", "released": 0}
    assert [run["id"] for run in json.loads(seta("runs", "--state", "accepted", "--json").output)["runs"]] == [OPEN]


@pytest.mark.usefixtures("filled")
def test_documents_of_backup_and_restore(seta: Seta, tmp_path: Path) -> None:
    document = json.loads(seta("backup", "copy.db", "--json").output)
    assert document == {"schema": "seta.backup/1", "file": str(tmp_path / "copy.db")}
    document = json.loads(seta("restore", "copy.db", "--data", "other", "--json").output)
    assert document == {"schema": "seta.restore/1", "parked": 1}


@pytest.mark.usefixtures("filled")
def test_backup_is_not_written_over_a_file(seta: Seta, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    result = seta("backup", "copy.db")
    told = f"seta: the copy cannot be written: there is a file {tmp_path / 'copy.db'} already\n"
    assert (result.exit_code, result.stderr) == (1, told)


def test_server_that_runs_is_backed_up_and_its_folder_is_not_restored_over(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "retomada.seta").write_text(RETOMADA)
    with ServerProcess(tmp_path) as server:
        body = {"telefone": "11999998888"}
        run = httpx.post(server.flows["retomada"].url, json=body).raise_for_status().json()["run"]
        done = process(tmp_path, "backup", "copy.db")
        assert (done.returncode, done.stdout, done.stderr) == (0, "copy.db is written\n", "")
        again = process(tmp_path, "backup", "copy.db")
        assert (again.returncode, "there is a file" in again.stderr) == (1, True)
        refused = process(tmp_path, "restore", "copy.db")
        assert (refused.returncode, "the data folder .seta is in use by process" in refused.stderr) == (1, True)
    assert process(tmp_path, "restore", "copy.db", "--data", "other").returncode == 0
    assert run in process(tmp_path, "runs", "--data", "other").stdout
