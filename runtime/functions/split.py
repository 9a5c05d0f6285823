"""split: the parts of a text between separators."""

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure
from runtime.functions._limits import MAX_PARTS

SIGNATURE = Function(
    name="split",
    params=(
        Param("value", "text"),
        Param("separator", "text", doc="taken literally; where it is empty, the text stays whole"),
    ),
    result="[text]",
    doc=(
        "Gives the parts of the text between separators, empty ones too: there is always at least one. "
        f"More than {MAX_PARTS:,} parts are failure `too_many`."
    ),
    failures=("too_many",),
    examples=(
        Example('split("ana,bia,,eva", ",")', gives='["ana", "bia", "", "eva"]'),
        Example('split("ana", ",")', gives='["ana"]'),
        Example('split("", ",")', gives='[""]'),
    ),
)


def split(value: str, separator: str) -> list[str]:
    """The parts, so that `join` gives the text back; raises StepFailure `too_many`."""
    if not separator:
        return [value]
    if value.count(separator) >= MAX_PARTS:
        raise StepFailure("too_many", f"the text would be split into more than {MAX_PARTS:,} parts")
    return value.split(separator)
