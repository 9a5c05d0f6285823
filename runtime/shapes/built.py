"""Kinds made of kinds: within bounds, in one form, one of some, many."""

import json
import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from runtime.failures import StepFailure
from runtime.shapes.kinds import SCALAR, Kind, is_text, or_null, raw_scalar, scalar_text, taker
from runtime.shapes.problems import MOST, Enough, FormObject, FormText, Mismatch, Problem, describe, refuse
from runtime.shapes.reading import opened

_INDEX = re.compile(r"[0-9]{1,9}")


def ranged(kind: Kind, low: int | None, high: int | None) -> Kind:
    """Text of a length, or a number of a size, within bounds that belong to it."""
    size: Callable[[Any], Any] = len if kind.annotation is str else lambda value: value
    name = f"{kind.name}({'' if low is None else low}..{'' if high is None else high})"

    def bounded(value: Any) -> Any:
        found = size(value)
        return value if (low is None or found >= low) and (high is None or found <= high) else refuse()

    def refine(value: Any) -> Any:
        return bounded(kind.refine(value) if kind.refine is not None else value)

    def take(value: Any, pointer: str, problems: list[Problem]) -> Any:
        before = len(problems)
        taken = kind.take(value, pointer, problems)
        if len(problems) > before:
            return None
        return taker(name, lambda _: bounded(taken))(value, pointer, problems)

    least, most = ("minLength", "maxLength") if kind.annotation is str else ("minimum", "maximum")
    bounds = {key: bound for key, bound in ((least, low), (most, high)) if bound is not None}
    return Kind(name, kind.annotation, take, {**kind.schema, **bounds}, refine, kind.keeps_empty)


def nominal(name: str, canonical: Callable[[str], str]) -> Kind:
    """Text or a number that `canonical` brings into the type's one form, or refuses with StepFailure."""

    def convert(value: str) -> str:
        try:
            return canonical(value)
        except StepFailure as failure:
            raise Mismatch(failure.message) from failure

    return Kind(
        name,
        msgspec.Raw,
        taker(name, lambda value: convert(scalar_text(value))),
        {**SCALAR, "description": f"a {name}, in any usual form"},
        lambda raw: convert(raw_scalar(raw)),
    )


def enum(*values: str) -> Kind:
    """One of some texts."""
    name = " | ".join(json.dumps(value, ensure_ascii=False) for value in values)
    allowed = frozenset(values)

    def convert(value: Any) -> str:
        return str(value) if is_text(value) and value in allowed else refuse()

    return Kind(name, Literal[values], taker(name, convert), {"enum": list(values)}, keeps_empty="" in allowed)


def array(item: Kind) -> Kind:
    """Any number of one kind."""
    name = f"array of {item.name}"
    refine_item = item.refine

    def take(value: Any, pointer: str, problems: list[Problem]) -> object:
        value = _several(value)
        if not isinstance(value, list):
            problems.append(Problem(pointer, name, describe(value)))
            return None
        return [_taken(item, part, f"{pointer}/{index}", problems) for index, part in enumerate(value)]

    def refine(values: list[Any]) -> list[Any]:
        return [refine_item(value) for value in values] if refine_item else values

    annotation = list.__class_getitem__(item.annotation)
    schema = {"type": "array", "items": item.schema}
    return Kind(name, annotation, take, schema, refine if refine_item else None, item=item)


def _taken(item: Kind, part: Any, pointer: str, problems: list[Problem]) -> object:
    if len(problems) >= MOST:
        raise Enough
    return item.take(part, pointer, problems)


def _several(value: Any) -> Any:
    """What a form says for an array: JSON in a field, one value, or fields with numbers in brackets."""
    match opened(value):
        case FormText() as one:
            return [one]
        case FormObject() as numbered if all(map(_INDEX.fullmatch, numbered)):
            return [numbered[key] for key in sorted(numbered, key=int)]
        case FormObject() as one:
            return [one]
        case other:
            return other


def maybe(kind: Kind) -> Kind:
    """A value of a kind, or null."""
    refine_value, raw = kind.refine, kind.annotation is msgspec.Raw

    def take(value: Any, pointer: str, problems: list[Problem]) -> object:
        return None if value is None else kind.take(value, pointer, problems)

    def refine(value: Any) -> Any:
        absent = bytes(value) == b"null" if raw else value is None
        return None if absent or refine_value is None else refine_value(value)

    annotation = msgspec.Raw if raw else kind.annotation | None
    name, schema = f"{kind.name} or null", or_null(kind.schema)
    finished = refine if refine_value else None
    return Kind(name, annotation, take, schema, finished, kind.keeps_empty, kind.fields, kind.item)
