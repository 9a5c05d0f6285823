"""format_cep: a Brazilian postal code with its hyphen."""

from compiler.catalog import Example, Function, Param
from runtime.functions.cep import cep

SIGNATURE = Function(
    name="format_cep",
    params=(Param("number", "text", doc="with the signs of the mask or without"),),
    result="text",
    doc="Writes a CEP as people read it; what `cep` refuses is refused here.",
    failures=("bad_character", "bad_length", "empty"),
    examples=(
        Example('format_cep("01310100")', gives='"01310-100"'),
        Example('format_cep("01.310-100")', gives='"01310-100"'),
        Example('format_cep("1310100")', fails="bad_length"),
        Example('format_cep("O1310100")', fails="bad_character"),
        Example('format_cep("")', fails="empty"),
    ),
)


def format_cep(number: str) -> str:
    """The CEP with its hyphen; raises StepFailure as `cep` does. Idempotent."""
    digits = cep(number)
    return f"{digits[:5]}-{digits[5:]}"
