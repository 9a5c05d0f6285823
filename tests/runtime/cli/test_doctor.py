"""`seta doctor`: what is well and what is not."""

import json
import os
from pathlib import Path
from typing import Any

import apsw
import pytest

from runtime.cli import doctor
from tests.runtime.cli.conftest import Seta


def checks(seta: Seta, code: int, *args: str) -> dict[str, tuple[bool, str]]:
    result = seta("doctor", *args, "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, list(document), document["schema"]) == (code, ["schema", "checks"], "seta.doctor/1")
    return {one["name"]: (one["ok"], one["detail"]) for one in document["checks"]}


def test_folder_in_which_a_server_would_start_is_well(seta: Seta, tmp_path: Path) -> None:
    found = checks(seta, 0)
    assert list(found) == ["versions", "flows", "secrets", "connections", "disk", "fsync", "data"]
    assert found["flows"] == (True, "retomada")
    assert found["secrets"] == (True, "the flows name none")
    assert found["data"] == (True, "there is none in .seta yet")
    assert f"SQLite {apsw.sqlite_lib_version()}" in found["versions"][1]
    assert found["disk"][1].endswith(f"MB are free in {tmp_path}")
    assert not (tmp_path / ".seta").exists()
    lines = seta("doctor").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", name] for name in found]


@pytest.mark.usefixtures("filled")
def test_data_is_told_with_the_version_of_its_tables(seta: Seta) -> None:
    ok, told = checks(seta, 0)["data"]
    assert (ok, told.split(", ")[1]) == (True, "tables of version " + told.rpartition(" ")[2])


def test_flows_that_do_not_compile_are_told(seta: Seta, tmp_path: Path) -> None:
    (tmp_path / "flows" / "retomada.seta").write_text("on webhook -> sned hsm\n")
    ok, told = checks(seta, 1)["flows"]
    assert (ok, told.endswith(": see `seta check`")) == (False, True)
    assert seta("doctor").stderr == "seta: not well: flows\n"


def test_folder_without_flows_is_told(seta: Seta) -> None:
    assert checks(seta, 1, "--flows", "nowhere")["flows"][0] is False


def test_secret_that_is_missing_is_told_without_any_value(
    seta: Seta, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = "on webhook {id: text}\n  -> log hmac_sha256(secret.CHAVE, id)\n"
    (tmp_path / "flows" / "retomada.seta").write_text(flow)
    monkeypatch.delenv("SETA_SECRET_CHAVE", raising=False)
    ok, told = checks(seta, 1)["secrets"]
    assert (ok, told.startswith("the secret CHAVE is missing: ")) == (False, True)
    monkeypatch.setenv("SETA_SECRET_CHAVE", "canary")
    assert checks(seta, 0)["secrets"] == (True, "CHAVE")


def test_connections_are_told_and_a_secret_of_theirs_that_is_missing(
    seta: Seta, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks(seta, 0)["connections"] == (True, "seta.toml has none")
    auth = '{kind = "bearer", token = "env:ERP"}'
    erp = f'[connections.erp]\nkind = "http"\nurl = "https://erp.example/api"\nauth = {auth}\n'
    (tmp_path / "flows" / "seta.toml").write_text(f'{erp}[connections.casa]\nkind = "local"\n')
    monkeypatch.delenv("ERP", raising=False)
    told = "casa (this server), erp (https://erp.example/api)"
    assert checks(seta, 0)["connections"] == (True, told)  # no flow goes via erp yet
    (tmp_path / "flows" / "erp.seta").write_text('flow erp\non webhook {id: text}\n  -> post "/x" via erp with {id}\n')
    missing = "a secret of the connection erp is missing: set the environment variable ERP"
    assert checks(seta, 1)["connections"] == (False, missing)
    monkeypatch.setenv("ERP", "canary")
    assert checks(seta, 0)["connections"] == (True, told)


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (99, "the database was written by a newer version: its tables 'journal' are at version 99, this version knows"),
        (1, "which the next start makes newer"),
    ],
)
def test_data_of_another_version_is_told(seta: Seta, filled: Path, version: int, told: str) -> None:
    connection = apsw.Connection(str(filled / "seta.db"))
    connection.pragma("user_version", version)
    connection.close()
    ok, found = checks(seta, 1 if version == 99 else 0)["data"]
    assert (ok, told in found) == (version == 1, True)


@pytest.mark.usefixtures("filled")
def test_file_that_is_no_database_is_told(seta: Seta, tmp_path: Path) -> None:
    (tmp_path / ".seta" / "seta.db").write_text("this is no database" * 300)
    assert checks(seta, 1)["data"][0] is False


def test_disk_that_is_full_or_slow_is_told(seta: Seta, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> Any:
        return os.statvfs_result((4096, 4096, 100_000, 1_000, 1_000, 0, 0, 0, 0, 255))

    monkeypatch.setattr(os, "statvfs", full)
    monkeypatch.setattr(doctor, "SLOW_SYNC", 0.0)
    found = checks(seta, 1)
    assert (found["disk"][0], found["fsync"][0]) == (False, False)
    assert "3 MB are free" in found["disk"][1]
    assert found["disk"][1].endswith("less than 39 MB, so 507 is answered")
