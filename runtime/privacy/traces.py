"""Whether a text that is kept holds a person's phone or email, in whatever form it was written."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

import msgspec
import phonenumbers

from runtime.functions.format_phone import both_forms, match_key, parse_phone

# What may stand between two digits of one number: spaces, signs, brackets; not what parts values of JSON.
_GAP: Final = r'[^\w"{}:]{0,4}'
_BRAZIL: Final = re.compile(r"\+55(\d\d)(9?)(\d{8})", re.ASCII)
# Brazil's numbers are dialled with 00 55 or +55, with a trunk zero, and with a carrier after that.
_BRAZILIAN_PREFIX: Final = f"(?:(?:00{_GAP})?55{_GAP})?(?:0{_GAP}(?:(?:[0-9]{_GAP}[0-9]|[xX*]{{1,2}}){_GAP})?)?"
_LONG_ENOUGH: Final = 7  # digits, to be somebody's number without a country code before them

_MEXICO: Final = 52  # before mobiles, a 1 was dialled until 2019

# Of JSON, and of JSON within text of JSON, whose backslashes are several.
_ESCAPE: Final = re.compile(r'\\+(?:u([0-9a-fA-F]{4})|[bfnrt"/])?')
# Of Arabic, Persian, Indic and other scripts, and the wide ones of Asia. Latin letters are below all of them.
_OTHER_SCRIPT: Final = re.compile("[\u0660-\U0001ffff]")
_ODD_DIGIT: Final = re.compile(r"(?![0-9])\d")
_NO_DIGITS: Final = bytes(set(range(256)) - set(b"0123456789"))


class Keys(msgspec.Struct, frozen=True):
    """By what a person is known: a phone in E.164, an email in lower case, or both."""

    phone: str | None = None
    email: str | None = None

    def each(self) -> Iterator[tuple[str, str]]:
        """Kind and value of each; a phone in the form that both forms of a number share."""
        if self.phone is not None:
            yield "phone", match_key(self.phone)
        if self.email is not None:
            yield "email", self.email


def keys_of(phone: str | None, email: str | None, region: str = "BR") -> Keys:
    """Read what people type. Raises StepFailure for a phone that is none, and ValueError for such an email."""
    if email is not None and not re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@]+", email.strip()):
        raise ValueError("this is no email address")
    return Keys(
        None if phone is None else parse_phone(phone, region).e164,
        None if email is None else email.strip().lower(),
    )


class Traces:
    """Finds keys in texts; and ids of persons, once they are known to be of the same one."""

    def __init__(self, keys: Keys, ids: Iterable[str] = ()) -> None:
        self._ids = tuple(ids)
        self._phone = None if keys.phone is None else _phone(keys.phone)
        self._email = None if keys.email is None else _Written(keys.email, _email(keys.email))

    def are_in(self, texts: Iterable[bytes | str | None]) -> bool:
        """Whether any of some texts, as they are kept, holds what is looked for."""
        return any(self._in(reading) for text in texts if text for reading in _readings(text))

    def _in(self, text: str) -> bool:
        phone, email = self._phone, self._email
        return (
            (phone is not None and phone.end in _digits(text) and phone.exact.search(text) is not None)
            or (email is not None and email.end in text.lower() and email.exact.search(text) is not None)
            or any(one in text for one in self._ids)
        )


@dataclass(frozen=True, slots=True)
class _Written:
    """What a text must have, whatever else: digits in a row, or letters in lower case; and the whole of it."""

    end: str
    exact: re.Pattern[str]


def _phone(e164: str) -> _Written:
    brazilian = _BRAZIL.fullmatch(e164)
    if brazilian is not None:
        area, nine, rest = brazilian.groups()
        has_two_forms = len(both_forms(e164)) > 1
        ninth = f"(?:9{_GAP})?" if has_two_forms else _spaced(nine)
        return _number(_BRAZILIAN_PREFIX + _spaced(area) + ninth, rest)
    number = phonenumbers.parse(e164)
    national = phonenumbers.national_significant_number(number)
    one = f"(?:1{_GAP})?" if number.country_code == _MEXICO else ""
    code = f"(?:00{_GAP})?{_spaced(str(number.country_code))}{one}"
    prefix = f"(?:{code})?(?:0{_GAP})?" if len(national) >= _LONG_ENOUGH else code
    return _number(prefix, national)


def _number(beginning: str, end: str) -> _Written:
    return _Written(end, re.compile(f"(?<![0-9]){beginning}{_GAP.join(end)}(?![0-9])"))


def _spaced(digits: str) -> str:
    return "".join(f"{digit}{_GAP}" for digit in digits)


def _email(email: str) -> re.Pattern[str]:
    """Not as a part of another one: neither `maria.joao@x.com` nor `joao@x.com.br` is `joao@x.com`."""
    return re.compile(rf"(?<![\w.%+-]){re.escape(email)}(?![\w-]|\.\w)", re.IGNORECASE)


def _readings(kept: bytes | str) -> Iterator[str]:
    """A text with JSON's escapes read, and with what is percent-encoded read too."""
    text = kept.decode(errors="replace") if isinstance(kept, bytes) else kept
    if "\\" in text:
        text = _ESCAPE.sub(_unescaped, text)
    if not text.isascii() and _OTHER_SCRIPT.search(text):
        text = _ODD_DIGIT.sub(lambda found: str(int(found[0])), text)
    yield text
    if "%" in text:
        yield unquote(text)


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else " "


def _digits(text: str) -> str:
    return text.encode(errors="surrogatepass").translate(None, _NO_DIGITS).decode()
