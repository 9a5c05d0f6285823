"""`seta fmt`: lay flows out in the one way there is."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Final

import click

from dsl import Diagnostic, Source, format_text, read_source
from runtime.cli import options
from runtime.cli.mend import replace_file
from runtime.cli.problems import Problem, is_colored, refuse
from runtime.cli.terminal import clean
from runtime.folder import FolderError, flow_files

_STDIN: Final = Path("-")
_DIFF_STYLES: Final = {"-": "red", "+": "green", "@": "cyan"}


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is and as it would be; with problems, it stays as it is."""

    path: Path
    before: bytes
    after: bytes
    problems: tuple[Diagnostic, ...] = ()

    @property
    def shown(self) -> str:
        return "<stdin>" if self.path == _STDIN else self.path.as_posix()

    @property
    def changed(self) -> bool:
        return self.after != self.before


@click.command(
    "fmt",
    epilog=options.examples(
        "seta fmt",
        "seta fmt --check            change nothing; exit code 1 where something would change",
        "seta fmt - < flow.seta      print it laid out",
    ),
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@options.flows
@click.option("--check", is_flag=True, help="Change nothing; list what would change.")
@click.option("--diff", is_flag=True, help="Change nothing; print what would change in each file.")
@options.color
def command(*, paths: tuple[Path, ...], flows: Path, check: bool, diff: bool, color: str) -> None:
    """Lay flows out: files, all in a folder, or standard input (-).

    There is nothing to choose. Comments, text, code and meaning stay, and so does a whole file with an error of syntax.
    The exit code is 1 where there is such an error, and where --check or --diff finds something to change.
    """
    if check and diff:
        raise click.UsageError("--check and --diff exclude each other: both end with exit code 1 on a difference")
    if _STDIN in paths and len(paths) > 1:
        raise click.UsageError("- stands for standard input, and excludes other paths")
    files = [_laid_out(_STDIN, sys.stdin.buffer.read())] if paths == (_STDIN,) else _files(paths or (flows,))
    changed = [file for file in files if file.changed]
    if diff:
        sys.stdout.write("".join(_diff(file, color) for file in changed))
    elif check:
        _tell("would change", changed, files)
    elif paths == (_STDIN,):
        sys.stdout.buffer.write(b"".join(file.after for file in files if not file.problems))
    else:
        _replace(changed)
        _tell("changed", changed, files)
    if problems := [problem for file in files for problem in file.problems]:
        refuse(problems, color)
    if changed and (check or diff):
        raise SystemExit(1)


def _files(paths: Sequence[Path]) -> list[_File]:
    """The files of all paths, each once; a link in a folder to what is not in it is left alone."""
    try:
        pairs = [(file, path) for path in paths for file in flow_files(path)]
        found = {file.resolve(): file for file, path in pairs if file.resolve().is_relative_to(path.resolve())}
        return [_laid_out(file, file.read_bytes()) for file in found.values()]
    except FolderError as error:
        raise Problem(str(error)) from error
    except OSError as error:
        raise Problem(f"{error.filename} cannot be read: {error.strerror}") from error


def _laid_out(path: Path, data: bytes) -> _File:
    source = read_source(_File(path, data, data).shown, data)
    text = format_text(source) if isinstance(source, Source) else (source,)
    if not isinstance(text, str):
        return _File(path, data, data, text)
    first, _, _ = data.partition(b"\n")
    return _File(path, data, text.replace("\n", "\r\n" if first.endswith(b"\r") else "\n").encode())


def _replace(files: Iterable[_File]) -> None:
    for file in files:
        try:
            replace_file(file.path.resolve(), file.after)
        except OSError as error:
            raise Problem(f"{file.shown} cannot be written: {error.strerror}") from error


def _tell(what: str, changed: Sequence[_File], files: Sequence[_File]) -> None:
    """Name the files that are no more what they were, or would not be."""
    for file in changed:
        click.echo(clean(f"{what} {file.shown}"))
    counted = f"{len(files)} {'file' if len(files) == 1 else 'files'}"
    click.echo(f"{len(changed)} of {counted} {what}" if changed else f"nothing to change in {counted}")


def _diff(file: _File, color: str) -> str:
    """What would change, as `patch` reads it."""
    before, after = (data.decode().splitlines(keepends=True) for data in (file.before, file.after))
    lines = unified_diff(before, after, file.shown, file.shown)
    colored = is_colored(color, sys.stdout.isatty())
    return "".join(_styled(line) if colored else line for line in map(_ended, lines))


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _styled(line: str) -> str:
    return click.style(line.removesuffix("\n"), fg=_DIFF_STYLES.get(line[0])) + "\n"
