"""The mistakes that people make, each known by a function; the first that knows it speaks."""

from dsl.parser.mistakes import arrows, brackets, fields, items, steps, text, values
from dsl.parser.mistakes.arrows import begins_with_reserved_word
from dsl.parser.mistakes.rule import Rule
from dsl.parser.situation import Mistake, Situation
from dsl.parser.words import expected, found

__all__ = ["begins_with_reserved_word", "recognise"]

_RULES: tuple[Rule, ...] = (
    *text.RULES,
    *items.RULES,
    *fields.RULES,
    *steps.RULES,
    *values.RULES,
    *arrows.RULES,
    *brackets.RULES,
)


def recognise(s: Situation) -> Mistake:
    """Say what is wrong here, in general terms if no rule knows better."""
    for rule in _RULES:
        mistake = rule(s)
        if mistake is not None:
            return mistake
    return s.mistake(f"expected {expected(s)}, found {found(s)}")
