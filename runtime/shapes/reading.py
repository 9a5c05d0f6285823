"""JSON read the slow way: with numbers as their characters, and every key once."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from runtime.shapes.problems import NotJsonError, Number

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
    try:
        value = json.loads(
            body.decode(),
            parse_int=Number,
            parse_float=Number,
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
        )
        _strict(body)  # refuses what Python's reader lets through: lone surrogates
    except UnicodeDecodeError as error:
        raise NotJsonError(f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except msgspec.MsgspecError as error:
        raise NotJsonError(str(error).removeprefix("JSON is malformed: ")) from error
    return value


def check_unique_keys(body: bytes) -> None:
    """Raise NotJsonError where any object of a body has the same key twice."""
    loads(body)


read_json: Callable[[bytes], Any] = msgspec.json.Decoder(float_hook=Decimal).decode
"""JSON that is our own or need not be of a shape, with exact numbers. Raises what msgspec does, and ArithmeticError."""
