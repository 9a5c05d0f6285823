"""parse_json: the value that a text of JSON says."""

import re
from decimal import InvalidOperation
from itertools import accumulate

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure
from runtime.functions._limits import MAX_DEPTH, check_depth
from runtime.shapes import MisfitError, NotJsonError, anything, reader

SIGNATURE = Function(
    name="parse_json",
    params=(Param("value", "text"),),
    result="json",
    doc=(
        "Reads JSON that came inside a text, as strictly as a delivery is read: a key that comes twice is refused. "
        f"Nested more than {MAX_DEPTH} deep it is failure `too_deep`. Numbers stay exact."
    ),
    failures=("not_json", "overflow", "too_deep"),
    examples=(
        Example('parse_json("{{\\"id\\": 7, \\"valor\\": 10.50}}")', gives="{id: 7, valor: 10.50}"),
        Example('parse_json("[true, null]")', gives="[true, none]"),
        Example('parse_json("{{id: 7}}")', fails="not_json"),
        Example('parse_json("")', fails="not_json"),
        Example('parse_json("1e9999999999999999999999")', fails="overflow"),
    ),
)

_read = reader(anything)
_NOT_BRACKETS = re.compile(r"[^][{}]+")


def parse_json(value: str) -> object:
    """The value; raises StepFailure `not_json`, `overflow` or `too_deep`."""
    check_depth(_depth(value))
    try:
        return _read(value.encode())
    except NotJsonError as error:
        raise StepFailure("not_json", f"the text is not JSON: {error}") from error
    except (InvalidOperation, MisfitError) as error:
        raise StepFailure("overflow", "a number in the JSON is too large") from error


def _depth(text: str) -> int:
    """How deep arrays and objects are nested in a text of JSON."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    outside_strings = "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2])
    brackets = _NOT_BRACKETS.sub("", outside_strings)
    return max(accumulate((1 if bracket in "[{" else -1 for bracket in brackets), initial=0))
