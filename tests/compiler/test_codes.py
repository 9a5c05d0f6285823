"""Every code is explained by a program that gets it and one that does not."""

import re
from pathlib import Path

import pytest

import compiler
from compiler.own import read_catalog_file
from compiler.pipeline import compile_folder
from dsl import Source
from dsl.codes import CODES, REGISTRY, Code
from runtime.steps import catalog
from tests.compiler.environment import SETTINGS

SHOWN = [code for code in REGISTRY if code.bad]


def said(text: str, code: Code) -> set[str]:
    known = read_catalog_file(code.catalog.encode(), catalog()) if code.catalog else catalog()
    return {d.code for d in compile_folder([Source("a.seta", text)], SETTINGS.environment(known)).diagnostics}


@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.code)
def test_the_bad_example_gets_its_code_and_the_good_one_no_error(code: Code) -> None:
    assert code.code in said(code.bad, code)
    good = said(code.good, code)
    assert code.code not in good
    assert not [found for found in good if found.startswith("E")]


def test_every_code_that_the_compiler_reports_is_in_the_registry_with_examples() -> None:
    files = Path(compiler.__file__).parent.rglob("*.py")
    used = {found for file in files for found in re.findall(r'"([EWN]\d{3})"', file.read_text())}
    assert used <= {code.code for code in SHOWN}
    assert used <= CODES.keys()
