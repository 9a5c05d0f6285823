"""cep: a Brazilian postal code."""

from compiler.catalog import Example, Function, Param
from runtime.functions._registers import Register, unmasked

SIGNATURE = Function(
    name="cep",
    params=(Param("number", "text", doc="with the signs of the mask or without"),),
    result="text",
    doc=(
        "Turns what was typed as a CEP into its 8 digits. That it has 8 does not say that the CEP exists. One that "
        'lost its leading zero is refused: `pad_left(x, 8, "0")` gives it back.'
    ),
    rewrites=True,
    failures=("bad_character", "bad_length", "empty"),
    examples=(
        Example('cep("01310-100")', gives='"01310100"'),
        Example('cep("01.310-100")', gives='"01310100"'),
        Example('cep("1310-100")', fails="bad_length"),
        Example('cep("O1310-100")', fails="bad_character"),
        Example('cep("")', fails="empty"),
    ),
)


_CEP = Register("CEP", "00000-000")


def cep(number: str) -> str:
    """The 8 digits; raises StepFailure with one of SIGNATURE's codes. Idempotent."""
    return unmasked(number, _CEP)
