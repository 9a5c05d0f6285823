"""`seta fmt`: what it changes, says and leaves alone."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runtime.cli import command, fmt
from tests.runtime.cli.conftest import Seta
from tests.runtime.cli.process import RETOMADA

LOOSE = "flow pedido   # do site\non webhook {id:text} -> log id -> stop"
TIDY = "flow pedido  # do site\non webhook {id: text}\n  -> log id\n  -> stop\n"
DIFF = """\
--- flows/pedido.seta
+++ flows/pedido.seta
@@ -1,2 +1,4 @@
-flow pedido   # do site
-on webhook {id:text} -> log id -> stop
\\ No newline at end of file
+flow pedido  # do site
+on webhook {id: text}
+  -> log id
+  -> stop
"""
BROKEN = "on webhook -> log\n"
TOLD = """\
error[E101]: expected a value, found the end of the file
 --> flows/quebrado.seta:1:18
"""


def put(tmp_path: Path, text: str, name: str = "pedido.seta") -> Path:
    file = tmp_path / "flows" / name
    file.write_bytes(text.encode())
    return file


def filtered(text: str, *args: str) -> Result:
    return CliRunner().invoke(command, ["fmt", "-", *args], input=text.encode(), prog_name="seta")


def test_flows_are_laid_out_and_those_that_changed_are_named(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, LOOSE)
    result = seta("fmt")
    assert (result.exit_code, result.output) == (0, "changed flows/pedido.seta\n1 of 2 files changed\n")
    assert file.read_text() == TIDY
    assert (tmp_path / "flows" / "retomada.seta").read_text() == RETOMADA


def test_second_time_there_is_nothing_to_do(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, LOOSE)
    seta("fmt")
    before = file.stat()
    result = seta("fmt")
    assert (result.exit_code, result.output) == (0, "nothing to change in 2 files\n")
    assert file.stat() == before


def test_only_the_named_files_and_folders_are_laid_out_each_once(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, LOOSE)
    assert seta("fmt", "flows/retomada.seta").output == "nothing to change in 1 file\n"
    assert file.read_text() == LOOSE
    assert seta("fmt", "flows/pedido.seta", "flows").output == "changed flows/pedido.seta\n1 of 2 files changed\n"


def test_folder_of_flows_can_be_named(seta: Seta, tmp_path: Path) -> None:
    (tmp_path / "flows").rename(tmp_path / "outros")
    assert seta("fmt", SETA_FLOWS="outros").output == "nothing to change in 1 file\n"


def test_check_changes_nothing_and_ends_with_1_where_something_would_change(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, LOOSE)
    result = seta("fmt", "--check")
    assert (result.exit_code, result.output) == (1, "would change flows/pedido.seta\n1 of 2 files would change\n")
    assert file.read_text() == LOOSE
    seta("fmt")
    result = seta("fmt", "--check")
    assert (result.exit_code, result.output) == (0, "nothing to change in 2 files\n")


def test_diff_prints_what_would_change(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, LOOSE)
    result = seta("fmt", "--diff")
    assert (result.exit_code, result.output) == (1, DIFF)
    assert file.read_text() == LOOSE
    seta("fmt")
    result = seta("fmt", "--diff")
    assert (result.exit_code, result.output) == (0, "")


def test_diff_is_coloured_if_asked(seta: Seta, tmp_path: Path) -> None:
    put(tmp_path, LOOSE)
    lines = seta("fmt", "--diff", "--color", "always").output.split("\n")
    assert lines[2] == "\x1b[36m@@ -1,2 +1,4 @@\x1b[0m"
    assert lines[3] == "\x1b[31m-flow pedido   # do site\x1b[0m"
    assert lines[6] == "\x1b[32m+flow pedido  # do site\x1b[0m"


@pytest.mark.parametrize("args", [(), ("--check",), ("--diff",)])
def test_file_with_an_error_of_syntax_is_told_and_left_alone(seta: Seta, tmp_path: Path, args: tuple[str, ...]) -> None:
    file = put(tmp_path, BROKEN, "quebrado.seta")
    result = seta("fmt", *args)
    assert result.exit_code == 1
    assert result.stderr.startswith(TOLD)
    assert result.stderr.endswith("\nseta: 1 error in 1 file\n")
    assert file.read_text() == BROKEN


def test_other_files_are_laid_out_beside_a_broken_one(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, LOOSE)
    put(tmp_path, BROKEN, "quebrado.seta")
    result = seta("fmt")
    assert (result.exit_code, result.stdout) == (1, "changed flows/pedido.seta\n1 of 3 files changed\n")
    assert file.read_text() == TIDY


def test_flow_that_does_not_compile_is_laid_out(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, "on webhook  {a: fone}-> sned hsm")
    assert seta("fmt").exit_code == 0
    assert file.read_text() == "on webhook {a: fone} -> sned hsm\n"


def test_text_that_is_not_utf8_is_told(seta: Seta, tmp_path: Path) -> None:
    file = tmp_path / "flows" / "pedido.seta"
    file.write_bytes(b"on webhook\xff")
    result = seta("fmt")
    assert (result.exit_code, file.read_bytes()) == (1, b"on webhook\xff")
    assert result.stderr.startswith("error[E104]: this file is not UTF-8\n")


def test_standard_input_is_laid_out_to_standard_output() -> None:
    result = filtered(LOOSE)
    assert (result.exit_code, result.output) == (0, TIDY)


def test_broken_standard_input_gives_nothing_but_the_problem() -> None:
    result = filtered(BROKEN)
    assert (result.exit_code, result.stdout) == (1, "")
    assert " --> <stdin>:1:18\n" in result.stderr


def test_standard_input_is_checked() -> None:
    result = filtered(LOOSE, "--check")
    assert (result.exit_code, result.output) == (1, "would change <stdin>\n1 of 1 file would change\n")
    result = filtered(TIDY, "--check")
    assert (result.exit_code, result.output) == (0, "nothing to change in 1 file\n")
    assert filtered(LOOSE, "--diff").output == DIFF.replace("flows/pedido.seta", "<stdin>")


def test_file_keeps_its_mode_and_its_line_ends_but_no_mark_of_byte_order(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, "\ufeff" + LOOSE.replace("\n", "\r\n"))
    file.chmod(0o640)
    seta("fmt")
    assert file.read_bytes() == TIDY.replace("\n", "\r\n").encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert seta("fmt", "--check").exit_code == 0
    assert sorted(path.name for path in file.parent.iterdir()) == ["pedido.seta", "retomada.seta"]


def test_link_stays_a_link(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, LOOSE, "pedido.txt")
    link = file.with_name("pedido.seta")
    link.symlink_to(file)
    seta("fmt")
    assert link.is_symlink()
    assert file.read_text() == TIDY


def test_link_out_of_the_folder_is_left_alone_unless_it_is_named(seta: Seta, tmp_path: Path) -> None:
    file = tmp_path / "pedido.txt"
    file.write_text(LOOSE)
    (tmp_path / "flows" / "pedido.seta").symlink_to(file)
    assert seta("fmt").output == "nothing to change in 1 file\n"
    assert seta("fmt", "flows/pedido.seta").output == "changed flows/pedido.seta\n1 of 1 file changed\n"
    assert file.read_text() == TIDY


def test_file_that_cannot_be_written_is_told(seta: Seta, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    put(tmp_path, LOOSE)
    monkeypatch.setattr(fmt, "replace_file", refuse)
    result = seta("fmt")
    assert (result.exit_code, result.stderr) == (1, "seta: flows/pedido.seta cannot be written: Permission denied\n")


def test_path_that_is_not_there_is_told(seta: Seta) -> None:
    result = seta("fmt", "nowhere")
    told = "seta: there is no folder nowhere: name the folder of your flows with --flows\n"
    assert (result.exit_code, result.stderr) == (1, told)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--check", "--diff"), "--check and --diff exclude each other: both end with exit code 1 on a difference"),
        (("-", "flows"), "- stands for standard input, and excludes other paths"),
        (("--width", "100"), "No such option"),
    ],
)
def test_wrong_call_has_exit_code_2(seta: Seta, args: tuple[str, ...], told: str) -> None:
    result = seta("fmt", *args)
    assert result.exit_code == 2
    assert told in result.stderr
