"""Kinds of values, as generated code names them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from runtime.shapes.problems import FormText, Mismatch, Number, Problem, describe, refuse
from runtime.shapes.reading import load_exactly, opened

Take = Callable[[Any, str, list[Problem]], Any]
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value.

    `annotation` is what msgspec decodes and `refine` finishes it inside the struct, raising ValueError where it does
    not fit. `take` does both for a value read the slow way (numbers as `Number`) and notes problems instead.
    `schema` says of it what JSON Schema (2020-12) can say. `fields` are those of a record, `item` is what an array
    holds.
    """

    name: str
    annotation: Any
    take: Take
    schema: Schema
    refine: Callable[[Any], Any] | None = None
    keeps_empty: bool = False  # empty text is a value here, not absence
    fields: tuple[Any, ...] = ()  # of runtime.shapes.records, which builds on this
    item: "Kind | None" = None


def or_null(schema: Schema) -> Schema:
    """What is said of a value that may also be null."""
    return {"anyOf": [schema, {"type": "null"}]} if schema else schema


def taker(name: str, convert: Callable[[Any], Any]) -> Take:
    """The slow way of a kind, from a function that raises ValueError where a value does not fit."""

    def take(value: object, pointer: str, problems: list[Problem]) -> object:
        try:
            return convert(value)
        except ValueError:
            problems.append(Problem(pointer, name, describe(value)))
            return None

    return take


def is_text(value: object) -> bool:
    """Whether a value read the slow way is text."""
    return isinstance(value, str) and not isinstance(value, Number)


def _text(value: Any) -> str:
    return str(value) if is_text(value) else refuse()


def _bool(value: Any) -> bool:
    if isinstance(value, FormText):
        found = _WORDS.get(value.strip().lower())
        return found if found is not None else refuse()
    return value if isinstance(value, bool) else refuse()


# What forms say for true and false: a checkbox sends "on", a plug-in the label of what was chosen.
_WORDS = {
    **dict.fromkeys(("true", "1", "on", "yes", "sim"), True),
    **dict.fromkeys(("false", "0", "off", "no", "não", "nao"), False),
}


_LOW, _HIGH = -(2**63), 2**63 - 1
_INT = re.compile(r"[+-]?[0-9]+")


def _int(value: Any) -> int:
    if not isinstance(value, Number | FormText):
        refuse()
    written = value.strip()
    if not _INT.fullmatch(written) or len(written) > len(str(_LOW)):
        refuse()
    number = int(written)
    return number if _LOW <= number <= _HIGH else refuse()


