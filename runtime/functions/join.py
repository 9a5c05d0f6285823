"""join: texts put together to one."""

from compiler.catalog import Example, Function, Param
from runtime.functions._limits import check_length

SIGNATURE = Function(
    name="join",
    params=(Param("items", "[text]"), Param("separator", "text", doc="what stands between two of them")),
    result="text",
    doc="Puts texts together to one, with the separator between them.",
    failures=("too_long",),
    examples=(
        Example('join(["ana", "bia"], ", ")', gives='"ana, bia"'),
        Example('join(["ana"], ", ")', gives='"ana"'),
        Example('join([], ", ")', gives='""'),
    ),
)


def join(items: list[str], separator: str) -> str:
    """The texts with the separator between them; raises StepFailure `too_long`."""
    check_length(sum(map(len, items)) + len(separator) * len(items))
    return separator.join(items)
