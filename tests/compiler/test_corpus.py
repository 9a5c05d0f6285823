"""Whole programs with what the compiler says of them, written at the end of the line it says it of."""

import re
from collections import Counter
from pathlib import Path

import pytest

from compiler.check import Environment
from compiler.pipeline import compile_folder
from dsl import Source
from runtime.folder import folder_catalog
from runtime.linking import link, relink
from runtime.steps import catalog
from tests.compiler.environment import SETTINGS

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(CORPUS.rglob("*.seta"))


def environment(file: Path) -> Environment:
    """What the programs of a folder are checked against: its catalog file, too."""
    return SETTINGS.environment(folder_catalog(file.parent, catalog()))


def expected(text: str) -> Counter[tuple[int, str]]:
    found: Counter[tuple[int, str]] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if (said := re.search(r"# expect: ([A-Z0-9 ]+)$", line)) is not None:
            found.update((number, code) for code in said.group(1).split())
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(CORPUS).as_posix())
def test_the_compiler_says_what_the_file_expects_and_nothing_else(file: Path) -> None:
    source = Source(file.name, file.read_text(encoding="utf-8"))
    folder = compile_folder([source], environment(file))
    said = Counter(
        (source.position(d.primary.span.start).line, d.code)
        for d in folder.diagnostics
        if d.code != "N203"  # most templates of the corpus are in no catalog file
    )
    assert said == expected(source.text)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(CORPUS).as_posix())
def test_every_flow_without_errors_becomes_python_that_loads_and_compiles_again_to_the_same_plan(file: Path) -> None:
    known = environment(file)
    folder = compile_folder([Source(file.name, file.read_text(encoding="utf-8"))], known)
    for flow in folder.flows:
        program = link(flow, known.catalog, SETTINGS)
        again = relink(program.sources)
        assert again is not None
        assert again.plan == program.plan


def test_every_file_of_the_corpus_is_read() -> None:
    assert len(FILES) > 10
