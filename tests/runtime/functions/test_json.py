"""Functions of json: there and back, strictly and within bounds."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.functions.parse_json import parse_json
from runtime.functions.to_json import to_json
from runtime.shapes import field, record, text
from tests.runtime.functions.failing import code

PERSON = record("Person", field("nome", text, key="Nome completo"), field("email", text, required=False)).plain

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.decimals(-9999, 9999, places=2) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_a_value_is_read_as_it_was_written(value: Any) -> None:
    assert parse_json(to_json(value)) == value


@given(values)
def test_what_is_written_is_json_for_python_too(value: Any) -> None:
    assert json.loads(to_json(value), parse_float=Decimal) == value


def test_numbers_keep_every_digit() -> None:
    assert to_json(parse_json("[10.50, 0.1000, 123456789012345678901234567890]")) == (
        "[10.50,0.1000,123456789012345678901234567890]"
    )


def test_records_are_written_under_their_json_keys_without_absent_fields() -> None:
    assert to_json([PERSON(nome="Ana", email=None)]) == '[{"Nome completo":"Ana"}]'
    assert to_json({"nulo": None}) == '{"nulo":null}'


@pytest.mark.parametrize(
    "written",
    ["", " ", "{", "[1,]", "{'a': 1}", "NaN", "01", '{"a":1,"a":2}', '"\\ud800"', "[1] 2", "undefined", "1" * 5000],
)
def test_what_a_delivery_may_not_be_is_no_json(written: str) -> None:
    assert code(parse_json, written) == "not_json"


@pytest.mark.parametrize(
    ("left", "right", "depth"),
    [("[", "]", 64), ('{"a":', "}", 64), ('[{"a":', "}]", 32)],
    ids=["lists", "records", "both"],
)
def test_json_is_nested_64_deep_at_most(left: str, right: str, depth: int) -> None:
    allowed = left * depth + "1" + right * depth

    assert to_json(parse_json(allowed)) == allowed
    for deep in (depth + 1, 100_000):
        assert code(parse_json, left * deep + "1" + right * deep) == "too_deep"


def test_brackets_in_texts_and_side_by_side_are_not_deep() -> None:
    wide = json.dumps(["[" * 100, '\\"[' * 100, "\\", *([[]] * 100)])

    assert parse_json(wide) == json.loads(wide)


def test_a_value_that_is_nested_too_deep_is_not_written() -> None:
    value: list[Any] = []
    for _ in range(200):
        value = [value]

    assert code(to_json, value) == "too_deep"
