"""A folder of flows as it lies on the disk: its texts, its seta.toml, its catalog file."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from compiler.catalog import Catalog, Connection
from compiler.check import Environment, origin
from compiler.own import NAME, CatalogFileError, read_catalog_file
from dsl import Diagnostic, Source, read_source
from runtime.connections import declared
from runtime.door.rates import parse_rate


class FolderError(Exception):
    """The folder itself cannot be used: it is not there, or a file that is no flow is wrong. The message says how."""


class HttpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for requests of all flows of a folder."""

    open_hosts: bool = False  # data may choose the host, with `to`


class FolderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`seta.toml` beside the flows."""

    config: dict[str, str] = {}
    secrets: dict[str, str] = {}  # name -> where it is: env:NAME or file:PATH
    region: str = "BR"
    timezone: str = "America/Sao_Paulo"
    connections: dict[str, declared.Connection] = {}
    http: HttpSettings = HttpSettings()
    rates: dict[str, str] = {}  # flow, or * for all others -> how many deliveries it takes: N/s, N/m, N/h

    def __post_init__(self) -> None:
        for rate in self.rates.values():
            parse_rate(rate)

    def environment(self, catalog: Catalog) -> Environment:
        """What flows of the folder are checked against."""
        return Environment(
            catalog,
            frozenset(self.config),
            self.region,
            self.timezone,
            connections=tuple(_as_data(name, connection) for name, connection in self.connections.items()),
            open_hosts=self.http.open_hosts,
        )


def _as_data(name: str, connection: declared.Connection) -> Connection:
    kind = str(connection.__struct_config__.tag)
    redirects = isinstance(connection, declared.Http) and connection.redirects > 0
    return Connection(name, kind, connection.does, connection.idempotent, origin(connection.url), redirects)


def read_flows(path: Path) -> tuple[list[Source], list[Diagnostic]]:
    """The texts of a folder, or of the one around a file; and the problems of what is no text. Raises FolderError."""
    sources: list[Source] = []
    unreadable: list[Diagnostic] = []
    for file in _together(path):
        read = read_source(shown(file), _bytes(file))
        sources.append(read) if isinstance(read, Source) else unreadable.append(read)
    return sources, unreadable


def folder_of(path: Path) -> Path:
    """The folder that a path is in: itself, or for a file the nearest one above with a seta.toml, else its own."""
    if not path.is_file():
        return path
    above = path.absolute().parents
    return next((folder for folder in above if (folder / "seta.toml").is_file()), above[0])


def _together(path: Path) -> list[Path]:
    """The files that are one namespace with a path. Without a seta.toml, a file's are those beside it."""
    folder = folder_of(path)
    if not path.is_file() or (folder / "seta.toml").is_file():
        return flow_files(folder)
    return sorted({path.absolute(), *_files(folder.glob("*.seta"))})


def flow_files(path: Path) -> list[Path]:
    """The `.seta` files of a folder, in order of name. Raises FolderError where there is no such folder."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FolderError(f"there is no folder {path}: name the folder of your flows with --flows")
    return sorted(_files(path.rglob("*.seta")))


def _files(found: Iterable[Path]) -> list[Path]:
    return [path for path in found if not path.is_dir()]  # `.seta/` is the data directory


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise FolderError(f"{file} cannot be read: {error.strerror}") from error


def shown(file: Path) -> str:
    """A path as messages show it: from the working directory where the file lies below it."""
    absolute = file.absolute()
    here = Path.cwd()
    return absolute.relative_to(here).as_posix() if absolute.is_relative_to(here) else file.as_posix()


def folder_settings(path: Path) -> FolderSettings:
    """The `seta.toml` of a folder, or the defaults. Raises FolderError."""
    file = folder_of(path) / "seta.toml"
    if not file.is_file():
        return FolderSettings()
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        declared.check(tables.get("connections", {}))
        return msgspec.convert(tables, FolderSettings)
    except (UnicodeDecodeError, ValueError) as error:  # msgspec's and tomllib's are ValueErrors
        raise FolderError(f"{shown(file)}: {error}") from error


def folder_catalog(path: Path, known: Catalog) -> Catalog:
    """What is known, with what the catalog file of a folder adds. Raises FolderError."""
    file = folder_of(path) / NAME
    if not file.is_file():
        return known
    try:
        return read_catalog_file(_bytes(file), known)
    except CatalogFileError as error:
        raise FolderError(f"{shown(file)}:{error.line}: {error.message}") from error
