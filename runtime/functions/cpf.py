"""cpf: a person's number at the Receita Federal, checked."""

from compiler.catalog import Example, Function, Param
from runtime.functions._registers import Register, check, unmasked

SIGNATURE = Function(
    name="cpf",
    params=(Param("number", "text", doc="with the signs of the mask or without"),),
    result="cpf",
    doc=(
        "Turns what was typed as a CPF into its 11 digits and checks the last two. That they fit does not say that the "
        'CPF exists. A number that lost its leading zeros is refused: `pad_left(x, 11, "0")` gives them back.'
    ),
    rewrites=True,
    failures=("bad_character", "bad_check_digits", "bad_length", "empty", "repeated"),
    examples=(
        Example('cpf("529.982.247-25")', gives='"52998224725"'),
        Example('cpf(" 52998224725 ")', gives='"52998224725"'),
        Example('cpf("529.982.247-24")', fails="bad_check_digits"),
        Example('cpf("111.111.111-11")', fails="repeated"),
        Example('cpf("529.982.247")', fails="bad_length"),
        Example('cpf("CPF 52998224725")', fails="bad_character"),
        Example('cpf("-")', fails="empty"),
    ),
)

_CPF = Register("CPF", "000.000.000-00")
_WEIGHTS = range(11, 1, -1)


def cpf(number: str) -> str:
    """The 11 digits; raises StepFailure with one of SIGNATURE's codes. Idempotent.

    The rule is the Receita Federal's, known everywhere though it publishes no text of it: weights 10 to 2, then 11
    to 2 with the first check digit among the digits; modulo 11, where a rest below 2 gives 0.
    """
    digits = unmasked(number, _CPF)
    check(digits, _WEIGHTS, _CPF)
    return digits
