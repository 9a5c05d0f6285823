"""`seta new`: a flow to begin with."""

from pathlib import Path

import pytest

from dsl import Source
from dsl.format import format_text
from runtime.loader import load
from runtime.steps import catalog
from tests.runtime.cli.conftest import Seta

LEAD = """\
## What comes in and what is done with it: a sentence for whoever reads this next.
flow lead
on webhook {
  telefone: phone  # comes as people write it, goes on as +5511999998888; what is no phone is answered with 422
  nome: text?  # `?`: may be absent
}
  # Finds the person of that phone, or makes one. What is absent leaves what is known.
  -> upsert person by telefone with {name: nome} as person
  -> log "pessoa {person.id}"

# Runs with `seta test`, and sends nothing.
test "a pessoa fica com o nome que veio" for lead {
  given {telefone: "11999998888", nome: "Ana"}
  expect upsert person by "+5511999998888" with {nome: "Ana"}
}
"""


def test_flow_is_written_and_what_to_do_next_is_told(seta: Seta, tmp_path: Path) -> None:
    result = seta("new", "lead")
    assert (result.exit_code, result.output) == (
        0,
        "wrote flows/lead.seta\n"
        "\n"
        "  seta check flows/lead.seta      find its problems\n"
        "  seta test flows/lead.seta       run its test\n"
        "  seta explain flows/lead.seta    see what it means\n"
        "  seta serve                      serve it, with all of its folder\n",
    )
    assert (tmp_path / "flows" / "lead.seta").read_text(encoding="utf-8") == LEAD


@pytest.mark.parametrize("name", ["lead", "açaí", "_x", "on", "flow", "webhook", "secret", "class", "PAYLOAD", "x1"])
def test_written_flow_checks_without_a_word_and_can_be_served(seta: Seta, tmp_path: Path, name: str) -> None:
    assert seta("new", name).exit_code == 0
    assert seta("check", f"flows/{name}.seta").output == "no problems\n"
    assert seta("test", f"flows/{name}.seta").exit_code == 0
    assert list(load(tmp_path / "flows", catalog()).programs) == sorted([name, "retomada"], key=_file)


def _file(name: str) -> str:
    return f"{name}.seta"


def test_folder_may_be_another_one_and_is_made(seta: Seta, tmp_path: Path) -> None:
    result = seta("new", "lead", "--flows", "my flows/crm")
    assert result.output == (
        "wrote my flows/crm/lead.seta\n"
        "\n"
        "  seta check 'my flows/crm/lead.seta'      find its problems\n"
        "  seta test 'my flows/crm/lead.seta'       run its test\n"
        "  seta explain 'my flows/crm/lead.seta'    see what it means\n"
        "  seta serve --flows 'my flows/crm'        serve it, with all of its folder\n"
    )
    assert (tmp_path / "my flows" / "crm" / "lead.seta").is_file()


def test_file_that_is_there_is_left_as_it_is(seta: Seta, tmp_path: Path) -> None:
    file = tmp_path / "flows" / "lead.seta"
    file.write_text("# mine")
    result = seta("new", "lead")
    assert (result.exit_code, result.stderr) == (1, "seta: flows/lead.seta is there already: it is left as it is\n")
    assert file.read_text() == "# mine"


@pytest.mark.parametrize("text", ["flow lead on webhook -> stop", "flow b on webhook -> stop flow lead on webhook"])
def test_name_that_a_flow_of_the_folder_has_is_refused(seta: Seta, tmp_path: Path, text: str) -> None:
    (tmp_path / "flows" / "other.seta").write_text(text)
    result = seta("new", "lead")
    assert (result.exit_code, result.stderr) == (
        1,
        "seta: the flow lead is there already, in flows/other.seta\n",
    )
    assert not (tmp_path / "flows" / "lead.seta").exists()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("minha-lead", ", such as minha_lead"),
        ("lead.seta", ", such as lead"),
        ("../lead", ", such as lead"),
        ("a b", ", such as a_b"),
        ("1a", ""),
        ("", ""),
        ("a on webhook -> stop", ", such as a_on_webhook_stop"),
        ("a\n", ", such as a"),
    ],
)
def test_name_that_is_none_is_told_how_one_looks(seta: Seta, tmp_path: Path, name: str, hint: str) -> None:
    result = seta("new", name)
    rule = "a name has letters, digits and `_`, and begins with a letter"
    assert (result.exit_code, result.stderr) == (
        2,
        "Usage: seta new [OPTIONS] NAME\nTry 'seta new --help' for help.\n\n"
        f"Error: Invalid value for NAME: {name!r} cannot name a flow: {rule}{hint}\n",
    )
    assert [file.name for file in (tmp_path / "flows").iterdir()] == ["retomada.seta"]


def test_name_is_written_in_one_form(seta: Seta, tmp_path: Path) -> None:
    assert seta("new", "ac\u0327a\u0303o").exit_code == 0
    assert (tmp_path / "flows" / "ação.seta").is_file()


def test_folder_that_cannot_be_written_is_told(seta: Seta, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = seta("new", "lead", "--flows", "file/flows")
    assert (result.exit_code, result.stderr) == (1, "seta: file/flows/lead.seta cannot be written: Not a directory\n")


def test_written_flow_is_laid_out_as_every_flow_is() -> None:
    assert format_text(Source("lead.seta", LEAD)) == LEAD
