"""The tables of the grammar, kept beside the bytecode."""

import sys
from pathlib import Path

import pytest

from dsl import grammar

TEXT = """\
flow a
on webhook -> log "x"
"""


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for bytecode that has none yet, and a Python that writes there."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(grammar, "lark_parser", grammar.lark_parser.__wrapped__)
    return tmp_path


def kept(folder: Path) -> list[Path]:
    return list(folder.rglob("grammar.*.tables"))


def test_tables_that_were_kept_read_as_those_that_are_built(tables: Path) -> None:
    built = grammar.lark_parser().parse(TEXT)
    assert len(kept(tables)) == 1
    assert grammar.lark_parser().parse(TEXT) == built


def test_tables_are_not_kept_where_python_keeps_nothing(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    grammar.lark_parser()
    assert kept(tables) == []
    grammar.keep_tables()
    assert len(kept(tables)) == 1


def test_folder_that_cannot_be_written_costs_time_and_nothing_else(
    tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tables / "file").write_text("")
    monkeypatch.setattr(sys, "pycache_prefix", str(tables / "file"))
    assert grammar.lark_parser().parse(TEXT).children
    assert kept(tables) == []
