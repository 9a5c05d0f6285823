"""Payload types at the door: decode a body straight into a struct, or say all that does not fit.

The fast way is msgspec's: one generated struct a record type, checked while it is decoded. Only a body that the fast
way refuses goes the slow way, which reads the whole of it and collects every problem.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NoReturn

import msgspec

from runtime.failures import StepFailure


class NotJsonError(Exception):
    """The body is not JSON text; the message says why."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One place of a body that does not fit; `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    expected: str
    got: str


class MisfitError(Exception):
    """The body is JSON, but not what the flow declares."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(f"{p.pointer or '/'} should be {p.expected}, is {p.got}" for p in self.problems)


class Number(str):
    """A JSON number as its source characters."""

    __slots__ = ()


class _Mismatch(ValueError):  # noqa: N818  # never leaves this module: msgspec turns it into its own error
    """A value that a slot refuses."""


Take = Callable[[Any, str, list[Problem]], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value.

    `annotation` is what msgspec decodes and `refine` finishes it inside the struct, raising ValueError where it does
    not fit. `take` does both for a value read the slow way (numbers as `Number`) and notes problems instead.
    """

    name: str
    annotation: Any
    take: Take
    refine: Callable[[Any], Any] | None = None
    keeps_empty: bool = False  # empty text is a value here, not absence


def describe(value: object) -> str:
    """A JSON value in words, never its content: that may be personal."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Number():
            return "a number"
        case str():
            return "text" if value else "empty text"
        case list():
            return "an array"
        case _:
            return "an object"


def _refuse() -> NoReturn:
    raise _Mismatch("does not fit")


def _taker(name: str, convert: Callable[[Any], Any]) -> Take:
    def take(value: object, pointer: str, problems: list[Problem]) -> object:
        try:
            return convert(value)
        except ValueError:
            problems.append(Problem(pointer, name, describe(value)))
            return None

    return take


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, Number)


def _text(value: Any) -> str:
    return str(value) if _is_text(value) else _refuse()


def _bool(value: Any) -> bool:
    return value if isinstance(value, bool) else _refuse()


_LOW, _HIGH = -(2**63), 2**63 - 1


def _int(value: Any) -> int:
    if not isinstance(value, Number) or not value.lstrip("-").isdigit() or len(value) > len(str(_LOW)):
        _refuse()
    number = int(value)
    return number if _LOW <= number <= _HIGH else _refuse()


def _exact(value: Decimal) -> Decimal:
    """Finite, at most 28 digits, exponent within 28 either way (docs/language.md)."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or len(digits) > 28 or abs(exponent) > 28:
        _refuse()
    return value


def _decimal(value: Any) -> Decimal:
    if not isinstance(value, str):
        _refuse()
    try:
        return _exact(Decimal(value))
    except ArithmeticError:
        _refuse()


def _scalar(value: Any) -> str:
    return str(value) if isinstance(value, str) else _refuse()


_decode_text = msgspec.json.Decoder(str).decode
_NUMERIC = frozenset(b"-0123456789")


def _raw_scalar(raw: msgspec.Raw) -> str:
    data = bytes(raw)
    if data[0] == ord('"'):
        return _decode_text(data)
    return data.decode() if data[0] in _NUMERIC else _refuse()


def _json(value: Any) -> object:
    match value:
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
        raise _Mismatch("a number without measure") from error


def _raw_json(raw: msgspec.Raw) -> object:
    return _json(_loads(bytes(raw)))


_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def _email(value: Any) -> str:
    text = _text(value).strip()
    if len(text) > 254 or not _EMAIL.fullmatch(text):  # RFC 5321, 4.5.3.1.3
        _refuse()
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def _datetime(value: Any) -> datetime:
    """An instant with an offset (RFC 3339), in UTC."""
    try:
        found = datetime.fromisoformat(_text(value))
    except ValueError:
        _refuse()
    return _utc(found) if len(_text(value)) > len("2024-01-01") else _refuse()


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC) if value.tzinfo is not None else _refuse()


def _date(value: Any) -> date:
    found = _text(value)
    try:
        return date.fromisoformat(found) if _DATE.fullmatch(found) else _refuse()
    except ValueError:
        _refuse()


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DURATION = re.compile(r"(\d{1,12})(ms|s|m|h|d|w)", re.ASCII)
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def _duration(value: Any) -> timedelta:
    """A duration as flows write it: 90s, 2h, 3d."""
    found = _DURATION.fullmatch(_text(value))
    if found is None:
        _refuse()
    try:
        return timedelta(milliseconds=int(found[1]) * _UNITS[found[2]])
    except OverflowError:
        _refuse()


def _url(value: Any) -> str:
    """An absolute http or https URL without spaces and control characters."""
    found = _text(value).strip()
    if not _URL.fullmatch(found) or len(found) > 2048:
        _refuse()
    return found


_URL = re.compile(r"https?://[^\s/?#@\x00-\x20]+([/?#][^\s\x00-\x1f]*)?", re.IGNORECASE)

