"""The registry of codes."""

import re
from itertools import pairwise

from dsl import CODES
from dsl.codes import REGISTRY


def test_codes_are_unique() -> None:
    assert len(CODES) == len(REGISTRY)


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
