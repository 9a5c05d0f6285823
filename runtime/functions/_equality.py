"""When two values are the same: texts, numbers and times by what they are, lists and records by what is in them."""

from collections.abc import Hashable, Mapping
from decimal import Decimal

import msgspec

from runtime.functions._limits import check_depth


def identity(value: object, depth: int = 0) -> Hashable:
    """One hashable for all values that are the same; raises StepFailure `too_deep`."""
    check_depth(depth)
    match value:
        case msgspec.Struct():
            return identity({name: getattr(value, name) for name in value.__struct_fields__}, depth)
        case Mapping():
            fields = ((name, identity(field, depth + 1)) for name, field in value.items() if field is not None)
            return "record", frozenset(fields)
        case list() | tuple():
            return "list", tuple(identity(item, depth + 1) for item in value)
        case int() | Decimal() if not isinstance(value, bool):
            return "number", value
        case _:
            return type(value).__name__, value
