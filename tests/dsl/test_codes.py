"""The registry of codes."""

import re
from itertools import pairwise

import pytest

from dsl import CODES, Code, Source, parse
from dsl.codes import FAMILIES, REGISTRY, RETIRED
from dsl.codes.syntax import SYNTAX


def test_codes_are_unique() -> None:
    assert len(CODES) == len(REGISTRY)


def test_retired_code_is_never_used_again() -> None:
    assert not RETIRED.keys() & CODES.keys()


def test_codes_stand_in_order() -> None:
    ranks = [("EWN".index(code.code[0]), int(code.code[1:])) for code in REGISTRY]
    assert all(first < second for first, second in pairwise(ranks))


def test_code_is_a_letter_and_three_digits() -> None:
    assert all(re.fullmatch("[EWN][1-7][0-9]{2}", code) for code in CODES)


def test_code_is_titled_and_explained() -> None:
    for code in REGISTRY:
        assert code.title == code.title.strip().rstrip(".")
        assert code.help.endswith("\n")
        assert code.help.strip()


def test_code_has_a_program_that_gets_it_and_one_that_does_not() -> None:
    assert [code.code for code in REGISTRY if not (code.bad and code.good)] == []


def test_code_belongs_to_one_family() -> None:
    for code in REGISTRY:
        assert sum(code.code.startswith(start) for start in FAMILIES) == 1


# Python is read by the compiler, and the hundred problems of E110 have a code of their own.
@pytest.mark.parametrize("code", [c for c in SYNTAX if c.code not in {"E110", "E111"}], ids=lambda code: code.code)
def test_example_of_a_code_of_syntax_gets_exactly_that_code_and_once(code: Code) -> None:
    assert [d.code for d in parse(Source("a.seta", code.bad)).diagnostics] == [code.code]
    assert parse(Source("a.seta", code.good)).diagnostics == ()
