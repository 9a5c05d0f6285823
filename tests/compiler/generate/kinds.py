"""Types, names and literals that written programs are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hypothesis import strategies as st


@dataclass(frozen=True, slots=True)
class T:
    """A type."""

    name: str
    item: "T | None" = None
    fields: tuple[tuple[str, "T"], ...] = ()
    values: tuple[str, ...] = ()
    optional: bool = False

    def __str__(self) -> str:
        """As the language writes it."""
        return self._required() + ("?" if self.optional else "")

    def _required(self) -> str:
        match self.name:
            case "list":
                return f"[{self.item}]"
            case "record":
                return "{" + ", ".join(f"{name}: {kind}" for name, kind in self.fields) + "}"
            case "enum":
                return " | ".join(quoted(value) for value in self.values)
            case _:
                return self.name


Scope = Mapping[str, T]


def quoted(text: str) -> str:
    """Text as a literal."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("{", "{{"), ("}", "}}")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def required(kind: T) -> T:
    """T of `T?`."""
    return replace(kind, optional=False)


def optional(kind: T) -> T:
    """`T?`."""
    return replace(kind, optional=True)


def lists(item: T) -> T:
    """`[T]`."""
    return T("list", item=item)


INT, DECIMAL, BOOL, TEXT, JSON = T("int"), T("decimal"), T("bool"), T("text"), T("json")
DURATION, DATETIME, DATE, PHONE, CPF = T("duration"), T("datetime"), T("date"), T("phone"), T("cpf")
SIMPLE = (INT, TEXT, BOOL, DECIMAL, DURATION, DATETIME, DATE)
NOMINAL = (PHONE, CPF, T("email"), T("url"), T("cnpj"), T("scalar"))
TEXTUAL = frozenset({"text", "enum", *(kind.name for kind in NOMINAL)})
PERSON = T("person", fields=(("id", TEXT), ("name", optional(TEXT)), ("phone", optional(PHONE))))
CLASH = T("clash")  # of a name that has another type on each path: of no use
ERROR = T("failure", fields=(("code", TEXT), ("message", TEXT), ("step", TEXT), ("attempt", INT)))

_OBJECT = '{"a": [true], "a b": 1.0}'
LITERALS: Mapping[T, tuple[str, ...]] = {
    INT: ("1", "0", "2", "7", "1000", "9223372036854775807"),
    DECIMAL: ("0.5", "2.0", "1.10", "100.25", "0.001", "3.3333333333"),
    BOOL: ("true", "false"),
    DURATION: ("1s", "2h", "1d", "500ms", "3w"),
    DATETIME: ('parse_datetime("2024-02-29T12:00:00-03:00")',),
    DATE: ('parse_date("2024-02-29")',),
    PHONE: ('format_phone("11 98765-4321")',),
    CPF: ('cpf("529.982.247-25")',),
    JSON: ('parse_json("[1, null, 2.50]")', f"parse_json({quoted(_OBJECT)})"),
}

# Names of steps and fields: what Python, the generated module or the language itself could stumble over.
PLAIN_NAMES = ("a", "b", "c", "total", "preço")
NAMES = (*PLAIN_NAMES, "a_2", "class", "count", "given", "p", "ctx", "_", "POST", "type", "q\u0303", "q_", "__init__")

names = st.sampled_from(NAMES)
words = st.sampled_from(["", "ana", "São Paulo", 'diz "oi"', "{x}", "a\nb", "C:\\d", "it's", "🎈"])
_enums = st.lists(st.sampled_from(["site", "anúncio", "a b", "none", 'x"y']), min_size=1, max_size=3, unique=True)
_leaves = st.sampled_from((*SIMPLE, JSON, *NOMINAL)) | _enums.map(lambda values: T("enum", values=tuple(values)))


def _records(kinds: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    fields = st.lists(st.tuples(names, kinds), min_size=1, max_size=3, unique_by=lambda pair: pair[0])
    return fields.map(lambda pairs: T("record", fields=tuple(pairs)))


def _larger(kinds: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    return kinds.map(lambda kind: lists(required(kind))) | _records(kinds | kinds.map(optional))


types = st.recursive(_leaves, _larger, max_leaves=4)


def comparable(kind: T) -> bool:
    """Json is never compared, nor what holds some."""
    inside = (kind.item, *(part for _, part in kind.fields))
    return kind.name not in ("json", "failure") and all(comparable(part) for part in inside if part is not None)


def merged(paths: list[Scope | None]) -> Scope | None:
    """What is known where paths meet: a name is T, or `T?` if some leave it unbound, or of no use. None: it ended."""
    going_on = [path for path in paths if path is not None]
    found: dict[str, T] = {}
    for name in dict.fromkeys(name for path in going_on for name in path):
        kinds = [path[name] for path in going_on if name in path]
        absent = len(kinds) < len(going_on) or any(kind.optional for kind in kinds)
        one = len({required(kind) for kind in kinds}) == 1
        found[name] = (
            (kinds[0] if kinds[0].optional == absent else replace(kinds[0], optional=absent)) if one else CLASH
        )
    return found if going_on else None
