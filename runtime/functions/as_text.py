"""as_text: a text out of json."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="as_text",
    params=(Param("value", "json"),),
    result="text?",
    doc="Gives the value where it is a text, and absence where it is anything else: a number stays one.",
    examples=(
        Example('as_text("ana")', gives='"ana"'),
        Example("as_text(42)", gives="none"),
        Example("as_text(none)", gives="none"),
    ),
)


def as_text(value: object) -> str | None:
    """The text, or None."""
    return value if isinstance(value, str) else None
