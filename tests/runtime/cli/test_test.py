"""`seta test`: which tests are run, and how their outcomes are told."""

import json
from pathlib import Path

import pytest

from tests.runtime.cli.conftest import Seta

FLOW = """\
flow pedido
on webhook {id: text}
  -> post "https://erp.example/pedidos" with {id}

test "vai ao ERP" {
  given {id: "1"}
  expect post with {id: "1"}
}
"""
WRONG = """
test "vai com outro id" {
  given {id: "1"}
  expect post with {id: "2"}
}
"""


@pytest.fixture
def pedido(seta: Seta, tmp_path: Path) -> Path:  # noqa: ARG001  # the folder is made first
    """The file of a flow with a test."""
    file = tmp_path / "flows" / "pedido.seta"
    file.write_text(FLOW)
    return file


def seconds(text: str) -> str:
    """A text without the time that it took."""
    start, _, end = text.rpartition(" in ")
    return start if end.rstrip().endswith("s") else text


@pytest.mark.usefixtures("pedido")
def test_tests_are_told_one_a_line(seta: Seta) -> None:
    result = seta("test")
    assert (result.exit_code, seconds(result.stdout)) == (0, "passed pedido  vai ao ERP\n\n1 passed")


def test_failure_is_told_where_it_stands(seta: Seta, pedido: Path) -> None:
    pedido.write_text(FLOW + WRONG)
    result = seta("test")
    assert result.exit_code == 1
    assert (
        seconds(result.stdout)
        == """\
passed pedido  vai ao ERP
FAILED pedido  vai com outro id

error: `post` was sent, but otherwise
  --> flows/pedido.seta:12:3
   |
12 |   expect post with {id: "2"}
   |   ^^^^^^^^^^^^^^^^^^^^^^^^^^ not like this
   |
   = sent: with.id is "1", expected "2"
   = pedido ran post; it went through to its end

1 passed, 1 failed"""
    )


def test_outcomes_are_a_document_too(seta: Seta, pedido: Path) -> None:
    pedido.write_text(FLOW + WRONG)
    result = seta("test", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["schema"] == "seta.tests/1"
    for test in document["tests"]:
        assert test.pop("milliseconds") >= 0
    assert document["tests"] == [
        {
            "flow": "pedido",
            "title": "vai ao ERP",
            "file": "flows/pedido.seta",
            "line": 5,
            "passed": True,
            "findings": [],
        },
        {
            "flow": "pedido",
            "title": "vai com outro id",
            "file": "flows/pedido.seta",
            "line": 10,
            "passed": False,
            "findings": [
                {
                    "message": "`post` was sent, but otherwise",
                    "primary": {
                        "file": "flows/pedido.seta",
                        "start": {"line": 12, "column": 3},
                        "end": {"line": 12, "column": 29},
                        "text": "not like this",
                    },
                    "related": [],
                    "notes": [
                        'sent: with.id is "1", expected "2"',
                        "pedido ran post; it went through to its end",
                    ],
                }
            ],
        },
    ]


def test_tests_of_a_file_run_with_the_flows_of_its_folder(seta: Seta, pedido: Path) -> None:
    other = pedido.with_name("outros.seta")
    other.write_text('test "de longe" for pedido { given {id: "2"} }\n')
    result = seta("test", "flows/outros.seta")
    assert (result.exit_code, seconds(result.stdout)) == (0, "passed pedido  de longe\n\n1 passed")


@pytest.mark.parametrize("word", ["outro ID", "Vai com"])
def test_only_some_tests_can_be_run(seta: Seta, pedido: Path, word: str) -> None:
    pedido.write_text(FLOW + WRONG)
    result = seta("test", "--only", word)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, "FAILED pedido  vai com outro id")
    assert seconds(result.stdout).endswith("0 passed, 1 failed")


@pytest.mark.usefixtures("pedido")
def test_word_that_no_test_has_is_a_wrong_call(seta: Seta) -> None:
    result = seta("test", "--only", "nada")
    assert result.exit_code == 2
    assert result.output.endswith("Error: no test has 'nada' in its title or the name of its flow\n")


def test_folder_without_tests_says_how_one_looks(seta: Seta) -> None:
    result = seta("test")
    assert (result.exit_code, result.stdout) == (
        0,
        'no tests: a flow is tested by test "…" for FLOW { given {…} expect … } in a file of the folder\n',
    )


def test_errors_of_the_flows_come_first_and_alone(seta: Seta, pedido: Path) -> None:
    pedido.write_text(FLOW.replace('expect post with {id: "1"}', "expect posta"))
    result = seta("test")
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        result.stderr
        == """\
error[E295]: `pedido` has no step `posta`
 --> flows/pedido.seta:7:10
  |
7 |   expect posta
  |          ^^^^^ did you mean `post`?
  |
  = its steps are `post "https://erp.example/pedidos"`
  = fix (choose): replace it by `post`
  = seta help E295

seta: 1 error in 1 file
"""
    )


def test_folder_that_is_not_there_is_told(seta: Seta) -> None:
    result = seta("test", "nowhere")
    assert (result.exit_code, result.stderr) == (
        1,
        "seta: there is no folder nowhere: name the folder of your flows with --flows\n",
    )
