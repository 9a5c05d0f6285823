"""The types of the language, as values of the compiler."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prim:
    """A type with a name of its own: text, int, bool, decimal, scalar, phone, email, json, duration, secret."""

    name: str


@dataclass(frozen=True, slots=True)
class EnumOf:
    """One of some texts."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """Any number of one type."""

    item: "Type"


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A field of a record: `key` is its name in JSON, `aliases` are other names a flow may read it by."""

    name: str
    type: "Type"
    key: str = ""
    aliases: tuple[str, ...] = ()


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
class Clash:
    """The type of a name that paths which meet have bound to different types: an error where it is used."""


Type = Clash | Prim | EnumOf | ListOf | RecordOf | OptionalOf | NoneType | Unknown

TEXT, INT, BOOL, DECIMAL = Prim("text"), Prim("int"), Prim("bool"), Prim("decimal")
SCALAR, JSON, DURATION, SECRET = Prim("scalar"), Prim("json"), Prim("duration"), Prim("secret")
PHONE, EMAIL = Prim("phone"), Prim("email")

TEXTUAL = frozenset({"text", "scalar", "phone", "email"})
NOMINAL = frozenset({"phone", "email"})


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
        case (OptionalOf(), _) | (_, OptionalOf()):
            inner = _join(required(left), required(right))
            return None if inner is None else optional(inner)
        case _:
            return None


def show(given: Type) -> str:
    """A type as the language writes it."""
    match given:
        case Prim(name):
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