def _exact(value: Decimal) -> Decimal:
    """Finite, at most 28 digits, exponent within 28 either way (docs/language.md)."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or len(digits) > 28 or abs(exponent) > 28:
        refuse()
    return value


def _decimal(value: Any) -> Decimal:
    if not isinstance(value, str):
        refuse()
    try:
        return _exact(Decimal(value))
    except ArithmeticError:
        refuse()


SCALAR: Schema = {"type": ["string", "number"]}


def scalar_text(value: Any) -> str:
    """Text, or a number as its characters. Raises Mismatch."""
    return str(value) if isinstance(value, str) else refuse()


_decode_text = msgspec.json.Decoder(str).decode
_NUMERIC = frozenset(b"-0123456789")


def raw_scalar(raw: msgspec.Raw) -> str:
    """Text, or a number as its characters, from raw JSON. Raises Mismatch."""
    data = bytes(raw)
    if data[0] == ord('"'):
        return _decode_text(data)
    return data.decode() if data[0] in _NUMERIC else refuse()


def _json(value: Any) -> object:
    match value:
        case FormText():
            found = opened(value)
            return str(value) if found is value else _json(found)
        case Number():
            return _any_number(value)
        case list():
            return [_json(item) for item in value]
        case dict():
            return {key: _json(item) for key, item in value.items()}
        case _:
            return value


def _any_number(value: str) -> int | Decimal:
    try:
        return int(value) if value.lstrip("-").isdigit() else Decimal(value)
    except (ArithmeticError, ValueError) as error:  # an exponent, or digits, beyond what Python takes
        raise Mismatch("a number without measure") from error


def _raw_json(raw: msgspec.Raw) -> object:
    return load_exactly(bytes(raw))


_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def _email(value: Any) -> str:
    text = _text(value).strip()
    if len(text) > 254 or not _EMAIL.fullmatch(text):  # RFC 5321, 4.5.3.1.3
        refuse()
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def _datetime(value: Any) -> datetime:
    """An instant with an offset (RFC 3339), in UTC."""
    try:
        found = datetime.fromisoformat(_text(value))
    except ValueError:
        refuse()
    return _utc(found) if len(_text(value)) > len("2024-01-01") else refuse()


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC) if value.tzinfo is not None else refuse()
    except OverflowError:  # in UTC it lies before the first year or after the last
        refuse()


def _date(value: Any) -> date:
    found = _text(value)
    try:
        return date.fromisoformat(found) if _DATE.fullmatch(found) else refuse()
    except ValueError:
        refuse()


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DURATION = re.compile(r"([0-9]{1,12})(ms|s|m|h|d|w)")
_ISO = re.compile(  # days and parts of a day, as encoders of JSON write a timedelta; no years and months
    r"-?P([0-9]{1,9}D|([0-9]{1,9}D)?T([0-9]{1,9}H([0-9]{1,9}M)?([0-9]{1,12}(\.[0-9]{1,6})?S)?"
    r"|[0-9]{1,9}M([0-9]{1,12}(\.[0-9]{1,6})?S)?|[0-9]{1,12}(\.[0-9]{1,6})?S))"
)
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def _duration(value: Any) -> timedelta:
    """A duration as flows write it (90s, 2h, 3d), or as it leaves in JSON (ISO 8601: PT5400S, -P1D)."""
    written = _text(value)
    try:
        if _ISO.fullmatch(written):
            return msgspec.convert(written, timedelta)
        found = _DURATION.fullmatch(written)
        return timedelta(milliseconds=int(found[1]) * _UNITS[found[2]]) if found else refuse()
    except (OverflowError, msgspec.ValidationError):
        refuse()


def _url(value: Any) -> str:
    """An absolute http or https URL without spaces and control characters."""
    found = _text(value).strip()
    if not _URL.fullmatch(found) or len(found) > 2048:
        refuse()
    return found


_URL = re.compile(r"https?://[^\s/?#@\x00-\x20]+([/?#][^\s\x00-\x1f]*)?", re.IGNORECASE)

_STRING: Schema = {"type": "string"}
_EXACT: Schema = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^-?[0-9]{1,20}(\\.[0-9]{1,8})?$"}]}

text = Kind("text", str, taker("text", _text), _STRING, keeps_empty=True)
boolean = Kind("bool", bool, taker("bool", _bool), {"type": "boolean"})
integer = Kind(
    "int",
    Annotated[int, msgspec.Meta(ge=_LOW, le=_HIGH)],
    taker("int", _int),
    {"type": "integer", "minimum": _LOW, "maximum": _HIGH},
)
decimal = Kind("decimal", Decimal, taker("decimal", _decimal), _EXACT, _exact)
scalar = Kind("text or number", msgspec.Raw, taker("text or number", scalar_text), SCALAR, raw_scalar)
anything = Kind("json", msgspec.Raw, taker("json", _json), {}, _raw_json, keeps_empty=True)
email = Kind("email", str, taker("email", _email), {**_STRING, "format": "email"}, _email)
moment = Kind("datetime", str, taker("datetime", _datetime), {**_STRING, "format": "date-time"}, _datetime)
day = Kind("date", str, taker("date", _date), {**_STRING, "format": "date"}, _date)
_SPAN: Schema = {**_STRING, "pattern": f"^({_DURATION.pattern}|{_ISO.pattern})$"}
span = Kind("duration", str, taker("duration", _duration), _SPAN, _duration)
url = Kind("url", str, taker("url", _url), {**_STRING, "format": "uri"}, _url)
