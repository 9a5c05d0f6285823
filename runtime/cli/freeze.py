"""`seta catalog --write` and `--check`: the signatures of the folder's Python, in the file that is kept in git."""

from collections import Counter
from pathlib import Path

import click

from compiler.own import NAME, Own, write_catalog_file
from runtime.cli.mend import replace_file
from runtime.cli.problems import Problem
from runtime.extend.modules import OwnPythonError
from runtime.folder import FolderError
from runtime.frozen import differences, in_file_and_python, together
from runtime.steps import catalog


def write(flows: Path) -> None:
    """Put what the Python says into the file; its templates stay."""
    put(flows / NAME, together(*_read(flows)))


def put(file: Path, entries: list[Own]) -> None:
    """Write a catalog file, where that changes it, and say what it lists. Raises Problem."""
    data = write_catalog_file(entries)
    before = file.read_bytes() if file.is_file() else b""
    if data == before or not (entries or before):
        click.echo(f"nothing to write: {_counted(entries)}")
        return
    try:
        if not before:
            file.touch()
        replace_file(file, data)
    except OSError as error:
        raise Problem(f"{file.as_posix()} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {file.as_posix()}: {_counted(entries)}")


def check(flows: Path) -> None:
    """Say what the file has otherwise than the Python, and end with exit code 1 where it has anything."""
    file, (listed, found) = flows / NAME, _read(flows)
    problems, entries = differences(listed, found), together(listed, found)
    before = file.read_bytes() if file.is_file() else b""
    if not problems and (entries or before) and write_catalog_file(entries) != before:
        problems = [f"{file.as_posix()} is not laid out as `seta catalog --write` does"]
    if problems:
        raise Problem("\n".join(problems))
    click.echo(f"as it should be: {_counted(entries)}")


def _read(flows: Path) -> tuple[list[Own], list[tuple[Own, str]]]:
    try:
        return in_file_and_python(flows, catalog())
    except (FolderError, OwnPythonError) as error:
        raise Problem(str(error)) from error


def _counted(entries: list[Own]) -> str:
    """What there is, in words: 1 function, 2 templates."""
    kinds = Counter(type(entry).__name__.lower() for entry in entries)
    parts = [f"{number} {kind}{'s' if number > 1 else ''}" for kind, number in sorted(kinds.items())]
    return ", ".join(parts) or "the folder has neither Python nor templates of its own"
