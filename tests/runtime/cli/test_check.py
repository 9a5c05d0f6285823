"""`seta check`: its formats, and what it mends."""

import json
import shutil
from pathlib import Path

import pytest

from dsl import Diagnostic, Edit, Fix, Label, Source, Span, render_text
from runtime.cli.mend import ROUNDS, mend, replace_file
from runtime.cli.problems import Problem
from tests.runtime.cli.conftest import Seta

MENDABLE = """\
on webhook {telefone: phone, nome: text | null}
  upsert person;
  => log "ação 😀 {nome }"
"""
MENDED = """\
on webhook {telefone: phone, nome: text?}
  -> upsert person
  -> log "ação 😀 {nome}"
"""


@pytest.fixture(autouse=True)
def _no_example(tmp_path: Path, seta: Seta) -> None:  # noqa: ARG001  # the folder is made first
    (tmp_path / "flows" / "retomada.seta").unlink()


def put(tmp_path: Path, text: str, name: str = "lead.seta") -> Path:
    file = tmp_path / "flows" / name
    file.write_bytes(text.encode())
    return file


def test_problems_are_told_as_sarif_with_relative_paths(seta: Seta, tmp_path: Path) -> None:
    put(tmp_path, "on webhook {n: int}\n  -> sotp\n", "ação.seta")
    result = seta("check", "--format", "sarif")
    assert result.exit_code == 1
    log = json.loads(result.stdout)
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    [found] = run["results"]
    assert found["ruleId"] == "E204"
    assert found["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "flows/a%C3%A7%C3%A3o.seta", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 2, "startColumn": 6, "endLine": 2, "endColumn": 10},
    }


def test_problems_are_told_as_annotations(seta: Seta, tmp_path: Path) -> None:
    put(tmp_path, 'on webhook {n: int}\n  -> log "100% {n}\n  -> log n\n')
    result = seta("check", "--format", "github")
    assert (result.exit_code, result.stdout) == (
        1,
        "::error file=flows/lead.seta,line=2,col=10,endLine=2,endColumn=19,title=E102%3A a text cannot be read"
        "::this text has no closing quote%0Atext ends on the line where it begins; `\\n` in it is a new line\n",
    )


@pytest.mark.parametrize(("format_", "told"), [("text", "no problems\n"), ("github", "")])
def test_nothing_to_say_is_nothing_to_annotate(seta: Seta, tmp_path: Path, format_: str, told: str) -> None:
    put(tmp_path, "on webhook {n: int}\n  -> log n\n")
    result = seta("check", "--format", format_)
    assert (result.exit_code, result.stdout) == (0, told)


