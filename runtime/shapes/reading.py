"""JSON read the slow way: with numbers as their characters, and every key once; and what forms say in it."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NoReturn

import msgspec

from runtime.shapes.problems import FormObject, FormText, Mismatch, NotJsonError, Number

DEPTH: Final = 64  # of nested arrays and objects

_BRACKETS: Final = b"{}[]"
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(_BRACKETS))
_AS_BRACES: Final = bytes.maketrans(b"[]", b"{}")

_strict = msgspec.json.Decoder(float_hook=str).decode


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJsonError("an object has the same key twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is not a JSON value")


def loads(body: bytes) -> Any:
    """Read JSON with numbers as their source characters.

    Raises:
        NotJsonError: it is not JSON, or an object has a key twice.
    """
    value = _load(body, Number, Number)
    _refuse_halves(body)
    return value


def load_exactly(body: bytes) -> Any:
    """Read JSON with exact numbers, many times as fast as by way of their characters.

    Raises:
        NotJsonError: it is not JSON, or an object has a key twice.
        Mismatch: a number has more digits, or a larger exponent, than Python takes.
    """
    try:
        value = _load(body, int, Decimal)
    except (ArithmeticError, ValueError) as error:
        raise Mismatch("a number without measure") from error
    if b"\\u" in body:
        _refuse_halves(body)
    return value


def _load(body: bytes, integer: Callable[[str], Any], fraction: Callable[[str], Any]) -> Any:
    try:
        return json.loads(
            body.decode(),
            parse_int=integer,
            parse_float=fraction,
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError as error:
        raise NotJsonError(f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} at line {error.lineno}, column {error.colno}") from error


def _refuse_halves(body: bytes) -> None:
    """Refuse what Python's reader lets through: lone surrogates."""
    try:
        _strict(body)
    except msgspec.MsgspecError as error:
        raise NotJsonError(str(error).removeprefix("JSON is malformed: ")) from error


def check_unique_keys(body: bytes) -> None:
    """Raise NotJsonError where any object of a body has the same key twice."""
    loads(body)


def is_deep(body: bytes) -> bool:
    """Whether arrays and objects are nested too deep: take the innermost ones away, as often as is allowed.

    Exact up to the first mistake in the text, which is as far as a decoder gets.
    """
    if body.count(b"{") + body.count(b"[") <= DEPTH:
        return False
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside_strings = b"".join(unescaped.split(b'"')[::2])
    braces = outside_strings.translate(_AS_BRACES, _NOT_BRACKETS)
    for _ in range(DEPTH):
        peeled = braces.replace(b"{}", b"")
        if len(peeled) == len(braces):
            break
        braces = peeled
    return len(braces) > DEPTH or b"{}" in braces


def of_form(value: Any) -> Any:
    """A value that `loads` gave, or that was never JSON, with its texts and objects as those of a form."""
    match value:
        case Number() | bool():
            return value
        case int():
            return Number(value)
        case str():
            return FormText(value)
        case list():
            return [of_form(part) for part in value]
        case dict():
            return FormObject({key: of_form(part) for key, part in value.items()})
        case _:
            return value


def opened(value: Any) -> Any:
    """JSON that stands in a field of a form, as what it says; everything else, and what is no JSON, as it is."""
    if not isinstance(value, FormText) or value.lstrip()[:1] not in ("{", "["):
        return value
    body = value.encode()
    try:
        return value if is_deep(body) else of_form(loads(body))
    except NotJsonError:
        return value


read_json: Callable[[bytes], Any] = msgspec.json.Decoder(float_hook=Decimal).decode
"""JSON that is our own or need not be of a shape, with exact numbers. Raises what msgspec does, and ArithmeticError."""
