"""as_bool: a bool out of json."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="as_bool",
    params=(Param("value", "json"),),
    result="bool?",
    doc="Gives the value where it is true or false, and absence where it is anything else.",
    examples=(
        Example("as_bool(false)", gives="false"),
        Example('as_bool("true")', gives="none"),
        Example("as_bool(1)", gives="none"),
    ),
)


def as_bool(value: object) -> bool | None:
    """The bool, or None."""
    return value if isinstance(value, bool) else None
