"""`seta privacy` over a folder of data, and against a server that runs."""

import json
import re
import time
from pathlib import Path

import httpx
import msgspec
import pytest

from runtime.admin.personal import PersonalData
from tests.runtime.admin.conftest import DONE
from tests.runtime.cli.conftest import Seta
from tests.runtime.cli.process import LEAD, RETOMADA, ServerProcess, listed
from tests.runtime.cli.process import seta as process
from tests.runtime.cli.test_data import plain

COUNTS = {"runs": 1, "rejected": 0, "events": 0, "answers": 0, "persons": 1, "outbox": 1}


@pytest.mark.usefixtures("filled")
def test_what_is_kept_of_a_person_is_listed(seta: Seta) -> None:
    result = seta("privacy", "find", "--phone", "(11) 99999-8888")
    rows = [re.split(r"  +", line) for line in plain(result.output).splitlines()]
    assert (result.exit_code, [row[0] for row in rows]) == (0, ["WHAT", "person", "message", "run"])
    assert rows[3][:4] == ["run", DONE, "retomada", "done"]
    assert "99999" not in result.output


@pytest.mark.usefixtures("filled")
def test_both_forms_of_a_phone_find_the_same(seta: Seta) -> None:
    found = [seta("privacy", "find", "--phone", one, "--json").output for one in ("11999998888", "1199998888")]
    assert found[0] == found[1]
    document = json.loads(found[0])
    assert (document["schema"], [run["id"] for run in document["runs"]]) == ("seta.privacy-found/1", [DONE])


@pytest.mark.usefixtures("filled")
def test_nobody_is_told(seta: Seta) -> None:
    result = seta("privacy", "find", "--email", "ana@example.com")
    assert (result.exit_code, result.output) == (0, "nothing is kept of this person\n")


@pytest.mark.usefixtures("filled")
def test_an_export_is_one_document_with_all_of_it(seta: Seta) -> None:
    result = seta("privacy", "export", "--phone", "+5511999998888")
    document = msgspec.json.decode(result.output, type=PersonalData, strict=True)
    assert (document.phone, document.email) == ("+5511999998888", None)
    assert ([person.phone for person in document.persons], document.rejected) == (["+5511999998888"], [])
    (run,) = document.runs
    assert (run.id, json.loads(bytes(run.payload)), len(run.steps)) == (DONE, {"telefone": "11999998888"}, 2)
    assert json.loads(result.output)["schema"] == "seta.privacy/1"


@pytest.mark.usefixtures("filled")
def test_an_export_of_nobody_is_a_document_too(seta: Seta) -> None:
    document = json.loads(seta("privacy", "export", "--email", "ana@example.com").output)
    assert (document["email"], document["runs"], document["rejected"]) == ("ana@example.com", [], [])


@pytest.mark.usefixtures("filled")
def test_what_is_erased_is_told_and_gone(seta: Seta, filled: Path) -> None:
    result = seta("privacy", "erase", "--phone", "11999998888", "--yes")
    assert (result.exit_code, result.output) == (0, "erased: 1 run, 1 person, 1 message\n")
    again = seta("privacy", "find", "--phone", "11999998888")
    told = r"nothing is kept of this person\nerased before, at [0-9TZ:.-]+, by this phone: 1 run, 1 person, 1 message\n"
    assert re.fullmatch(told, again.output)
    assert all(b"99999" not in file.read_bytes() for file in filled.iterdir() if file.is_file())


@pytest.mark.usefixtures("filled")
def test_without_yes_it_is_asked_first(seta: Seta) -> None:
    result = seta("privacy", "erase", "--phone", "11999998888")
    question = "Erase 1 run, 1 person, 1 message for good? [y/N]: "
    assert (result.exit_code, result.stderr.startswith(question)) == (1, True)
    assert json.loads(seta("privacy", "find", "--phone", "11999998888", "--json").output)["runs"] != []


@pytest.mark.usefixtures("filled")
def test_an_erasure_is_told_as_json(seta: Seta) -> None:
    document = json.loads(seta("privacy", "erase", "--phone", "11999998888", "--yes", "--json").output)
    assert document.pop("at").endswith("Z")
    assert document == {
        "schema": "seta.privacy-erased/1", "counts": COUNTS, "cancelled": 0, "log_is_clean": True,
    }  # fmt: skip


@pytest.mark.usefixtures("filled")
def test_copies_of_an_older_version_are_named(seta: Seta, filled: Path) -> None:
    (filled / "seta-3.1.db").write_bytes(b"")
    result = seta("privacy", "find", "--phone", "11999998888")
    told = ".seta/seta-3.1.db is a copy of older data, which is not looked into: remove it when you can\n"
    assert (result.exit_code, result.stderr) == (0, told)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((), "Error: say --phone or --email, or both of the same person"),
        (("--phone", "nobody"), "Error: Invalid value for --phone: the text holds no phone number"),
        (("--email", "nobody"), "Error: Invalid value for --email: this is no email address"),
    ],
)
@pytest.mark.parametrize("name", ["find", "export", "erase"])
def test_who_is_meant_has_to_be_said(seta: Seta, name: str, args: tuple[str, ...], told: str) -> None:
    result = seta("privacy", name, *args)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, told)


def test_a_server_erases_what_it_keeps_while_it_runs(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "retomada.seta").write_text(RETOMADA)
    with ServerProcess(tmp_path) as server:
        url = server.flows["retomada"].url
        run = httpx.post(url, content=LEAD).json()["run"]
        assert httpx.post(url, content=b'{"nome":"joao@example.com"}').status_code == 422
        end = time.monotonic() + 10
        while listed(tmp_path, "runs")[0]["state"] != "done":
            assert time.monotonic() < end
        told = process(tmp_path, "privacy", "erase", "--email", "joao@example.com", "--yes")
        assert (told.stdout, told.stderr) == ("erased: 1 run, 1 rejected delivery, 1 person, 1 message\n", "")
        assert process(tmp_path, "runs", "show", run).returncode == 1
        for file in (tmp_path / ".seta").iterdir():
            assert not file.is_file() or b"joao@example.com" not in file.read_bytes()
        assert httpx.post(url, content=LEAD).status_code == 200
