"""Helpers of generated code: records are compared by what they hold, and cheaply, for there may be many."""

from typing import Any

import msgspec
import pytest

from runtime import values

Held = msgspec.defstruct("Held", [("a", str), ("f_b", int | None, None)])
Other = msgspec.defstruct("Other", [("f_b", int | None), ("a", str)])


def held(a: str, b: int | None = None) -> Any:
    """A record as a payload holds it: a name that begins with an underscore has another one there."""
    return Held(a, b)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"a": "x", "_b": 1}, True),
        (Other(1, "x"), True),
        ({"a": "y"}, True),
        ({"a": "y", "_b": None}, True),
        ({"a": "x"}, False),
        ({"a": "y", "_b": 1}, False),
        ("x", False),
    ],
)
def test_array_has_what_holds_the_same_however_it_is_held(value: Any, *, found: bool) -> None:
    assert values.holds(value, [held("x", 1), held("y")]) is found


def test_records_in_records_and_arrays_are_compared_too() -> None:
    assert values.same([{"r": held("x", 1), "n": None}], [{"r": {"a": "x", "_b": 1}}])
    assert not values.same([{"r": held("x", 1)}], [{"r": {"a": "x", "_b": 2}}])


def test_fields_of_a_record_are_found_out_once_for_all_items(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fields(kind: Any) -> Any:
        asked.append(kind)
        return known(kind)

    known = msgspec.structs.fields
    monkeypatch.setattr(msgspec.structs, "fields", fields)
    kind: Any = msgspec.defstruct("Many", [("n", int)])
    assert values.holds({"n": 999}, [kind(n) for n in range(1000)])
    assert asked == [kind]
