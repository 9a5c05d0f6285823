"""cnpj: a company's number at the Receita Federal, checked, with digits only or with letters."""

from string import ascii_uppercase, digits

from compiler.catalog import Example, Function, Param
from runtime.failures import StepFailure
from runtime.functions._registers import Register, check, unmasked

SIGNATURE = Function(
    name="cnpj",
    params=(Param("number", "text", doc="with the signs of the mask or without"),),
    result="cnpj",
    doc=(
        "Turns what was typed as a CNPJ into its 14 characters and checks the last two. The first 12 may be digits or, "
        "in numbers given out from July 2026 on, capital letters; small ones are made capital. That the check digits "
        "fit does not say that the CNPJ exists. A number that lost its leading zeros is refused: "
        '`pad_left(x, 14, "0")` gives them back.'
    ),
    rewrites=True,
    failures=("bad_character", "bad_check_digits", "bad_length", "empty", "repeated"),
    examples=(
        Example('cnpj("00.000.000/0001-91")', gives='"00000000000191"'),
        Example('cnpj("12.abc.345/01de-35")', gives='"12ABC34501DE35"'),
        Example('cnpj("12.ABC.345/01DE-36")', fails="bad_check_digits"),
        Example('cnpj("12.ABC.345/01DE-3X")', fails="bad_character"),
        Example('cnpj("00.000.000/0000-00")', fails="repeated"),
        Example('cnpj("529.982.247-25")', fails="bad_length"),
        Example('cnpj("")', fails="empty"),
    ),
)

_CNPJ = Register("CNPJ", "00.000.000/0000-00", digits + ascii_uppercase)
_WEIGHTS = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)


def cnpj(number: str) -> str:
    """The 14 characters; raises StepFailure with one of SIGNATURE's codes. Idempotent.

    With letters since Instrução Normativa RFB 2.229/2024; how they count (code in ASCII less 48) and the example
    12.ABC.345/01DE-35 are from Nota Técnica COCAD/SUARA/RFB 49/2024 and the Receita Federal's questions and answers,
    https://www.gov.br/receitafederal/pt-br/centrais-de-conteudo/publicacoes/perguntas-e-respostas/cnpj/cnpj-alfanumerico.pdf
    """
    found = unmasked(number.upper(), _CNPJ)
    if not found[-2:].isdigit():
        raise StepFailure("bad_character", "the last two characters of a CNPJ are digits")
    check(found, _WEIGHTS, _CNPJ)
    return found
