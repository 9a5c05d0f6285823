"""Numbers of Brazilian registers: their masks, and the check digits of CPF and CNPJ (weighted sums, modulo 11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import digits

from runtime.failures import StepFailure

_SEPARATORS = str.maketrans("", "", ".-/ \t\u00a0")


@dataclass(frozen=True, slots=True)
class Register:
    """What a number is called, how it is written (0 for what is given out) and of which characters."""

    name: str
    mask: str
    characters: str = digits


def unmasked(text: str, register: Register) -> str:
    """The characters of a number, without the signs of its mask.

    Raises StepFailure `empty`, `bad_character` or `bad_length`; the messages show nothing of the number, for it may be
    personal data.
    """
    found = text.strip().translate(_SEPARATORS)
    length = register.mask.count("0")
    if not found:
        raise StepFailure("empty", f"there is no {register.name} in the text")
    if not set(found) <= set(register.characters):
        raise StepFailure("bad_character", f"a {register.name} is written {register.mask} or without the signs between")
    if len(found) != length:
        raise StepFailure("bad_length", f"a {register.name} has {length} characters, not {len(found)}")
    return found


def check(number: str, weights: Sequence[int], register: Register) -> None:
    """Check the last two digits against what comes before; `weights` are the second one's, the first's lack their head.

    Raises StepFailure `bad_check_digits`, or `repeated` for one character throughout: its check digits may fit, but no
    such number is given out.
    """
    if len(set(number)) == 1:
        raise StepFailure("repeated", f"the {register.name} repeats one digit: it is made up")
    first = _digit(number[:-2], weights[1:])
    second = _digit(number[:-2] + first, weights)
    if number[-2:] != first + second:
        raise StepFailure("bad_check_digits", f"the check digits of the {register.name} do not fit: it is mistyped")


def _digit(before: str, weights: Sequence[int]) -> str:
    """A character counts as its code in ASCII less 48: digits as themselves, A as 17."""
    total = sum((ord(character) - 48) * weight for character, weight in zip(before, weights, strict=True))
    rest = total % 11
    return "0" if rest < 2 else str(11 - rest)
