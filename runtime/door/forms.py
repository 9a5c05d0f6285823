"""Forms as objects: fields with PHP's brackets in their names are nested, a field that comes again is an array.

What a field means is for the declared type to say: here, everything is text.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qsl

from runtime.door.texts import UTF_8, UnreadableError, read_text
from runtime.shapes import DEPTH

FIELDS: Final = 1000  # of one form: as many as PHP takes (max_input_vars)

_TWO_WAYS: Final = "One of its fields is a value and also holds others, by the brackets in their names."
_NESTED: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")


class File(dict[str, Any]):
    """What is said of a file: a value of its own, which fields are not put into."""


def read_form(body: bytes, charset: str = UTF_8) -> dict[str, Any]:
    """The fields of application/x-www-form-urlencoded, nested as their names say.

    Raises UnreadableError.
    """
    text = read_text(body, charset)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, encoding=charset, errors="strict", max_num_fields=FIELDS)
    except UnicodeDecodeError:
        raise UnreadableError(f"What is percent-encoded in it is not {charset}. Send UTF-8.") from None
    except ValueError:
        raise UnreadableError(f"It has more than {FIELDS} fields.") from None
    return nested(pairs)


def nested(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Fields put where their names say: `a[b]` into an object, `a[]` at the end of an array. Raises UnreadableError."""
    top: dict[str, Any] = {}
    for name, value in pairs:
        path = path_of(name)
        if len(path) > DEPTH:
            raise UnreadableError(f"Its fields are nested more than {DEPTH} deep.")
        node: Any = top
        for part, following in pairwise(path):
            node = _inside(node, part, list if following == "" else dict)
        _put(node, path[-1], value)
    return top


def path_of(name: str) -> list[str]:
    """The keys that a field's name leads through; an empty one is the end of an array."""
    found = _NESTED.fullmatch(name)
    return [found[1], *found[2][1:-1].split("][")] if found else [name]


def _inside(node: Any, part: str, kind: type[list[Any] | dict[str, Any]]) -> Any:
    if isinstance(node, list):
        node.append(kind())
        return node[-1]
    inner = node.setdefault(part, kind())
    if type(inner) is not kind:
        raise UnreadableError(_TWO_WAYS)
    return inner


def _put(node: Any, part: str, value: Any) -> None:
    if isinstance(node, list):
        node.append(value)
    elif part not in node:
        node[part] = value
    elif isinstance(node[part], list):
        node[part].append(value)
    elif type(node[part]) is dict:
        raise UnreadableError(_TWO_WAYS)
    else:
        node[part] = [node[part], value]
