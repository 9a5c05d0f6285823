"""format_cpf: a CPF with its mask."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="format_cpf",
    params=(Param("number", "cpf", doc="what `cpf` gives, or a field of that type"),),
    result="text",
    doc="Writes a CPF as people read it.",
    examples=(Example('format_cpf(cpf("52998224725"))', gives='"529.982.247-25"'),),
)


def format_cpf(number: str) -> str:
    """The CPF with its mask; `cpf` takes it off again."""
    return f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"
