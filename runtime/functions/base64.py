"""base64: a text in letters that pass everywhere."""

from base64 import b64encode

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="base64",
    params=(Param("value", "text"),),
    result="text",
    doc="Gives the text in UTF-8 as base64, with padding, in one line.",
    examples=(
        Example('base64("São Paulo")', gives='"U8OjbyBQYXVsbw=="'),
        Example('base64("")', gives='""'),
    ),
)


def base64(value: str) -> str:
    """The standard alphabet of RFC 4648, 4."""
    return b64encode(value.encode()).decode()
