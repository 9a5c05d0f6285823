"""`seta check`: find every problem of the flows."""

import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from compiler.catalog import Catalog
from compiler.explain import step_lines
from dsl import Diagnostic, has_errors, render_json, render_text, summary
from dsl.fixes import Mended
from dsl.render import render_github, render_sarif
from runtime.cli import options, terminal
from runtime.cli.mend import mend
from runtime.cli.problems import Problem, is_colored
from runtime.cli.terminal import clean
from runtime.compiling import check_path, compile_path
from runtime.folder import FolderError, folder_catalog, folder_settings
from runtime.steps import catalog

_WIDEST: Final = 120
_WIDTH_OF_A_PIPE: Final = 100


@click.command(
    "check",
    epilog=options.examples(
        "seta check",
        "seta check flows/retomada.seta --format json",
        "seta check --fix             mend what can be mended safely",
        "seta check --format github   annotate the lines of a pull request",
        "seta check --failures        list what may fail, too",
    ),
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@options.flows
@options.output("text", "json", "sarif", "github")
@click.option("--fix", is_flag=True, help="Make the safe fixes, then tell what is left.")
@click.option("--failures", is_flag=True, help="List every step that may fail, as what, and what comes of it.")
@options.color
def command(  # noqa: PLR0913  # one an option
    *, paths: tuple[Path, ...], flows: Path, format_: str, fix: bool, failures: bool, color: str
) -> None:
    """Find every problem of flows: of files, or of all in a folder.

    The exit code is 1 where there are errors; warnings and notes leave it 0.
    """
    if failures and format_ != "text":
        raise click.UsageError("--failures is a table for people: `seta explain --json` has the same for scripts")
    known = catalog()
    asked = paths or (flows,)
    mended: list[Mended] = []
    if fix:
        mended, found = mend(asked, lambda: _diagnostics(asked, known))
    else:
        found = _diagnostics(asked, known)
    _tell_mended(mended, on_errors=format_ != "text")
    sys.stdout.write(_shown(found, format_, color))
    if failures:
        _tell_failures(asked, known, color)
    if has_errors(found):
        raise SystemExit(1)


def _diagnostics(paths: tuple[Path, ...], known: Catalog) -> list[Diagnostic]:
    try:
        return [found for path in paths for found in _of_path(path, known)]
    except FolderError as error:
        raise Problem(str(error)) from error


def _of_path(path: Path, known: Catalog) -> tuple[Diagnostic, ...]:
    return check_path(path, folder_catalog(path, known), folder_settings(path))


def _tell_failures(paths: tuple[Path, ...], known: Catalog, color: str) -> None:
    """Of the flows without errors, the steps that may fail."""
    rows = [row for path in paths for row in _failing(path, folder_catalog(path, known))]
    click.echo()
    terminal.show_rows(color, ("MAY FAIL AT", "STEP", "AS", "WHEN IT FAILS"), rows, "no step may fail")


def _failing(path: Path, known: Catalog) -> Iterator[list[Text]]:
    for flow in compile_path(path, known, folder_settings(path)).flows:
        for step in step_lines(flow, known):
            if step.codes:
                at = flow.source.position(step.span.start)
                cells = (f"{flow.source.path}:{at.line}:{at.column}", step.id, ", ".join(step.codes), step.failure)
                yield [terminal.styled(cell) for cell in cells]


def _tell_mended(mended: list[Mended], *, on_errors: bool) -> None:
    """Say what was fixed where it stood; a document for scripts has standard output to itself."""
    for one in mended:
        place = one.diagnostic.primary.source.position(one.diagnostic.primary.span.start)
        where = f"{one.diagnostic.primary.source.path}:{place.line}:{place.column}"
        click.echo(clean(f"fixed[{one.diagnostic.code}] {where}: {one.fix.title}"), err=on_errors)
    if mended:
        click.echo(err=on_errors)


def _shown(found: list[Diagnostic], format_: str, color: str) -> str:
    match format_:
        case "json":
            return render_json(found)
        case "sarif":
            return render_sarif(found, version=import_module("runtime.cli.version").version())
        case "github":
            return render_github(found)
        case _:
            return _text(found, color)


def _text(found: list[Diagnostic], color: str) -> str:
    terminal = sys.stdout.isatty()
    width = min(shutil.get_terminal_size().columns, _WIDEST) if terminal else _WIDTH_OF_A_PIPE
    text = render_text(found, color=is_colored(color, terminal), width=width)
    return "\n".join(part for part in (text, f"{summary(found)}\n") if part)
