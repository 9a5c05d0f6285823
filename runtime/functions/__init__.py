"""The functions of the language: one module a function, with signature, docs and examples."""

from collections.abc import Callable

from compiler.catalog import Function
from runtime.functions import format_phone

FUNCTIONS: tuple[tuple[Function, Callable[..., object]], ...] = (
    (format_phone.SIGNATURE, format_phone.format_phone),
)
