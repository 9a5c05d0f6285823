"""`seta explain`: what a flow means once everything is filled in."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.syntax import Syntax

from compiler.catalog import Catalog
from compiler.explain import long_form, python, step_lines, tree, types
from compiler.pipeline import Compiled
from runtime.cli import options, terminal
from runtime.cli.data import Problem
from runtime.cli.folder import refuse
from runtime.loader import FolderError, compile_path, folder_settings
from runtime.steps import catalog

_STAGES: Final[dict[str, Callable[[Compiled], str]]] = {
    "long": long_form,
    "ast": lambda flow: tree(flow.expanded.flow),
    "types": types,
    "ir": lambda flow: tree(flow.lowered),
    "python": python,
    "plan": lambda flow: f"{flow.hash}\n{tree(flow.plan)}",
}


@click.command(
    "explain",
    epilog=options.examples("seta explain flows/retomada.seta", "seta explain flows/retomada.seta --emit python"),
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--emit", type=click.Choice(list(_STAGES)), help="Print this stage of the compiler only.")
@options.color
def command(*, path: Path, emit: str | None, color: str) -> None:
    """Show what was filled in, and what the steps do.

    For each step it says what happens when it fails; at the end stands the generated Python.
    """
    known = catalog()
    to = terminal.console(color)
    for number, flow in enumerate(_flows(path, known, color)):
        if number:
            to.print()
        if emit is not None:
            to.print(terminal.text_block(_STAGES[emit](flow)), soft_wrap=True)
        else:
            _explain(to, flow, known)


def _flows(path: Path, known: Catalog, color: str) -> tuple[Compiled, ...]:
    try:
        folder = compile_path(path, known, folder_settings(path))
    except FolderError as error:
        raise Problem(str(error)) from error
    if folder.broken:
        refuse(folder.diagnostics, color)
    return folder.flows


def _explain(to: Console, flow: Compiled, known: Catalog) -> None:
    to.print(terminal.styled(f"{flow.name}  {flow.source.path}", "bold"))
    to.print(terminal.styled(f"plan {flow.hash}", "dim"))
    to.print()
    to.print(terminal.text_block(long_form(flow)), soft_wrap=True)
    if flow.fills:
        to.print()
        rows = [list(map(terminal.styled, (fill.rule, fill.text.strip(), fill.says))) for fill in flow.fills]
        terminal.show_table(to, ("RULE", "FILLED IN", "MEANS"), rows)
    to.print()
    lines = [
        [terminal.styled(part) for part in (step.id, step.kind, step.does, step.failure)]
        for step in step_lines(flow, known)
    ]
    terminal.show_table(to, ("STEP", "KIND", "DOES", "WHEN IT FAILS"), lines)
    to.print()
    if to.is_terminal:
        to.print(Syntax(python(flow), "python", background_color="default", word_wrap=True))
    else:
        to.print(terminal.text_block(python(flow)), soft_wrap=True)
