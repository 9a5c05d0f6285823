"""The catalog file: what a folder of flows has of its own, as data that is kept in git beside them.

It lists message templates, which people write into it, and the signatures of the folder's own Python, which `seta
catalog --write` puts there. `check` reads this file and never user code.
"""

import re
from collections.abc import Iterable, Iterator
from unicodedata import is_normalized

import msgspec
from msgspec.structs import replace

from compiler.catalog import Catalog, Function, Template, Verb
from compiler.check.written import NAMED, catalog_type
from compiler.reports import listed
from compiler.scope import ROOTS
from compiler.types import SECRET, TEXTUAL, ListOf, OptionalOf, RecordOf, Type, Variable
from dsl import WORDS

NAME = "seta.catalog.json"
SCHEMA = "seta.catalog-file/1"

Own = Function | Verb | Template
Python = Function | Verb

_OURS = frozenset((*ROOTS, *NAMED, "as_json", "exact", "setting"))  # the last three: calls of the compiler
_NAME = re.compile(r"[^\W\d]\w*")
_FILES = ("header.image", "header.video", "header.document")
_LOCATION = "header.location."
_POINT = (f"{_LOCATION}latitude", f"{_LOCATION}longitude")
_LOCATED = (*_POINT, f"{_LOCATION}name", f"{_LOCATION}address")
_PARTS = ("header.text", *_FILES, *_LOCATED, "button.N.url", "button.N.payload", "button.N.code")
_PART = re.compile(
    r"(?:header\.(?:text|image|video|document|location\.(?:latitude|longitude|name|address))|button\.[0-9]\.(?:url|payload|code))?"
)
_PLACED = re.compile(r"\.[a-z]+\Z")  # after it, a header and a button are there once
_PARAM_TYPES = (*sorted(TEXTUAL), "int", "decimal")


class CatalogFileError(Exception):
    """The catalog file cannot be used; `line` (from 1) says where it is wrong, the message what to do."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


class _Head(msgspec.Struct):
    schema: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    schema: str
    entries: list[msgspec.Raw]


class _Written(msgspec.Struct):
    schema: str
    entries: list[Own]


def read_catalog_file(data: bytes, known: Catalog) -> Catalog:
    """A catalog with what the file adds to it. Raises CatalogFileError."""
    entries: list[Own] = []
    first: dict[tuple[str, str], int] = {}
    for line, raw in _entries(data):
        entry = _decoded(raw, line)
        if (wrong := problem(entry, known)) is not None:
            raise CatalogFileError(line, wrong)
        before = first.setdefault(_identity(entry), line)
        if before != line:
            raise CatalogFileError(line, f"{titled(entry)} is in the file already, in line {before}: leave one of them")
        entries.append(entry)
    return known.extended(entries)


def own_entries(catalog: Catalog) -> list[Own]:
    """What a catalog has of its folder's own, in order of kind and name."""
    python = [entry for table in (catalog.functions, catalog.verbs) for entry in table.values() if entry.own]
    return sorted([*python, *catalog.templates.values()], key=_identity)


def write_catalog_file(entries: Iterable[Own]) -> bytes:
    """The file that lists entries: the same for the same entries, one value a line."""
    bare = (replace(entry, own=False) if isinstance(entry, Python) else entry for entry in entries)
    written = _Written(SCHEMA, sorted(bare, key=_identity))
    return msgspec.json.format(msgspec.json.encode(written), indent=2) + b"\n"


def titled(entry: Own) -> str:
    """An entry as messages name it."""
    match entry:
        case Function():
            return f"the function `{entry.name}`"
        case Verb():
            return f"the verb `{entry.title}`"
        case Template():
            return f'the template "{entry.name}"'


def _identity(entry: Own) -> tuple[str, str]:
    match entry:
        case Function():
            return "function", entry.name
        case Verb():
            return "verb", entry.title
        case Template():
            return "template", entry.name


