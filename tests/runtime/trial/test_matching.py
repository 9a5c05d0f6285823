"""What was sent against what a test says, and values as a test writes them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from compiler.ir.trials import Json
from runtime.trial.matching import differences, written


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": None}, {"b": 2}),
        ({"a": {"b": Decimal("1.50")}}, {"a": {"b": Decimal("1.5"), "c": 1}}),
        ((1, {"a": "x"}), [1, {"a": "x", "b": 1}]),
        (timedelta(hours=2), "PT7200S"),
        ("+5511999998888", {"id": "p1", "phone": "+5511999998888"}),
        (True, True),
    ],
)
def test_what_a_test_says_is_a_part_of_what_was_sent(said: Json, sent: Any) -> None:
    assert list(differences(said, sent, "with")) == []


@pytest.mark.parametrize(
    ("said", "sent", "told"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["with.a.b is 2, expected 1"]),
        ({"a": 1, "b": 2}, {"a": 2}, ["with.a is 2, expected 1", "with.b is none, expected 2"]),
        ((1, 2), [1, 2, 3], ["with is [1, 2, 3], expected [1, 2]"]),
        ((1, 2), [1, 3], ["with[1] is 3, expected 2"]),
        (1, True, ["with is true, expected 1"]),
        (0, False, ["with is false, expected 0"]),
        ("1", 1, ['with is 1, expected "1"']),
        ({"a": 1}, [], ["with is [], expected {a: 1}"]),
        ("+55", {"phone": "+551"}, ['with is {phone: "+551"}, expected "+55"']),
    ],
)
def test_each_difference_is_told_with_its_path(said: Json, sent: Any, told: list[str]) -> None:
    assert list(differences(said, sent, "with")) == told


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"nome": 'a"b{c}\n', "utm-source": 1, "fora": None, "ação": True},
            r'{nome: "a\"b{{c}}\n", "utm-source": 1, ação: true}',
        ),
        ([1, Decimal("1E+2"), None, []], "[1, 100, none, []]"),
    ],
)
def test_value_is_written_as_in_a_flow(value: Any, text: str) -> None:
    assert written(value) == text


def test_long_value_is_cut() -> None:
    assert written("x" * 1000) == '"' + "x" * 299 + "…"
