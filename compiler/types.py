"""The types of the language, as values of the compiler."""

from dataclasses import dataclass, field, replace
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Prim:
    """A type with a name of its own: text, int, phone, datetime, json, secret and the like.

    Ranges hold at the door and `pii` is a qualifier: neither makes another type.
    """

    name: str
    low: int | None = field(default=None, compare=False)
    high: int | None = field(default=None, compare=False)
    pii: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class EnumOf:
    """One of some texts."""

    values: tuple[str, ...]
    pii: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class ListOf:
    """Any number of one type."""

    item: "Type"


@dataclass(frozen=True, slots=True)
class Written:
    """A value as JSON, for who reads it as the type that it is of."""

    json: str


Default = str | int | Decimal | Written | None


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A field of a record: `key` is its name in JSON, `aliases` are other names a flow may read it by.

    `doc` is what was written about it. `default` stands for a value that JSON does not have; the type is that of a
    value which is there.
    """

    name: str
    type: "Type"
    key: str = field(default="", compare=False)  # where it is read from, no part of what it is
    aliases: tuple[str, ...] = ()
    doc: str = field(default="", compare=False)
    default: Default = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class RecordOf:
    """A record; one with a `name` is nominal, an entity of the catalog."""

    fields: tuple[FieldOf, ...]
    name: str = ""

    def field(self, name: str) -> FieldOf | None:
        """The field of that name or alias."""
        return next((f for f in self.fields if f.name == name or name in f.aliases), None)


@dataclass(frozen=True, slots=True)
class OptionalOf:
    """A value or its absence; never of another optional (see `optional`)."""

    inner: "Type"


@dataclass(frozen=True, slots=True)
class NoneType:
    """The type of `none`."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The type of what was reported already: it fits everywhere, so that one mistake is one report."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A type that a call of a generic function decides, such as `T` in `first(xs: [T]): T?`."""

    name: str


@dataclass(frozen=True, slots=True)
class Clash:
    """The type of a name that paths which meet have bound to different types: an error where it is used."""


Type = Clash | Variable | Prim | EnumOf | ListOf | RecordOf | OptionalOf | NoneType | Unknown

TEXT, INT, BOOL, DECIMAL = Prim("text"), Prim("int"), Prim("bool"), Prim("decimal")
SCALAR, JSON, DURATION, SECRET = Prim("scalar"), Prim("json"), Prim("duration"), Prim("secret")
PHONE, EMAIL, CPF, CNPJ = (Prim(name, pii=True) for name in ("phone", "email", "cpf", "cnpj"))
URL, DATETIME, DATE = Prim("url"), Prim("datetime"), Prim("date")
PII_TEXT = Prim("text", pii=True)

TEXTUAL = frozenset({"text", "scalar", "phone", "email", "url", "cpf", "cnpj"})


def is_pii(given: "Type") -> bool:
    """Whether a value of the type carries personal data."""
    match given:
        case Prim(pii=pii) | EnumOf(pii=pii):
            return pii
        case OptionalOf(inner) | ListOf(inner):
            return is_pii(inner)
        case RecordOf(fields):
            return any(is_pii(f.type) for f in fields)
        case _:
            return False


def with_pii(given: "Type") -> "Type":
    """The type, qualified as personal."""
    match given:
        case Prim() | EnumOf():
            return replace(given, pii=True)
        case OptionalOf(inner):
            return OptionalOf(with_pii(inner))
        case ListOf(item):
            return ListOf(with_pii(item))
        case RecordOf(fields):
            return replace(given, fields=tuple(replace(f, type=with_pii(f.type)) for f in fields))
        case _:
            return given


def optional(inner: Type) -> Type:
    """`T?`; of an optional, itself."""
    return inner if isinstance(inner, OptionalOf | NoneType | Unknown) else OptionalOf(inner)


def required(given: Type) -> Type:
    """T of `T?`."""
    return given.inner if isinstance(given, OptionalOf) else given


def is_text(given: Type) -> bool:
    """Whether a value is usable as text."""
    return isinstance(given, EnumOf) or (isinstance(given, Prim) and given.name in TEXTUAL)


def fits(given: Type, wanted: Type) -> bool:  # noqa: C901, PLR0912  # the table of what fits where
    """Whether a value of one type may stand where another is needed."""
    match given, wanted:
        case (Unknown(), _) | (_, Unknown()):
            return True
        case _ if given == wanted:
            return True
        case _, Variable():
            return not isinstance(given, OptionalOf | NoneType)
        case NoneType(), OptionalOf():
            return True
        case OptionalOf(inner), OptionalOf(needed):
            return fits(inner, needed)
        case _, OptionalOf(needed):
            return fits(given, needed)
        case OptionalOf(), _:
            return wanted == JSON
        case _, Prim("json"):
            return given != SECRET
        case _, Prim("text"):
            return is_text(given)
        case Prim("int"), Prim("decimal"):
            return True
        case ListOf(item), ListOf(needed):
            return fits(item, needed)
        case RecordOf(), RecordOf(name=""):
            return _record_fits(given, wanted)
        case _:
            return False


def _record_fits(given: RecordOf, wanted: RecordOf) -> bool:
    for needed in wanted.fields:
        found = given.field(needed.name)
        if found is None and not isinstance(needed.type, OptionalOf):
            return False
        if found is not None and not fits(found.type, needed.type):
            return False
    return True


def join(types: list[Type]) -> Type | None:
    """The one type that all of some values have, or None where they have none in common."""
    joined: Type | None = Unknown()
    for given in types:
        joined = None if joined is None else _join(joined, given)
    return joined


def _join(left: Type, right: Type) -> Type | None:
    match left, right:
        case Unknown(), _:
            return right
        case _, Unknown():
            return left
        case _ if left == right:
            return left
        case (NoneType(), other) | (other, NoneType()):
            return optional(other)
        case ListOf(a), ListOf(b):
            item = _join(a, b)
            return None if item is None else ListOf(item)
        case (OptionalOf(), _) | (_, OptionalOf()):
            inner = _join(required(left), required(right))
            return None if inner is None else optional(inner)
        case _:
            return None


def bind(wanted: Type, given: Type, bound: dict[str, Type]) -> bool:
    """Whether a value fits a type with variables; notes what the variables then stand for."""
    match wanted, given:
        case Variable(name), _ if not isinstance(given, OptionalOf | NoneType):
            before = bound.get(name)
            joined = given if before is None else join([before, given])
            bound[name] = joined if joined is not None else JSON
            return joined is not None
        case ListOf(item), ListOf(found):
            return bind(item, found, bound)
        case OptionalOf(inner), OptionalOf(found):
            return bind(inner, found, bound)
        case OptionalOf(inner), _:
            return isinstance(given, NoneType) or bind(inner, given, bound)
        case _:
            return fits(given, wanted)


def substitute(given: Type, bound: dict[str, Type]) -> Type:
    """A type with its variables replaced; one that nothing decided is json."""
    match given:
        case Variable(name):
            return bound.get(name, JSON)
        case ListOf(item):
            return ListOf(substitute(item, bound))
        case OptionalOf(inner):
            return optional(substitute(inner, bound))
        case _:
            return given


def show(given: Type) -> str:
    """A type as the language writes it."""
    match given:
        case Prim(name) | Variable(name):
            return name
        case EnumOf(values):
            return " | ".join(f'"{value}"' for value in values)
        case ListOf(item):
            return f"[{show(item)}]"
        case RecordOf(fields, name):
            return name or "{" + ", ".join(f"{f.name}: {show(f.type)}" for f in fields) + "}"
        case OptionalOf(inner):
            return f"{show(inner)}?"
        case NoneType():
            return "none"
        case Unknown() | Clash():
            return "unknown"
