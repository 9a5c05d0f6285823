"""as_int: a whole number out of json."""

from compiler.catalog import Example, Function, Param
from runtime.functions._numbers import fits_int

SIGNATURE = Function(
    name="as_int",
    params=(Param("value", "json"),),
    result="int?",
    doc=(
        "Gives the value where it is a number written without a point and fits 64 bits, and absence where it is "
        "anything else: texts are read by `parse_int`."
    ),
    examples=(
        Example("as_int(42)", gives="42"),
        Example("as_int(42.0)", gives="none"),
        Example('as_int("42")', gives="none"),
        Example("as_int(true)", gives="none"),
    ),
)


def as_int(value: object) -> int | None:
    """The int, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and fits_int(value) else None
