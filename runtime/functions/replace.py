"""replace: a text with one part of it put in place of another."""

from compiler.catalog import Example, Function, Param
from runtime.functions._limits import check_length

SIGNATURE = Function(
    name="replace",
    params=(
        Param("value", "text"),
        Param("old", "text", doc="taken literally; where it is empty, nothing is replaced"),
        Param("new", "text"),
    ),
    result="text",
    doc="Puts `new` in place of every `old` in the text, from left to right.",
    failures=("too_long",),
    examples=(
        Example('replace("a/b/c", "/", "-")', gives='"a-b-c"'),
        Example('replace("aaa", "aa", "b")', gives='"ba"'),
        Example('replace("abc", "", "-")', gives='"abc"'),
    ),
)


def replace(value: str, old: str, new: str) -> str:
    """Every `old` replaced; raises StepFailure `too_long`."""
    if not old:
        return value
    check_length(len(value) + value.count(old) * (len(new) - len(old)))
    return value.replace(old, new)
