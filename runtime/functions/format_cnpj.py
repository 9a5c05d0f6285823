"""format_cnpj: a CNPJ with its mask."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="format_cnpj",
    params=(Param("number", "cnpj", doc="what `cnpj` gives, or a field of that type"),),
    result="text",
    doc="Writes a CNPJ as people read it.",
    examples=(
        Example('format_cnpj(cnpj("00000000000191"))', gives='"00.000.000/0001-91"'),
        Example('format_cnpj(cnpj("12abc34501de35"))', gives='"12.ABC.345/01DE-35"'),
    ),
)


def format_cnpj(number: str) -> str:
    """The CNPJ with its mask; `cnpj` takes it off again."""
    return f"{number[:2]}.{number[2:5]}.{number[5:8]}/{number[8:12]}-{number[12:]}"
