"""`seta check`: find every problem of the flows."""

import sys
from pathlib import Path

import click

from dsl import Diagnostic, has_errors, render_json, render_text, summary
from runtime.cli import options
from runtime.cli.data import Problem
from runtime.cli.folder import is_colored
from runtime.loader import FolderError, compile_path, folder_settings
from runtime.steps import catalog


@click.command("check", epilog=options.examples("seta check", "seta check flows/retomada.seta --format json"))
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@options.flows
@options.output("text", "json")
@options.color
def command(*, paths: tuple[Path, ...], flows: Path, format_: str, color: str) -> None:
    """Find every problem of flows: of files, or of all in a folder.

    The exit code is 1 where there are errors; warnings and notes leave it 0.
    """
    found = _diagnostics(paths or (flows,))
    if format_ == "json":
        sys.stdout.write(render_json(found))
    else:
        text = render_text(found, color=is_colored(color, sys.stdout.isatty()))
        sys.stdout.write("\n".join(part for part in (text, f"{summary(found)}\n") if part))
    if has_errors(found):
        raise SystemExit(1)


def _diagnostics(paths: tuple[Path, ...]) -> list[Diagnostic]:
    known = catalog()
    try:
        folders = [compile_path(path, known, folder_settings(path)) for path in paths]
    except FolderError as error:
        raise Problem(str(error)) from error
    return [diagnostic for folder in folders for diagnostic in folder.diagnostics]
