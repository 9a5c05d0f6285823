"""slice: a part of a text, by places."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="slice",
    params=(
        Param("value", "text"),
        Param("start", "int", doc="the first character that is taken, counted from 0"),
        Param("end", "int", required=False, doc="the first that is no longer taken; without it, all the rest is"),
    ),
    result="text",
    doc=(
        "Gives the characters (Unicode code points) from `start` up to, not including, `end`. "
        "A negative place counts from the end of the text; places outside of it give no characters and no failure."
    ),
    examples=(
        Example('slice("São Paulo", 0, 3)', gives='"São"'),
        Example('slice("São Paulo", 4)', gives='"Paulo"'),
        Example('slice("12345678909", -4)', gives='"8909"'),
        Example('slice("São", 5, 9)', gives='""'),
    ),
)


def slice_(value: str, start: int, end: int | None = None) -> str:
    """The code points from `start` to before `end`."""
    return value[start:end]
