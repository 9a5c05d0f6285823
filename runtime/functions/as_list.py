"""as_list: a list out of json."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="as_list",
    params=(Param("value", "json"),),
    result="[json]?",
    doc="Gives the value where it is a list, whose items are json again, and absence where it is anything else.",
    examples=(
        Example('as_list([1, "a"])', gives='[1, "a"]'),
        Example("as_list({id: 1})", gives="none"),
    ),
)


def as_list(value: object) -> list[object] | None:
    """The list, or None."""
    return value if isinstance(value, list) else None
