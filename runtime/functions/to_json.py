"""to_json: a value as a text of JSON."""

from collections.abc import Mapping

import msgspec

from compiler.catalog import Example, Function, Param
from runtime.functions._limits import MAX_DEPTH, check_depth

SIGNATURE = Function(
    name="to_json",
    params=(Param("value", "json"),),
    result="text",
    doc=(
        "Writes a value as JSON without white space, its keys in their order, numbers with every digit; fields that "
        f"are absent are left out of records. Nested more than {MAX_DEPTH} deep it is failure `too_deep`."
    ),
    failures=("too_deep",),
    examples=(
        Example('to_json({id: 7, nome: "João"})', gives='"{{\\"id\\":7,\\"nome\\":\\"João\\"}}"'),
        Example("to_json([10.50, true, none])", gives='"[10.50,true,null]"'),
    ),
)

_encode = msgspec.json.Encoder(decimal_format="number").encode


def to_json(value: object) -> str:
    """The text; raises StepFailure `too_deep`."""
    return _encode(_plain(value, 0)).decode()


def _plain(value: object, depth: int) -> object:
    """The value without our own types: records under their JSON keys."""
    check_depth(depth)
    match value:
        case msgspec.Struct():
            names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
            fields = ((key, getattr(value, name)) for key, name in names)
            return {key: _plain(field, depth + 1) for key, field in fields if field is not None}
        case Mapping():
            return {key: _plain(item, depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item, depth + 1) for item in value]
        case _:
            return value