def test_fixes_are_made_and_told_and_nothing_else_changes(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, MENDABLE)
    good = put(tmp_path, "flow other on webhook {n: int} -> log n\n", "good.seta")
    before = good.stat()
    result = seta("check", "--fix")
    assert file.read_text() == MENDED
    assert result.stdout == (
        "fixed[E101] flows/lead.seta:1:41: write `?`\n"
        "fixed[E101] flows/lead.seta:2:3: write `-> upsert`\n"
        "fixed[E101] flows/lead.seta:2:16: remove it\n"
        "fixed[E101] flows/lead.seta:3:3: write `->`\n"
        "fixed[E106] flows/lead.seta:3:18: write `{nome}`\n"
        "\n"
        "error[E311]: `nome` may be absent, but a hole in text needs text\n"
        " --> flows/lead.seta:3:19\n"
        "  |\n"
        "1 | on webhook {telefone: phone, nome: text?}\n"
        "  |                              ----------- optional since this declaration\n"
        "  :\n"
        '3 |   -> log "ação 😀 {nome}"\n'
        "  |                    ^^^^ this is text?, text is required\n"
        "  |\n"
        "  = fix (choose): nome ?? …     use a default\n"
        "  = fix (choose): nome: text    require it\n"
        "  = seta help E311\n"
        "\n"
        "1 error in 1 file\n"
    )
    assert result.exit_code == 1
    assert (good.stat().st_mtime_ns, good.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert sorted(path.name for path in file.parent.iterdir()) == ["good.seta", "lead.seta"]


def test_step_that_shows_its_next_mistake_once_mended_is_mended_again(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, "on webhook {t: text}\n  x = format_fone(t)\n  -> log x\n")
    result = seta("check", "--fix")
    assert (result.exit_code, result.stdout) == (
        0,
        "fixed[E101] flows/lead.seta:2:3: write `-> x`\n"
        "fixed[E203] flows/lead.seta:2:7: replace `format_fone` by `format_phone`\n"
        "\n"
        "no problems\n",
    )
    assert file.read_text() == "on webhook {t: text}\n  -> x = format_phone(t)\n  -> log x\n"


def test_line_ends_byte_order_mark_and_mode_stay(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, "\ufeff" + MENDABLE.replace("\n", "\r\n"))
    file.chmod(0o640)
    seta("check", "--fix")
    assert file.read_bytes() == ("\ufeff" + MENDED.replace("\n", "\r\n")).encode()
    assert file.stat().st_mode & 0o777 == 0o640


def test_document_for_scripts_has_standard_output_to_itself(seta: Seta, tmp_path: Path) -> None:
    put(tmp_path, "on webhook {n: int}\n  log n\n")
    result = seta("check", "--fix", "--json")
    assert json.loads(result.stdout) == {"schema": "seta.diagnostics/1", "diagnostics": []}
    assert result.stderr == "fixed[E101] flows/lead.seta:2:3: write `-> log`\n\n"
    assert result.exit_code == 0


def test_no_file_is_mended_but_those_that_are_named(seta: Seta, tmp_path: Path) -> None:
    named, other = put(tmp_path, MENDABLE), put(tmp_path, f"flow b {MENDABLE}", "other.seta")
    seta("check", "flows/lead.seta", "--fix")
    assert (named.read_text(), other.read_text()) == (MENDED, f"flow b {MENDABLE}")


def test_file_that_a_link_leads_to_outside_of_the_folder_is_not_mended(seta: Seta, tmp_path: Path) -> None:
    outside = tmp_path / "outside.seta"
    outside.write_text(MENDABLE)
    link = tmp_path / "flows" / "link.seta"
    link.symlink_to(outside)
    assert "fixed" not in seta("check", "--fix").stdout
    assert (outside.read_text(), link.is_symlink()) == (MENDABLE, True)
    assert seta("check", "flows/link.seta", "--fix").stdout.startswith("fixed[E101] ")
    assert (outside.read_text(), link.is_symlink()) == (MENDED, True)


def test_without_fix_nothing_is_written(seta: Seta, tmp_path: Path) -> None:
    file = put(tmp_path, MENDABLE)
    assert "fixed" not in seta("check").stdout
    assert file.read_text() == MENDABLE


def swap(file: Path) -> list[Diagnostic]:
    """A problem whose fix makes another one like it."""
    source = Source(str(file), file.read_text())
    other = {"a": "b", "b": "a"}[source.text]
    fix = Fix(f"write {other}", "safe", (Edit(source, Span(0, 1), other),))
    return [Diagnostic("E101", "odd", Label(source, Span(0, 1)), fixes=(fix,))]


def test_fixes_that_undo_each_other_come_to_an_end(tmp_path: Path) -> None:
    file = tmp_path / "a.seta"
    file.write_text("a")
    made, left = mend((tmp_path,), lambda: swap(file))
    assert len(made) == ROUNDS == 10
    assert render_text(left) == render_text(swap(file))


def test_file_that_changes_meanwhile_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.seta"
    file.write_text("a")
    stale = swap(file)
    file.write_text("b, by somebody else")
    with pytest.raises(Problem, match=r"a\.seta was changed while it was mended: run the command again"):
        mend((tmp_path,), lambda: stale)
    assert file.read_text() == "b, by somebody else"


def test_file_that_cannot_be_replaced_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "a.seta"
    file.write_text("a")
    monkeypatch.setattr(shutil, "copymode", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(file, b"b")
    with pytest.raises(Problem, match=r"a\.seta cannot be written: No space left on device"):
        mend((tmp_path,), lambda: swap(file))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir() if path.is_file()] == [("a.seta", "a")]


def test_steps_that_may_fail_are_listed_where_that_is_asked_for(seta: Seta, tmp_path: Path) -> None:
    put(tmp_path, "flow a\non webhook {n: int, telefone: phone}\n  -> log n\n  -> x = 10 / n\n  -> log x\n")
    result = seta("check", "--failures")
    assert (result.exit_code, result.stdout) == (
        0,
        "no problems\n\n"
        "MAY FAIL AT          STEP  AS                WHEN IT FAILS\n"
        "flows/lead.seta:4:6  x     division_by_zero  may fail (division_by_zero): dead letter\n",
    )


def test_failures_are_a_table_for_people(seta: Seta) -> None:
    result = seta("check", "--failures", "--format", "json")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        2,
        "Error: --failures is a table for people: `seta explain --json` has the same for scripts",
    )
