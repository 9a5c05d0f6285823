"""The catalog file in a folder of flows, as commands see it."""

import json
from pathlib import Path

import pytest

from tests.runtime.cli.conftest import Seta

RETOMADA = {
    "type": "template",
    "name": "retomada",
    "language": "pt_BR",
    "params": [{"name": "nome", "type": "text", "doc": "The first name."}],
    "doc": "Asks whether somebody is still interested.",
}
FLOW = 'on webhook {t: phone, nome: text} -> send hsm "retomada" to t with {nome}\n'


@pytest.fixture
def flows(tmp_path: Path, seta: Seta) -> Path:  # noqa: ARG001  # the folder is made first
    folder = tmp_path / "flows"
    (folder / "retomada.seta").write_text(FLOW)
    put(folder, json.dumps({"schema": "seta.catalog-file/1", "entries": [RETOMADA]}))
    return folder


def put(folder: Path, text: str) -> None:
    (folder / "seta.catalog.json").write_text(text)


def test_flows_are_checked_against_the_file_of_their_folder(seta: Seta, flows: Path) -> None:
    assert seta("check").output == "no problems\n"
    (flows / "retomada.seta").write_text(FLOW.replace("with {nome}", "with {nom: nome}"))
    assert "error[E218]: hsm" in seta("check").output
    assert "error[E218]: hsm" in seta("check", "flows/retomada.seta").output


@pytest.mark.parametrize("command", [("check",), ("explain", "flows"), ("urls",), ("serve",), ("catalog",)])
def test_file_that_cannot_be_read_is_told_with_its_place(seta: Seta, flows: Path, command: tuple[str, ...]) -> None:
    put(flows, '{"schema": "seta.catalog-file/1",\n"entries": [,]}')
    result = seta(*command)
    assert (result.exit_code, result.stderr) == (
        1,
        "seta: flows/seta.catalog.json:2: JSON is malformed: invalid character\n",
    )


@pytest.mark.usefixtures("flows")
def test_explain_says_language_and_parameters_of_the_templates_that_a_flow_sends(seta: Seta) -> None:
    assert "\nTEMPLATE  LANGUAGE  PARAMETERS\nretomada  pt_BR     nome: text\n" in seta("explain", "flows").output
    [flow] = json.loads(seta("explain", "flows", "--json").output)["flows"]
    assert flow["templates"] == [{"template": "retomada", "language": "pt_BR", "params": ["nome: text"]}]


PAGE = """\
send hsm "retomada" with {nome: text}

Asks whether somebody is still interested.

Parameters
  nome: text    The first name.

Language
  pt_BR
"""


@pytest.mark.usefixtures("flows")
def test_template_is_listed_and_has_a_page(seta: Seta) -> None:
    last = seta("catalog").output.splitlines()[-1]
    assert last.split("  ")[0] == "template"
    assert 'send hsm "retomada" with {nome: text}' in last
    assert seta("catalog", "retomada").output == PAGE
    [found] = json.loads(seta("catalog", "retomada", "--json").output)["templates"]
    assert found == {
        "name": "retomada",
        "signature": 'send hsm "retomada" with {nome: text}',
        "doc": RETOMADA["doc"],
        "language": "pt_BR",
        "params": RETOMADA["params"],
    }


# --- the folder's own Python

PYTHON = """\
from seta import function


@function
def dobro(x: int) -> int:
    return 2 * x
"""
WRITTEN = """\
{
  "schema": "seta.catalog-file/1",
  "entries": [
    {
      "type": "function",
      "name": "dobro",
      "params": [
        {
          "name": "x",
          "type": "int"
        }
      ],
      "result": "int",
      "doc": ""
    },
    {
      "type": "template",
      "name": "retomada",
      "language": "pt_BR",
      "params": [
        {
          "name": "nome",
          "type": "text",
          "doc": "The first name."
        }
      ],
      "doc": "Asks whether somebody is still interested."
    }
  ]
}
"""


def test_signatures_are_written_beside_the_templates_and_only_where_something_changed(seta: Seta, flows: Path) -> None:
    file = flows / "seta.catalog.json"
    (flows / "regras.py").write_text(PYTHON)
    result = seta("catalog", "--write")
    assert (result.exit_code, result.output) == (0, "wrote flows/seta.catalog.json: 1 function, 1 template\n")
    assert file.read_text() == WRITTEN
    before = file.stat()
    assert seta("catalog", "--write").output == "nothing to write: 1 function, 1 template\n"
    assert file.stat().st_ino == before.st_ino
    assert seta("catalog", "--check").output == "as it should be: 1 function, 1 template\n"
    assert seta("catalog", "dobro").output.startswith("dobro(x: int): int\n")


def test_check_of_the_file_ends_badly_where_the_python_says_otherwise(seta: Seta, flows: Path) -> None:
    (flows / "regras.py").write_text(PYTHON)
    result = seta("catalog", "--check")
    assert (result.exit_code, result.stderr) == (
        1,
        "seta: flows/regras.py:4: the function `dobro` is not in seta.catalog.json: run `seta catalog --write`\n",
    )
    put(flows, WRITTEN.replace("\n      ", " "))
    result = seta("catalog", "--check")
    assert (result.exit_code, result.stderr) == (
        1,
        "seta: flows/seta.catalog.json is not laid out as `seta catalog --write` does\n",
    )


def test_folder_without_anything_of_its_own_gets_no_file(seta: Seta, tmp_path: Path) -> None:
    nothing = "the folder has neither Python nor templates of its own\n"
    assert seta("catalog", "--write").output == f"nothing to write: {nothing}"
    assert seta("catalog", "--check").output == f"as it should be: {nothing}"
    assert not (tmp_path / "flows" / "seta.catalog.json").exists()


def test_server_starts_only_with_the_python_that_the_file_lists(seta: Seta, flows: Path) -> None:
    (flows / "regras.py").write_text(PYTHON)
    result = seta("serve", "--port", "0")
    assert (result.exit_code, result.stderr) == (
        1,
        "seta: flows/regras.py:4: the function `dobro` is not in seta.catalog.json: run `seta catalog --write`\n",
    )


@pytest.mark.parametrize("args", [("--write", "--check"), ("--write", "dobro"), ("--check", "--json")])
def test_writing_and_checking_stand_alone(seta: Seta, args: tuple[str, ...]) -> None:
    result = seta("catalog", *args)
    assert result.exit_code == 2
    assert result.stderr.endswith("Error: --write and --check stand alone\n")
