"""parse_int: the whole number that a text says."""

import re

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure
from runtime.functions._numbers import read_int

SIGNATURE = Function(
    name="parse_int",
    params=(Param("value", "text"),),
    result="int",
    doc="Reads a whole number in digits, with a sign or leading zeros if need be and space around it, nothing else.",
    failures=("not_a_number", "overflow"),
    examples=(
        Example('parse_int(" 42 ")', gives="42"),
        Example('parse_int("-007")', gives="-7"),
        Example('parse_int("1.000")', fails="not_a_number"),
        Example('parse_int("")', fails="not_a_number"),
        Example('parse_int("9223372036854775808")', fails="overflow"),
    ),
)

_WHOLE = re.compile("([+-]?)0*([0-9]+)")


def parse_int(value: str) -> int:
    """The number; raises StepFailure `not_a_number` or `overflow`."""
    found = _WHOLE.fullmatch(value.strip())
    if found is None:
        raise StepFailure("not_a_number", "the text is not a whole number such as 42")
    sign, digits = found.groups()
    return read_int(sign, digits)
