"""first_name: what to call a person by."""

from compiler.catalog import Example, Function, Param
from runtime.functions.capitalize_name import capitalize_name

SIGNATURE = Function(
    name="first_name",
    params=(Param("name", "text"),),
    result="text?",
    doc=(
        "Gives the first word of a name, with a capital, to greet a person by; absence where there is no word, so that "
        'a message never says "Olá, !".'
    ),
    examples=(
        Example('first_name("MARIA clara da silva")', gives='"Maria"'),
        Example('first_name("ana-clara souza")', gives='"Ana-Clara"'),
        Example('first_name("  ")', gives="none"),
    ),
)


def first_name(name: str) -> str | None:
    """The first word as `capitalize_name` writes it, or None. Idempotent."""
    words = name.split(maxsplit=1)
    return capitalize_name(words[0]) if words else None
