"""What may be phone numbers in a text as people, spreadsheets and other systems write it."""

import re
import unicodedata
from collections.abc import Iterator

from runtime.failures import StepFailure

_LONGEST = 250  # characters; a phone field, not a letter. `phonenumbers` has the same limit.

_PLACEHOLDER = re.compile(r"\{\{|\{%|\$\{|<%")
_SCIENTIFIC = re.compile(r"(?<!\w)\d+(?:[.,]\d+)?[eE][+-]?\d{1,3}(?!\w)")

# Applied in this order, before numbers are looked for.
_REWRITES = (
    # A WhatsApp link or user id holds country code and number, without `+`.
    (re.compile(r"(?i)\S*(?:wa\.me/|whatsapp\S*[?&]phone=)(?:\+|%2b)?(\d+)\S*"), r" +\1 "),
    (re.compile(r"(?i)(\d{7,15})(?::\d+)?@(?:s\.whatsapp\.net|c\.us)"), r" +\1 "),
    # Any other address (e-mail, group, hidden id) has digits that are no phone number.
    (re.compile(r"\S+@\S+"), " ; "),
    (re.compile(r"(?i)%2b"), "+"),
    # `0xx11`: the xx stands for a carrier.
    (re.compile(r"(?i)(?<!\d)0[ -]*[x*]{1,2}"), "0"),
    # `11/98765-4321`: the slash parts area code and number here, not two numbers.
    (re.compile(r"\A([^\d+]*0?[1-9]\d\)?) *[/,] *(?=9?[ .]?\d{4}[ .-]?\d{4}(?!\d))"), r"\1 "),
    # A spreadsheet's number column exported as floats.
    (re.compile(r"\A(\+?\d{8,})[.,]00?\Z"), r"\1"),
)

_CANDIDATE = re.compile(r"\+*[ \t(]*[0-9][0-9 \t().\-_\[\]]*")
# `(11) 3333-4444 (11) 98765-4321`: a parenthesis after a whole number opens the next one.
_NEXT_NUMBER = re.compile(r"(?:(?<=\d{4}[-. ]\d{4})|(?<=\d{8}))[ \t]*(?=\()")


def candidates(text: str) -> Iterator[tuple[bool, str]]:
    """Find what may be numbers in the text: whether `+` leads, and the digits.

    Extensions need no rule: the word `ramal` ends a candidate, and what follows it is too short to
    be a number. Raises StepFailure where there can be none.
    """
    for found in _CANDIDATE.finditer(_legible(text)):
        for piece in _NEXT_NUMBER.split(found[0]):
            digits = "".join(filter(str.isdigit, piece))
            if digits:
                yield piece.startswith("+"), digits


def _legible(text: str) -> str:
    """Write the text in plain characters, without what would hide a number or pass for one."""
    if len(text) > _LONGEST:
        raise StepFailure("bad_length", f"the text is longer than {_LONGEST} characters")
    text = _plain(text)
    if not text:
        raise StepFailure("empty", "the text is empty")
    if _PLACEHOLDER.search(text):
        raise StepFailure("no_digits", "the text is a placeholder that nobody filled in")
    if _SCIENTIFIC.search(text):
        why = "scientific notation has lost digits of the number; export the column as text"
        raise StepFailure("scientific_notation", why)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return text


def _plain(text: str) -> str:
    if not text.isascii():
        text = "".join(map(_plain_character, unicodedata.normalize("NFKC", text)))
    return text.strip()


def _plain_character(character: str) -> str:
    match unicodedata.category(character):
        case "Cf" | "Mn" | "Me":  # bidirectional marks, soft hyphens, what makes a keycap emoji
            return ""
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Pd":
            return "-"
        case _:
            return character
