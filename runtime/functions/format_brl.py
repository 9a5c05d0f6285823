"""format_brl: an amount in reais."""

from decimal import Decimal

from compiler.catalog import Example, Function, Param
from runtime.functions._numbers import write_brazilian

SIGNATURE = Function(
    name="format_brl",
    params=(Param("value", "decimal"),),
    result="text",
    doc="Writes an amount in reais with its centavos, rounded as `round` does.",
    failures=("overflow",),
    examples=(
        Example("format_brl(1234.56)", gives='"R$ 1.234,56"'),
        Example("format_brl(0)", gives='"R$ 0,00"'),
        Example("format_brl(-1500)", gives='"-R$ 1.500,00"'),
    ),
)


def format_brl(value: Decimal | int) -> str:
    """The amount in text. Raises StepFailure `overflow` where it has far more than 28 digits."""
    written = write_brazilian(value, 2)
    sign, amount = written[: written.startswith("-")], written.removeprefix("-")
    return f"{sign}R$ {amount}"
