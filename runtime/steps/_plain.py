"""Values of a flow, without our own types."""

from decimal import Decimal
from typing import Any

import msgspec

_WHOLE = frozenset((str, int, bool, Decimal, type(None)))


def plain(value: Any, *, absent: bool) -> Any:
    """Give records as dicts, under their JSON keys, with None for what is `absent` or without it.

    Null inside json is a value of its sender's and stays.
    """
    match value:
        case msgspec.Struct():
            names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
            fields = {key: plain(getattr(value, name), absent=absent) for key, name in names}
            return fields if absent else {key: field for key, field in fields.items() if field is not None}
        case dict():
            return {key: _inner(item, absent=absent) for key, item in value.items()}
        case list() | tuple():
            return [_inner(item, absent=absent) for item in value]
        case _:
            return value


def _inner(value: Any, *, absent: bool) -> Any:
    """What most values are needs no look inside."""
    return value if type(value) in _WHOLE else plain(value, absent=absent)
