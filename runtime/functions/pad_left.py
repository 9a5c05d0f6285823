"""pad_left: a text made as wide as it has to be."""

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure

_WIDEST = 1_000

SIGNATURE = Function(
    name="pad_left",
    params=(
        Param("value", "text"),
        Param("width", "int", doc=f"how many characters it must have, at most {_WIDEST:,}"),
        Param("fill", "text", doc="the one character that is put before it"),
    ),
    result="text",
    doc=(
        "Puts a character before the text as often as it takes to make it that wide; a longer text stays as it is. "
        "Gives leading zeros back to numbers that went through a spreadsheet."
    ),
    failures=("bad_fill", "too_long"),
    examples=(
        Example('pad_left("7", 3, "0")', gives='"007"'),
        Example('pad_left("1234", 3, "0")', gives='"1234"'),
        Example('pad_left("7", 3, "")', fails="bad_fill"),
        Example('pad_left("7", 1001, "0")', fails="too_long"),
    ),
)


def pad_left(value: str, width: int, fill: str) -> str:
    """The text, at least `width` wide. Raises StepFailure `bad_fill` or `too_long`. Idempotent."""
    if len(fill) != 1:
        raise StepFailure("bad_fill", f"a text is filled with one character, not with {len(fill)}")
    if width > _WIDEST:
        raise StepFailure("too_long", f"a text is filled up to {_WIDEST:,} characters at most, not to {width:,}")
    return value.rjust(width, fill)