def _entries(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each entry and the line in which it begins."""
    try:
        head = msgspec.json.decode(data, type=_Head)
        if head.schema != SCHEMA:
            said = f'the schema is "{head.schema}"' if head.schema else "the file does not say its schema"
            raise CatalogFileError(1, f'{said}; this version of Seta reads "schema": "{SCHEMA}"')
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CatalogFileError(_line_of(error, data), _told(error)) from error
    at = 0
    for raw in map(bytes, file.entries):
        at = data.index(raw, at)
        yield data.count(b"\n", 0, at) + 1, raw
        at += len(raw)


def _decoded(raw: bytes, line: int) -> Own:
    try:
        entry: Own = msgspec.json.decode(raw, type=Own)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CatalogFileError(line, _told(error)) from error
    return replace(entry, own=True) if isinstance(entry, Python) else entry


_PLACE = re.compile(r"(?P<what>.*) - at `\$\.?(?P<where>.+)`", re.DOTALL)
_BYTE = re.compile(r" \(byte (\d+)\)")


def _told(error: Exception) -> str:
    """The message of msgspec, with the place inside the entry first; of bytes, people are told the line."""
    text = _BYTE.sub("", str(error))
    found = _PLACE.fullmatch(text)
    return f"at {found['where']}: {found['what']}" if found else text


def _line_of(error: Exception, data: bytes) -> int:
    found = _BYTE.search(str(error))
    return data.count(b"\n", 0, int(found[1])) + 1 if found else 1


# --- what an entry may not be


def problem(entry: Own, known: Catalog) -> str | None:
    """What keeps an entry from being used beside what is known, in words; None where nothing does."""
    names = [param.name for param in (entry.fields if isinstance(entry, Verb) else entry.params)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        return f"{titled(entry)} has the parameter {listed(twice)} twice"
    match entry:
        case Function():
            return _of_function(entry, known)
        case Verb():
            return _of_verb(entry, known)
        case Template():
            return _of_template(entry)


def _of_template(template: Template) -> str | None:
    for param in template.params:
        if param.type not in _PARAM_TYPES:
            kinds = listed(_PARAM_TYPES)
            return f"{_typed(template, param.name, param.type)}; it may be {kinds}"
        if not _PART.fullmatch(param.part):
            said = f'the parameter `{param.name}` of {titled(template)} goes into "{param.part}"'
            return f"{said}; it may be {listed(_PARTS)}, or nothing for the body"
        if param.part in _FILES and param.type != "url":
            return f'{_typed(template, param.name, param.type)}; a file is a "url"'
    places = list(_places([param.part for param in template.params if param.part]))
    if any(place.startswith(_LOCATION) for place in places) and not {*_POINT} <= {*places}:
        return f"{titled(template)} has a location without latitude or longitude"
    if twice := sorted({place for place in places if places.count(place) > 1}):
        return f"{titled(template)} has more than one parameter for its {listed(twice)}"
    return None


def _places(parts: list[str]) -> Iterator[str]:
    """Where parameters go, as often as they go there; a location is one header, of several parameters."""
    yield from (part if part.startswith(_LOCATION) else _PLACED.sub("", part) for part in parts)
    if any(part.startswith(_LOCATION) for part in parts):
        yield "header"


def _of_function(function: Function, known: Catalog) -> str | None:
    name = function.name
    if (unfit := _unfit(name, "function")) is not None:
        return f"{titled(function)} cannot be called so: {unfit}"
    if name in known.functions or name in known.entities:
        return f"{titled(function)} cannot be called so: the catalog has it already; choose another name"
    for param in function.params:
        if _type(param.type, known) is None:
            return f"{_typed(function, param.name, param.type)}, which is none"
    result = _type(function.result, known)
    if result is None or not _has_shape(result):
        return f'{titled(function)} gives "{function.result}", which is no type of a value that can be given'
    return None


def _of_verb(verb: Verb, known: Catalog) -> str | None:
    if (unfit := _unfit(verb.verb, "verb") or (verb.noun and _unfit(verb.noun, "noun"))) is not None and unfit:
        return f"{titled(verb)} cannot be called so: {unfit}"
    if verb.title in known.verbs:
        return f"{titled(verb)} cannot be called so: the catalog has it already; choose another name"
    if verb.with_ not in ("", "exact") or verb.literal or verb.infers_fields or verb.connection:
        return f"{titled(verb)} has what no own verb has: run `seta catalog --write`"
    if any(slot.clause not in ("by", "to") for slot in verb.slots):
        return f"{titled(verb)} has a slot that is neither `by` nor `to`"
    taken = [*((f.name, f.type) for f in verb.fields), *((s.clause, kind) for s in verb.slots for kind in s.types)]
    for name, kind in taken:
        if (found := _type(kind, known)) is None or not _has_shape(found):
            return f"{_typed(verb, name, kind)}, which no own verb takes"
    result = _type(verb.result, known) if verb.result else NAMED["json"]
    if result is None or not _has_shape(result):
        return f'{titled(verb)} gives "{verb.result}", which is no type of a value that can be given'
    return None


def _typed(entry: Own, param: str, kind: str) -> str:
    return f'the parameter `{param}` of {titled(entry)} is of the type "{kind}"'


def _unfit(name: str, what: str) -> str | None:
    """Why a name is none for a function, a verb or a noun."""
    if not _NAME.fullmatch(name) or not is_normalized("NFC", name):
        return "a name has letters, digits and `_`, and does not begin with a digit"
    if name in WORDS:
        return f"`{name}` is a word of the language; choose another name"
    if name in _OURS:
        return f"`{name}` means something else in flows; choose another name for the {what}"
    return None


def _type(written: str, known: Catalog) -> Type | None:
    try:
        return catalog_type(written, known)
    except ValueError:
        return None


def _has_shape(kind: Type) -> bool:
    """Whether a value of a type can be read from JSON and checked."""
    match kind:
        case OptionalOf(inner) | ListOf(inner):
            return _has_shape(inner)
        case RecordOf(fields, name):
            return not name and all(_has_shape(field.type) for field in fields)
        case _:
            return not isinstance(kind, Variable) and kind != SECRET
