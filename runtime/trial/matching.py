"""Whether what was sent is what a test says, field by field, and values as a test writes them."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from compiler.ir.trials import Json
from runtime.engine.ids import encode
from runtime.shapes import read_json

_NAME: Final = re.compile(r"[^\W\d]\w*")
_LONGEST: Final = 300  # characters of a value; a body may be a whole document


def differences(said: Json, sent: Any, path: str) -> Iterator[str]:
    """Where a value, as JSON, is not what a test says, a line each.

    Of a record the named fields count, and absent is the same as null. A text also stands for a record that holds it,
    as a phone does for a person.
    """
    yield from _differences(read_json(encode(said)), sent, path)


def _differences(said: Any, sent: Any, path: str) -> Iterator[str]:
    match said, sent:
        case Mapping(), Mapping():
            for key, value in said.items():
                yield from _differences(value, sent.get(key), f"{path}.{key}" if path else key)
        case list(), list() if len(said) == len(sent):
            for index, (one, other) in enumerate(zip(said, sent, strict=True)):
                yield from _differences(one, other, f"{path}[{index}]")
        case str(), Mapping() if said in sent.values():
            return
        case _ if said == sent and isinstance(said, bool) == isinstance(sent, bool):
            return
        case _:
            yield f"{path} is {written(sent)}, expected {written(said)}"


def written(value: Any) -> str:
    """JSON as a flow would write it, without what is absent; far too much of it is cut."""
    text = _written(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _written(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case str():
            return '"' + value.translate(_ESCAPES) + '"'
        case Decimal():
            return format(value, "f")
        case Mapping():
            fields = (f"{_key(key)}: {_written(part)}" for key, part in value.items() if part is not None)
            return "{" + ", ".join(fields) + "}"
        case list():
            return "[" + ", ".join(map(_written, value)) + "]"
        case _:
            return str(value)


_ESCAPES: Final = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "{": "{{", "}": "}}"})


def _key(key: str) -> str:
    return key if _NAME.fullmatch(key) else _written(key)
