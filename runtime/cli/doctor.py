"""`seta doctor`: whether a server would start here and be well, one line a question."""

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from importlib import metadata
from pathlib import Path
from typing import Final

import apsw
import click
import msgspec

from dsl import summary
from runtime.cli import options, terminal
from runtime.cli.problems import Problem
from runtime.connections import local
from runtime.extend.modules import OwnPythonError
from runtime.folder import FolderError
from runtime.frozen import loaded_python
from runtime.journal import JournalTooNew, NotAJournal, SqliteTooOld
from runtime.journal.database import NAME, check_library
from runtime.journal.disk import MEGABYTE, RESERVE
from runtime.journal.schema import check, newest, versions
from runtime.loader import Loaded, load
from runtime.needs import for_connections, for_flows
from runtime.steps import catalog

SLOW_SYNC: Final = 0.1  # seconds: ten deliveries one after the other take longer than a sender likes to wait

_SYNCS: Final = 20
_TABLES: Final = (local.TABLES,)


class Check(msgspec.Struct, frozen=True):
    """One question and what was found."""

    name: str
    ok: bool
    detail: str


class CheckList(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.doctor/1"):
    """`seta doctor --json`."""

    checks: list[Check]


@click.command("doctor")
@options.flows
@options.data
@options.output("text", "json")
@options.color
def command(*, flows: Path, data: Path, format_: str, color: str) -> None:
    """Look whether a server would start here and be well.

    It looks at versions, flows and their secrets, the disk and the data. The exit code is 1 if something is wrong.
    """
    checks = [*_examine(flows, data)]
    if format_ == "json":
        terminal.show_json(CheckList(checks))
    else:
        _show(checks, color)
    wrong = [one.name for one in checks if not one.ok]
    if wrong:
        raise Problem(f"not well: {', '.join(wrong)}")


def _show(checks: list[Check], color: str) -> None:
    to = terminal.console(color)
    for one in checks:
        mark = terminal.styled("ok   " if one.ok else "wrong", "green" if one.ok else "bold red")
        to.print(mark, terminal.styled(f"{one.name:<11}", "bold"), terminal.styled(one.detail), soft_wrap=True)


def _examine(flows: Path, data: Path) -> Iterator[Check]:
    yield _versions()
    yield from _flows(flows)
    place = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.is_dir())
    yield _asked("disk", lambda: _disk(place))
    yield _asked("fsync", lambda: _fsync(place))
    yield _asked("data", lambda: _data(data))


def _asked(name: str, ask: Callable[[], tuple[bool, str]]) -> Check:
    """What a look at files comes to, also where they cannot be looked at."""
    try:
        return Check(name, *ask())
    except (OSError, apsw.Error, JournalTooNew, NotAJournal) as error:
        return Check(name, ok=False, detail=str(error))


def _versions() -> Check:
    seta, sqlite = "(not installed)", apsw.sqlite_lib_version()
    with suppress(metadata.PackageNotFoundError):
        seta = metadata.version("seta")
    try:
        check_library(sqlite)
    except SqliteTooOld as error:
        return Check("versions", ok=False, detail=str(error))
    return Check("versions", ok=True, detail=f"seta {seta}, Python {platform.python_version()}, SQLite {sqlite}")


def _flows(flows: Path) -> Iterator[Check]:
    try:
        loaded = load(flows, catalog(), loaded_python(flows, catalog()))
    except (FolderError, OwnPythonError) as error:
        yield Check("flows", ok=False, detail=str(error))
        return
    names = ", ".join(sorted(loaded.programs)) or "there is none"
    if loaded.folder.broken:
        yield Check("flows", ok=False, detail=f"{summary(loaded.diagnostics)}: see `seta check`")
    else:
        yield Check("flows", ok=bool(loaded.programs), detail=names)
    yield _secrets(loaded, flows)
    yield _connections(loaded, flows)


def _secrets(loaded: Loaded, flows: Path) -> Check:
    found = for_flows(loaded, flows, os.environ)
    there = ", ".join(found.secrets) or "the flows name none"
    return Check("secrets", ok=not found.missing, detail="; ".join(found.missing) or there)


def _connections(loaded: Loaded, flows: Path) -> Check:
    """Which there are and what their secrets are for; nothing is sent to find out."""
    found = for_connections(loaded, flows, os.environ)
    known = loaded.settings.connections.items()
    told = [f"{name} ({connection.url or 'this server'})" for name, connection in sorted(known)]
    detail = "; ".join(found.missing) or ", ".join(told) or "seta.toml has none"
    return Check("connections", ok=not found.missing, detail=detail)


def _disk(folder: Path) -> tuple[bool, str]:
    status = os.statvfs(folder)
    free, needed = status.f_bavail * status.f_frsize, min(RESERVE, status.f_blocks * status.f_frsize // 10)
    told = f"{free // MEGABYTE} MB are free in {folder}"
    return free >= needed, told if free >= needed else f"{told}: less than {needed // MEGABYTE} MB, so 507 is answered"


def _fsync(folder: Path) -> tuple[bool, str]:
    """How long it takes until a small write is on disk: no answer of 200 comes sooner."""
    times = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(b"\0" * 4096)
            begun = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    middle, longest = statistics.median(times), max(times)
    told = f"{middle * 1000:.1f} ms in the middle, {longest * 1000:.1f} ms at the most"
    return middle < SLOW_SYNC, told


def _data(data: Path) -> tuple[bool, str]:
    path = data / NAME
    if not path.is_file():
        return True, f"there is none in {data} yet"
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        check(connection, _TABLES)
        found = versions(connection, _TABLES)
    told = f"{path.stat().st_size // MEGABYTE} MB, tables of version {'.'.join(map(str, found))}"
    return True, told if found == newest(_TABLES) else f"{told}, which the next start makes newer"
