"""Hints of Python as types of the language."""

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NewType,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import msgspec

from runtime.extend.marks import Cnpj, Cpf, Email, Phone, Secret, Url

_NAMES: Final[dict[Any, str]] = {
    str: "text",
    int: "int",
    bool: "bool",
    Decimal: "decimal",
    datetime: "datetime",
    date: "date",
    timedelta: "duration",
    Phone: "phone",
    Email: "email",
    Url: "url",
    Cpf: "cpf",
    Cnpj: "cnpj",
    Secret: "secret",
    Any: "json",
    object: "json",
}
_ADVICE: Final[dict[Any, str]] = {
    float: "flows have no floats: write Decimal",
    bytes: "flows have no bytes: write str, with base64 in it",
    list: "say what is in it: list[str]",
    tuple: "write list[…], or a dataclass where each place means something else",
    set: "write list[…]",
    frozenset: "write list[…]",
    complex: "write a dataclass of two Decimals",
}
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "{": "{{", "}": "}}", "\n": "\\n", "\t": "\\t"})


class HintError(Exception):
    """A hint that is no type of the language; the message says what to write."""


def written(hint: Any, inside: tuple[Any, ...] = ()) -> str:  # noqa: C901, PLR0912  # the table of what is what
    """A hint as the language writes its type; `inside` are the records around it. Raises HintError."""
    if isinstance(hint, type | NewType) or hint is Any:
        if (name := _NAMES.get(hint)) is not None:
            return name
        if (advice := _ADVICE.get(hint)) is not None:
            raise HintError(advice)
    match get_origin(hint), get_args(hint):
        case None, _ if isinstance(hint, NewType):
            return written(hint.__supertype__, inside)
        case None, _ if isinstance(hint, type):
            return _class(hint, inside)
        case origin, (first, *_) if origin in (Annotated, Required):
            return written(first, inside)
        case origin, (first,) if origin is NotRequired:
            return optional(written(first, inside))
        case origin, values if origin is Literal:
            return _texts(values)
        case origin, kinds if origin in (Union, UnionType):
            return _union(kinds, inside)
        case origin, (item,) if origin is list:
            return f"[{written(item, inside)}]"
        case origin, (str(), _) | (_, _) if origin in (dict, Mapping):
            return "json"
        case origin, _ if origin in _ADVICE:
            raise HintError(_ADVICE[origin])
        case _:
            raise HintError("it is no type that flows have: see docs/extending.md for those that there are")


def optional(kind: str) -> str:
    """The type of what may be absent."""
    return kind if kind.endswith("?") else f"{kind}?"


def _union(kinds: tuple[Any, ...], inside: tuple[Any, ...]) -> str:
    present = [kind for kind in kinds if kind is not NoneType]
    if len(present) != 1 or len(present) == len(kinds):
        raise HintError("a value has one type: write that, or `T | None` where it may be absent")
    return optional(written(present[0], inside))


def _texts(values: tuple[Any, ...]) -> str:
    if not all(isinstance(value, str) for value in values):
        raise HintError("the values of a Literal are text")
    return " | ".join(f'"{value.translate(_ESCAPES)}"' for value in values)


def _class(made: type, inside: tuple[Any, ...]) -> str:
    if made in inside:
        raise HintError(f"{made.__name__} leads back to itself, and no type of a flow does")
    if issubclass(made, StrEnum):
        return _texts(tuple(made))
    if made is dict:
        return "json"
    if not (dataclasses.is_dataclass(made) or is_typeddict(made) or issubclass(made, msgspec.Struct)):
        raise HintError(f"{made.__name__} is no type that flows have: write a dataclass for a record")
    if issubclass(made, msgspec.Struct) and made.__struct_encode_fields__ != made.__struct_fields__:
        raise HintError(f"the fields of {made.__name__} are renamed: a flow reads them as Python does")
    return _record(made, inside)


def _record(made: type, inside: tuple[Any, ...]) -> str:
    fields = []
    for name, hint in hints_of(made).items():
        try:
            fields.append(f"{name}: {written(hint, (*inside, made))}")
        except HintError as error:
            raise HintError(f"at the field `{name}` of {made.__name__}: {error}") from error
    return f"{{{', '.join(fields)}}}"


def hints_of(made: Any) -> dict[str, Any]:
    """The hints of a function or a class, with those that are text evaluated. Raises HintError."""
    try:
        return get_type_hints(made, include_extras=True)
    except Exception as error:  # whatever evaluating a text raises
        raise HintError(f"its hints cannot be read: {error}") from error
