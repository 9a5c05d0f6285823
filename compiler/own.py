"""The catalog file: what a folder of flows has of its own, as data that is kept in git beside them.

It lists message templates, which people write into it. `check` reads this file and never user code.
"""

import re
from collections.abc import Iterator

import msgspec

from compiler.catalog import Catalog, Template
from compiler.reports import listed
from compiler.types import TEXTUAL

NAME = "seta.catalog.json"
SCHEMA = "seta.catalog-file/1"

Own = Template

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
        _check(entry, line)
        before = first.setdefault(_identity(entry), line)
        if before != line:
            raise CatalogFileError(line, f"{titled(entry)} is in the file already, in line {before}: leave one of them")
        entries.append(entry)
    return known.extended(entries)


def write_catalog_file(catalog: Catalog) -> bytes:
    """The file that says what a catalog has of its own: the same for the same entries, one value a line."""
    entries: list[Own] = [*catalog.templates.values()]
    written = _Written(SCHEMA, sorted(entries, key=_identity))
    return msgspec.json.format(msgspec.json.encode(written), indent=2) + b"\n"


def titled(entry: Own) -> str:
    """An entry as messages name it."""
    return f'the template "{entry.name}"'


def _identity(entry: Own) -> tuple[str, str]:
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
        return msgspec.json.decode(raw, type=Own)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CatalogFileError(line, _told(error)) from error


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


def _check(entry: Own, line: int) -> None:
    """Raise CatalogFileError where an entry cannot be what it says."""
    names = [param.name for param in entry.params]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CatalogFileError(line, f"{titled(entry)} has the parameter {listed(twice)} twice")
    for param in entry.params:
        if param.type not in _PARAM_TYPES:
            kinds = listed(_PARAM_TYPES)
            why = f'the parameter `{param.name}` of {titled(entry)} is of the type "{param.type}"; it may be {kinds}'
            raise CatalogFileError(line, why)
