"""The command `seta`. Each subcommand is a module of its own, imported only when it is called."""

from importlib import import_module
from typing import Final

import click

COMMANDS: Final = {
    "serve": "serve",
    "reload": "reload",
    "urls": "urls",
    "openapi": "openapi",
    "runs": "runs",
    "replay": "replay",
    "rejected": "rejected",
    "persons": "persons",
    "outbox": "outbox",
    "privacy": "privacy",
    "doctor": "doctor",
    "backup": "backup",
    "restore": "restore",
    "check": "check",
    "test": "test",
    "run": "run",
    "fmt": "fmt",
    "explain": "explain",
    "help": "help",
    "new": "new",
    "catalog": "catalog",
}

_EXAMPLES: Final = """\b
Examples:
  seta serve                     serve the flows of flows/
  seta urls                      print where each flow is called
  seta runs --state dead         list what failed for good
  seta runs show ID              show one run, step by step
  seta check                     find every problem of the flows
  seta test                      run their tests
"""


class _Commands(click.Group):
    """Finds a subcommand by its name, so that `seta --version` imports next to nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """List the commands in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        """Import one command."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(f"runtime.cli.{module}").command
        return command


def _version() -> str:
    """What is installed; who reads the metadata of packages loads half of the standard library for it."""
    told: str = import_module("runtime.cli.version").version()
    return told


def _show_version(ctx: click.Context, param: click.Parameter, asked: bool) -> None:  # noqa: ARG001, FBT001  # click's
    if asked and not ctx.resilient_parsing:
        click.echo(f"seta {_version() or '(not installed)'}")
        ctx.exit()


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXAMPLES,
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def command() -> None:
    """Flows as text: a webhook comes in, the delivery is kept, the steps run."""


def main() -> None:
    """Run the command; the entry point of the package."""
    command(prog_name="seta")