text = Kind("text", str, _taker("text", _text), keeps_empty=True)
boolean = Kind("bool", bool, _taker("bool", _bool))
integer = Kind(
    "int",
    Annotated[int, msgspec.Meta(ge=_LOW, le=_HIGH)],
    _taker("int", _int),
)
decimal = Kind("decimal", Decimal, _taker("decimal", _decimal), _exact)
scalar = Kind("text or number", msgspec.Raw, _taker("text or number", _scalar), _raw_scalar)
anything = Kind("json", msgspec.Raw, _taker("json", _json), _raw_json, keeps_empty=True)
email = Kind("email", str, _taker("email", _email), _email)
moment = Kind("datetime", str, _taker("datetime", _datetime), _datetime)
day = Kind("date", str, _taker("date", _date), _date)
span = Kind("duration", str, _taker("duration", _duration), _duration)
url = Kind("url", str, _taker("url", _url), _url)


def ranged(kind: Kind, low: int | None, high: int | None) -> Kind:
    """Text of a length, or a number of a size, within bounds that belong to it."""
    size: Callable[[Any], Any] = len if kind.annotation is str else lambda value: value
    name = f"{kind.name}({'' if low is None else low}..{'' if high is None else high})"

    def bounded(value: Any) -> Any:
        found = size(value)
        return value if (low is None or found >= low) and (high is None or found <= high) else _refuse()

    def refine(value: Any) -> Any:
        return bounded(kind.refine(value) if kind.refine is not None else value)

    def take(value: Any, pointer: str, problems: list[Problem]) -> Any:
        before = len(problems)
        taken = kind.take(value, pointer, problems)
        if len(problems) > before:
            return None
        return _taker(name, lambda _: bounded(taken))(value, pointer, problems)

    return Kind(name, kind.annotation, take, refine, kind.keeps_empty)


def nominal(name: str, canonical: Callable[[str], str]) -> Kind:
    """Text or a number that `canonical` brings into the type's one form, or refuses with StepFailure."""

    def convert(value: str) -> str:
        try:
            return canonical(value)
        except StepFailure as failure:
            raise _Mismatch(failure.message) from failure

    return Kind(
        name,
        msgspec.Raw,
        _taker(name, lambda value: convert(_scalar(value))),
        lambda raw: convert(_raw_scalar(raw)),
    )


def enum(*values: str) -> Kind:
    """One of some texts."""
    name = " | ".join(json.dumps(value, ensure_ascii=False) for value in values)
    allowed = frozenset(values)

    def convert(value: Any) -> str:
        return str(value) if _is_text(value) and value in allowed else _refuse()

    return Kind(name, Literal[values], _taker(name, convert), keeps_empty="" in allowed)


def array(item: Kind) -> Kind:
    """Any number of one kind."""
    name = f"array of {item.name}"
    refine_item = item.refine

    def take(value: Any, pointer: str, problems: list[Problem]) -> object:
        if not isinstance(value, list):
            problems.append(Problem(pointer, name, describe(value)))
            return None
        return [item.take(part, f"{pointer}/{index}", problems) for index, part in enumerate(value)]

    def refine(values: list[Any]) -> list[Any]:
        return [refine_item(value) for value in values] if refine_item else values

    annotation = list.__class_getitem__(item.annotation)
    return Kind(name, annotation, take, refine if refine_item else None)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record: `name` in the flow, `key` in the JSON.

    A `lenient` field never rejects a body: a value that does not fit counts as absent, and is noted.
    """

    name: str
    key: str
    kind: Kind
    required: bool = True
    default: Any = None
    lenient: bool = False

    def absent(self, value: object) -> bool:
        """Whether this value, read the slow way, counts as none at all."""
        return value is None or (value == "" and not self.kind.keeps_empty)


def field(  # noqa: PLR0913  # all but two are optional
    name: str, kind: Kind, *, key: str = "", required: bool = True, default: Any = None, lenient: bool = False
) -> Field:
    """A field, as generated code writes it."""
    return Field(name, key or name, kind, required, default, lenient)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A payload and the pointers of the lenient fields that were left out."""

    payload: Any
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """A record type at the door."""

    name: str
    fields: tuple[Field, ...]
    struct: type[msgspec.Struct]
    plain: Callable[..., Any]  # the same struct without refinement, for values that are final
    _decode: Callable[[bytes], Any]

    @property
    def keys(self) -> tuple[str, ...]:
        """The JSON keys that are read from the top of a body."""
        return tuple(field.key for field in self.fields)

    def decode(self, body: bytes) -> Decoded:
        """Decode a body that was screened for depth.

        Raises:
            NotJsonError: it is not JSON.
            MisfitError: with every problem there is.
        """
        try:
            return Decoded(self._decode(body))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return self._decode_slowly(body)

    def take(self, value: Any, pointer: str, problems: list[Problem]) -> Any:
        """The struct from a value read the slow way; problems are noted, and then the struct is of no use."""
        if not isinstance(value, Mapping):
            problems.append(Problem(pointer, "object", describe(value)))
            return None
        return {field.name: _take_field(field, value, pointer, problems) for field in self.fields}

    def kind(self) -> Kind:
        """This record as the type of a field."""

        def take(value: Any, pointer: str, problems: list[Problem]) -> Any:
            before = len(problems)
            taken = self.take(value, pointer, problems)
            return None if len(problems) > before else self.plain(**taken)

        return Kind("object", self.struct, take)

    def _decode_slowly(self, body: bytes) -> Decoded:
        value = _loads(body)
        problems: list[Problem] = []
        taken = self.take(value, "", problems)
        left_out = {f"/{_escaped(field.key)}" for field in self.fields if field.lenient}
        hard = [problem for problem in problems if not _under(problem.pointer, left_out)]
        if hard:
            raise MisfitError(hard)
        return Decoded(self.plain(**taken), tuple(problem.pointer for problem in problems))


