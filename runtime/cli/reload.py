"""`seta reload`: another generation of flows under a server that goes on."""

from pathlib import Path

import click

from runtime.admin.connect import find_server
from runtime.admin.documents import Reloaded
from runtime.cli import options, terminal
from runtime.cli.data import run, settings_for
from runtime.cli.problems import Problem
from runtime.settings import Settings


@click.command("reload")
@options.data
@options.output("text", "json")
@options.color
def command(*, data: Path, format_: str, color: str) -> None:
    """Let the server read its folder of flows again.

    All of it is put in force at once; runs under way end on the plan that they began with. If the folder cannot be
    served, the flows before go on, it is said why, and the exit code is 1.
    """
    reloaded = run(_reload(settings_for(data)))
    if format_ == "json":
        terminal.show_json(reloaded)
        return
    flows = ", ".join(reloaded.flows)
    terminal.console(color).print(terminal.styled(f"Generation {reloaded.generation} is served: {flows}"))


async def _reload(settings: Settings) -> Reloaded:
    server = await find_server(settings)
    if server is None:
        raise Problem(f"no server runs on {settings.data}: --data names another folder, `seta serve` starts one")
    try:
        return await server.reload()
    finally:
        await server.close()
