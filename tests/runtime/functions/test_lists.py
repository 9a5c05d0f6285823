"""Functions of lists: against Python's own, and what counts as the same."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.functions.contains_item import contains_item
from runtime.functions.count import count
from runtime.functions.first import first
from runtime.functions.last import last
from runtime.functions.sort import sort
from runtime.functions.take import take
from runtime.functions.unique import unique
from runtime.shapes import field, record, text
from tests.runtime.functions.failing import code

PERSON = record("Person", field("nome", text), field("email", text, required=False)).plain

numbers = st.lists(st.integers(-5, 5) | st.decimals(-5, 5, places=1))


@given(numbers)
def test_a_list_begins_with_its_first_and_ends_with_its_last(items: list[Any]) -> None:
    assert [first(items)] == take(items, 1) or not items
    assert last(items) == first(items[::-1])
    assert count(take(items, 3)) == min(3, count(items))


@given(numbers | st.lists(st.text()) | st.lists(st.dates()))
def test_sorting_keeps_all_and_puts_none_before_a_smaller_one(items: list[Any]) -> None:
    found = sort(items)

    assert sorted(map(repr, found)) == sorted(map(repr, items))
    assert all(left <= right for left, right in pairwise(found))
    assert sort(found) == found


@pytest.mark.parametrize(
    "items",
    [
        [1, "1"],
        [True],
        [None],
        [[1]],
        [{"a": 1}],
        [PERSON(nome="Ana")],
        [date(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)],
    ],
)
def test_what_has_no_order_is_not_sorted(items: list[Any]) -> None:
    assert code(sort, items) == "not_sortable"


@given(numbers)
def test_unique_items_are_the_first_of_each_in_order(items: list[Any]) -> None:
    assert unique(items) == list(dict.fromkeys(items))
    assert unique(unique(items)) == unique(items)


@given(numbers, st.integers(-5, 5))
def test_a_list_contains_what_is_in_it(items: list[Any], item: int) -> None:
    assert contains_item(items, item) == (item in items)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, Decimal("1.0"), True),
        (1, True, False),
        (0, False, False),
        (0, None, False),
        ("", None, False),
        ("1", 1, False),
        ([1, 2], [1, Decimal(2)], True),
        ([1, 2], [2, 1], False),
        ([], {}, False),
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, True),
        ({"a": 1, "b": None}, {"a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        (PERSON(nome="Ana", email=None), {"nome": "Ana"}, True),
        (PERSON(nome="Ana", email=None), PERSON(nome="Ana", email="a@b.co"), False),
        (date(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC), False),
    ],
)
def test_values_are_the_same_by_what_is_in_them(left: object, right: object, same: bool) -> None:  # noqa: FBT001  # a row
    assert contains_item([left], right) == same
    assert count(unique([left, right])) == (1 if same else 2)


def test_what_is_nested_too_deep_is_not_compared() -> None:
    def nested(depth: int) -> list[Any]:
        return [nested(depth - 1)] if depth else []

    assert unique([nested(63)]) == [nested(63)]
    assert code(unique, [nested(200)]) == "too_deep"
    assert code(contains_item, [], nested(200)) == "too_deep"