def _under(pointer: str, roots: set[str]) -> bool:
    return "/" + pointer[1:].partition("/")[0] in roots


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _take_field(field: Field, value: Mapping[str, Any], pointer: str, problems: list[Problem]) -> object:
    given = value.get(field.key)
    here = f"{pointer}/{_escaped(field.key)}"
    if not field.absent(given):
        return field.kind.take(given, here, problems)
    if field.required:
        got = describe(given) if field.key in value else "nothing"
        problems.append(Problem(here, field.kind.name, got))
    return field.default


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJsonError("an object has the same key twice")
    return found


_strict = msgspec.json.Decoder(float_hook=str).decode


def _no_constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is not a JSON value")


def _loads(body: bytes) -> Any:
    """Read JSON with numbers as their source characters.

    Raises:
        NotJsonError: it is not JSON, or an object has a key twice.
    """
    try:
        value = json.loads(
            body.decode(),
            parse_int=Number,
            parse_float=Number,
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
        )
        _strict(body)  # refuses what Python's reader lets through: lone surrogates
    except UnicodeDecodeError as error:
        raise NotJsonError(f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except msgspec.MsgspecError as error:
        raise NotJsonError(str(error).removeprefix("JSON is malformed: ")) from error
    return value


def reader(kind: Kind) -> Callable[[bytes], Any]:
    """Reads JSON that must be of a kind. What it gives raises NotJsonError and MisfitError."""

    def read(body: bytes) -> Any:
        problems: list[Problem] = []
        value = kind.take(_loads(body), "", problems)
        if problems:
            raise MisfitError(problems)
        return value

    return read


def check_unique_keys(body: bytes) -> None:
    """Raise NotJsonError where any object of a body has the same key twice."""
    _loads(body)


def _finisher(fields: tuple[Field, ...]) -> Callable[[Any], None] | None:
    """What the struct does after msgspec filled it: refine values, put defaults for null and for empty text."""
    steps = [
        (f.name, f.kind.refine, f.kind.annotation is msgspec.Raw, f)
        for f in fields
        if f.kind.refine is not None or not f.kind.keeps_empty or f.default is not None
    ]
    if not steps:
        return None

    def finish(self: Any) -> None:
        for name, refine, raw, field in steps:
            value = getattr(self, name)
            if value is None or value == "" or (raw and bytes(value) in (b"null", b'""')):
                _put_absent(self, field, value)
            elif refine is not None:
                setattr(self, name, refine(value))

    return finish


def _put_absent(struct: Any, field: Field, value: Any) -> None:
    """Absence becomes the default; `json` keeps null and empty text as they are."""
    if value == "" and field.kind.keeps_empty:
        return
    if isinstance(value, msgspec.Raw) and field.kind.keeps_empty and bytes(value) != b"null":
        setattr(struct, field.name, "")
        return
    if field.required:
        _refuse()
    setattr(struct, field.name, field.default)


def whole(name: str, kind: Kind) -> Shape:
    """A payload that is the whole body, under one name."""
    read = reader(kind)
    struct = msgspec.defstruct(name or "Payload", [(name, Any)], gc=False)

    def decode(body: bytes) -> Any:
        return struct(read(body))

    return _Whole(name, (Field(name, "", kind),), struct, struct, decode)


@dataclass(frozen=True, slots=True)
class _Whole(Shape):
    """Always read the slow way: what does not fit is told then and there."""

    @property
    def keys(self) -> tuple[str, ...]:
        """No key of the body has a meaning of its own: repeats are found while reading."""
        return ()

    def decode(self, body: bytes) -> Decoded:
        """As for any shape."""
        return Decoded(self._decode(body))


def record(name: str, *fields: Field) -> Shape:
    """A record type from its fields."""
    parts: list[Any] = []
    for f in fields:
        if f.required:
            parts.append((f.name, f.kind.annotation))
        elif f.kind.annotation is msgspec.Raw:
            parts.append((f.name, msgspec.Raw, f.default))
        else:
            parts.append((f.name, f.kind.annotation | None, f.default))
    finish = _finisher(fields)
    rename = {f.name: f.key for f in fields}
    plain = msgspec.defstruct(name, parts, kw_only=True, gc=False, rename=rename)
    struct = plain
    if finish is not None:
        namespace = {"__post_init__": finish}
        struct = msgspec.defstruct(name, parts, kw_only=True, gc=False, rename=rename, namespace=namespace)
    return Shape(name, fields, struct, plain, msgspec.json.Decoder(struct).decode)
