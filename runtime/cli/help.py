"""`seta help`: what the codes of diagnostics mean, with an example of each."""

from itertools import groupby
from typing import Final

import click
from rich.console import Console
from rich.text import Text

from compiler.own import NAME, read_catalog_file
from compiler.pipeline import check_folder
from compiler.reports import nearest
from dsl import CODES, Code, Source, render_text
from dsl.codes import FAMILIES, REGISTRY, RETIRED
from dsl.render import example_lines
from runtime.cli import COMMANDS, options, page, terminal
from runtime.connections.declared import Http
from runtime.folder import FolderSettings
from runtime.steps import catalog

_STYLES: Final = {"E": "bold red", "W": "bold yellow", "N": "bold cyan"}
_SETTINGS: Final = FolderSettings(  # what the examples may use
    {"erp": "https://erp.example"},
    connections={"erp": Http("https://erp.example/api"), "crm": Http("https://crm.example")},
)


@click.command("help", epilog=options.examples("seta help", "seta help E311"))
@click.argument("code", required=False)
@options.color
@click.pass_context
def command(ctx: click.Context, *, code: str | None, color: str) -> None:
    """List the codes of problems and remarks, or explain one.

    Each is shown with a program that gets it, what is said of that, and the program mended.
    """
    to = terminal.console(color)
    if code is None:
        _list(to)
    elif (found := CODES.get(code.upper())) is not None:
        _explain(to, found)
    elif (was := RETIRED.get(code.upper())) is not None:
        to.print(Text.assemble((code.upper(), "dim"), f"  is not reported any more. It was: {was}."))
    elif code in COMMANDS and ctx.parent is not None:
        click.echo(_help_of(ctx.parent, code))
    else:
        raise click.UsageError(_unknown(code))


def _help_of(parent: click.Context, name: str) -> str:
    """The help of a command: who asks for it here means that."""
    group = parent.command
    found = group.get_command(parent, name) if isinstance(group, click.Group) else None
    if found is None:
        raise click.UsageError(_unknown(name))
    return found.get_help(click.Context(found, info_name=name, parent=parent))


def _unknown(code: str) -> str:
    meant = nearest(code.upper(), CODES) or nearest(code, COMMANDS)
    hint = f"did you mean {meant}?" if meant else "`seta help` lists those that there are"
    return f"there is no code or command {code!r}: {hint}"


def _family(code: Code) -> str:
    return next(title for start, title in FAMILIES.items() if code.code.startswith(start))


def _list(to: Console) -> None:
    for family, codes in groupby(REGISTRY, key=_family):
        to.print(terminal.styled(family, "bold"))
        for code in codes:
            to.print(Text.assemble("  ", _painted(code), f"  {code.title}"), overflow="ellipsis", no_wrap=True)
        to.print()
    to.print(terminal.styled("`seta help E311` explains one, with an example.", "dim"))


def _painted(code: Code) -> Text:
    return Text(code.code, _STYLES[code.code[0]])


def _explain(to: Console, code: Code) -> None:
    to.print(Text.assemble(_painted(code), "  ", (code.title, "bold")))
    to.print(terminal.styled(_family(code), "dim"))
    to.print()
    page.prose(to, code.help)
    if code.catalog:
        page.title(to, f"With this {NAME} beside the flows:")
        to.print()
        page.program(to, code.catalog.splitlines())
    page.title(to, "This gets it:")
    to.print()
    page.program(to, example_lines(code.bad))
    to.print()
    _diagnostics(to, code)
    page.title(to, "This does not:")
    to.print()
    page.program(to, example_lines(code.good))


def _diagnostics(to: Console, code: Code) -> None:
    """What is said of the bad example, as far as it is about this code."""
    known = read_catalog_file(code.catalog.encode(), catalog()) if code.catalog else catalog()
    checked = check_folder([Source("example.seta", code.bad)], _SETTINGS.environment(known))
    found = [diagnostic for diagnostic in checked.diagnostics if diagnostic.code == code.code]
    colored = to.color_system is not None and not to.no_color
    click.echo(render_text(found, color=colored, width=page.width(to)), nl=False, color=colored)
