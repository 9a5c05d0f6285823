"""phone_info: what it tells of every row of tests/vectors/phones.tsv, and of numbers that are phones already."""

from typing import Any

import pytest

from runtime.failures import StepFailure
from runtime.functions.format_phone import match_key
from runtime.functions.phone_info import phone_info
from tests.runtime.functions.test_format_phone import INVALID, VALID, Row


def given(row: Row) -> tuple[str, str]:
    return row.typed, row.region


def repairs(row: Row) -> list[str]:
    return [name for name in row.repairs.split(",") if name]


@pytest.mark.parametrize("row", VALID, ids=lambda row: row.typed)
def test_every_valid_row_has_its_number_its_type_and_its_repairs(row: Row) -> None:
    info = phone_info(*given(row))

    told = row.type if row.type in ("mobile", "fixed", "fixed_or_mobile", "toll_free") else "other"
    assert (info["phone"], info["type"], info["repairs"]) == (row.expected, told, repairs(row))
    assert info["forms"][0] == row.expected
    assert {match_key(form) for form in info["forms"]} == {match_key(row.expected)}


@pytest.mark.parametrize("row", INVALID, ids=lambda row: row.typed)
def test_every_invalid_row_fails_as_format_phone_does(row: Row) -> None:
    with pytest.raises(StepFailure) as failed:
        phone_info(*given(row))

    assert failed.value.code == row.repairs


@pytest.mark.parametrize("row", VALID, ids=lambda row: row.typed)
def test_what_is_a_phone_already_needs_no_repair_and_tells_the_same_else(row: Row) -> None:
    info = phone_info(*given(row))
    again = phone_info(info["phone"], row.region)

    assert again == {**info, "repairs": []}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("(11) 3333-4444", {"type": "fixed", "area_code": "11", "country": "BR", "suspicious": False}),
        ("11 99999-9999", {"type": "mobile", "area_code": "11", "suspicious": True}),
        ("+351 912 345 678", {"type": "mobile", "area_code": None, "country": "PT"}),
        ("+1 900 234 5678", {"type": "other", "country": "US"}),
        ("+800 1234 5678", {"country": "001", "area_code": None}),
    ],
)
def test_country_area_and_suspicion_are_told(typed: str, told: dict[str, Any]) -> None:
    info = phone_info(typed)

    assert {name: info[name] for name in told} == told


def test_area_code_of_the_flow_counts_and_is_told() -> None:
    info = phone_info("98765-4321", area_code="82")

    assert (info["phone"], info["area_code"], info["repairs"]) == ("+5582987654321", "82", ["area_code"])
