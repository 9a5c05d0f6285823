"""sort: a list in order."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure

SIGNATURE = Function(
    name="sort",
    params=(Param("items", "[T]"),),
    result="[T]",
    doc=(
        "Gives a list in ascending order: of texts, numbers, dates, instants or durations; other lists are failure "
        "`not_sortable`. Texts go by the code points of their characters, as signatures of APIs want it: capitals come "
        "before small letters, letters with accents last."
    ),
    failures=("not_sortable",),
    examples=(
        Example("sort([10, 2.5, 3])", gives="[2.5, 3, 10]"),
        Example('sort(["b", "a", "á", "B"])', gives='["B", "a", "b", "á"]'),
        Example("sort([])", gives="[]"),
        Example("sort([true, false])", fails="not_sortable"),
        Example('sort(["a", none])', fails="not_sortable"),
    ),
)

T = TypeVar("T")


def sort(items: list[T]) -> list[T]:
    """A new list; equal items keep their order. Raises StepFailure `not_sortable`. Idempotent."""
    kinds = {_kind(item) for item in items}
    if len(kinds) > 1 or None in kinds:
        raise StepFailure("not_sortable", "the list has items that are not texts, numbers or times, or mixes them")
    comparable: list[Any] = list(items)
    return sorted(comparable)


def _kind(item: object) -> str | None:
    match item:
        case bool():
            return None
        case str():
            return "text"
        case int() | Decimal():
            return "number"
        case datetime():
            return "datetime"
        case date():
            return "date"
        case _:
            return None
