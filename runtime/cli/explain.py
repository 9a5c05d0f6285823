"""`seta explain`: what a flow means once everything is filled in."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from compiler.catalog import Catalog
from compiler.explain import long_form, python, tree, types
from compiler.pipeline import Compiled
from runtime.cli import options, page, terminal
from runtime.cli.plans import Leaving, Plan, PlanList, Sent, Step, Waiting, plan_of
from runtime.cli.problems import Problem, refuse
from runtime.compiling import compile_path
from runtime.folder import FolderError, folder_catalog, folder_settings
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
@options.output("text", "json")
@options.color
def command(*, path: Path, emit: str | None, format_: str, color: str) -> None:
    """Show what was filled in, and what the steps do.

    For each step it says what happens when it fails; at the end stands the generated Python.
    """
    if emit is not None and format_ == "json":
        raise click.UsageError("--emit prints one stage as text, and --json all that a reviewer needs: choose one")
    known = _catalog(path)
    flows = _flows(path, known, color)
    if format_ == "json":
        terminal.show_json(PlanList(tuple(plan_of(flow, known) for flow in flows)))
        return
    to = terminal.console(color)
    for number, flow in enumerate(flows):
        if number:
            to.print()
        if emit is not None:
            to.print(terminal.text_block(_STAGES[emit](flow)), soft_wrap=True)
        else:
            show_plan(to, plan_of(flow, known))


def _catalog(path: Path) -> Catalog:
    try:
        return folder_catalog(path, catalog())
    except FolderError as error:
        raise Problem(str(error)) from error


def _flows(path: Path, known: Catalog, color: str) -> tuple[Compiled, ...]:
    try:
        folder = compile_path(path, known, folder_settings(path))
    except FolderError as error:
        raise Problem(str(error)) from error
    if folder.broken:
        refuse(folder.diagnostics, color)
    return folder.flows


def show_plan(to: Console, plan: Plan) -> None:
    """Print all that is to be said of a flow; on a terminal nothing runs over its edge, a pipe gets it uncut."""
    to.print(terminal.styled(f"{plan.flow}  {plan.file}", "bold"))
    to.print(terminal.styled(f"plan {plan.hash}", "dim"))
    page.code(to, terminal.styled(f"called by {plan.caller}", "dim"))
    to.print()
    page.code(to, terminal.text_block(plan.long_form))
    if plan.fills:
        to.print()
        _table(to, ("RULE", "FILLED IN", "MEANS"), [(fill.rule, fill.text, fill.says) for fill in plan.fills])
    to.print()
    _steps(to, plan.steps)
    failing: list[tuple[str, ...]] = [(step.id, ", ".join(step.codes)) for step in plan.steps if step.codes]
    if failing:
        to.print()
        _table(to, ("MAY FAIL AT", "AS"), failing)
    if plan.leaves:
        to.print()
        _table(to, ("LEAVES AT", "TO", "WITH", "PERSONAL"), [_leaving(one) for one in plan.leaves])
    if plan.waits:
        to.print()
        _table(to, ("WAITS AT", "NEEDS AFTERWARDS", "PERSONAL"), [_waiting(one) for one in plan.waits])
    if plan.templates:
        to.print()
        _table(to, ("TEMPLATE", "LANGUAGE", "PARAMETERS"), [_sent(one) for one in plan.templates])
    to.print()
    page.code(to, _highlighted(plan.python) if to.is_terminal else terminal.text_block(plan.python))


def _highlighted(source: str) -> Text:
    text = Syntax("", "python", theme="ansi_dark", background_color="default").highlight(source)
    text.rstrip()
    return text


def _table(to: Console, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    terminal.show_table(to, columns, [[terminal.styled(cell) for cell in row] for row in rows])


def _leaving(one: Leaving) -> tuple[str, ...]:
    return one.at, one.to, ", ".join(one.fields), ", ".join(one.personal)


def _waiting(one: Waiting) -> tuple[str, ...]:
    return one.step, ", ".join(one.needs), ", ".join(one.personal)


def _sent(one: Sent) -> tuple[str, ...]:
    return one.template, one.language, ", ".join(one.params)


def _steps(to: Console, steps: tuple[Step, ...]) -> None:
    """A terminal has no room for four columns: the kind goes below the step, and the text of one is cut."""
    if not to.is_terminal:
        _table(to, ("STEP", "KIND", "DOES", "WHEN IT FAILS"), [(s.id, s.kind, s.does, s.failure) for s in steps])
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("STEP", overflow="fold", max_width=to.width // 3)
    table.add_column("DOES", overflow="ellipsis", no_wrap=True, max_width=to.width // 3)
    table.add_column("WHEN IT FAILS", overflow="fold")
    for step in steps:
        name = Text.assemble(terminal.clean(step.id), "\n", (step.kind, "dim"))
        table.add_row(name, terminal.styled(step.does), terminal.styled(step.failure))
    to.print(table)
