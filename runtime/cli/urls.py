"""`seta urls`: where each flow is called."""

import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

import click
from rich.console import Console

from runtime.admin.documents import Url, UrlList
from runtime.admin.operations import Outside
from runtime.cli import options, terminal
from runtime.cli.data import ask_outside
from runtime.cli.folder import load_or_refuse
from runtime.door.hooks import addresses
from runtime.facade import Facade
from runtime.loader import Loaded
from runtime.settings import Address, Settings


@click.command("urls")
@options.flows
@options.data
@options.host
@options.port
@options.public_url
@options.output("text", "json")
@options.color
def command(  # noqa: PLR0913  # one an option
    *, flows: Path, data: Path, host: str, port: int, public_url: str | None, format_: str, color: str
) -> None:
    """Print where each flow is called, and a line to try it.

    A server that runs says it itself; without one, the addresses are those that it will have.
    """
    settings = Settings(flows=flows, data=data, listen=Address(host, port), public_url=public_url)
    loaded = load_or_refuse(flows, color)
    found = ask_outside(settings, facade(settings, loaded), lambda known: known.urls())
    if format_ == "json":
        terminal.show_json(UrlList(found))
        return
    to = terminal.console(color)
    for url in found:
        to.print(terminal.styled(url.flow, "bold"))
        show_call(to, url)


def facade(settings: Settings, loaded: Loaded) -> Callable[[bytes], Outside]:
    """What senders will see of a folder, by the key of its addresses."""
    return lambda key: Facade(
        settings, lambda: addresses(key, loaded.programs.values()), lambda: loaded.settings.secrets
    )


def show_call(to: Console, url: Url) -> None:
    """Print the line that sends a flow its sample, and what it lacks where curl cannot prove who sends."""
    to.print(terminal.styled(f"  {curl(url)}"), soft_wrap=True)
    if url.proof and not url.credentials:
        to.print(terminal.styled(f"  wants {url.proof}: without it the answer is 401", "dim"), soft_wrap=True)


def curl(url: Url) -> str:
    """Write the line that sends a flow its sample, for a shell."""
    return f"{_curl(url)} {url.credentials}".rstrip()


def _curl(url: Url) -> str:
    if url.accept != ("multipart/form-data",):
        return f"curl {shlex.quote(url.url)} -d {shlex.quote(url.sample)}"
    fields = " ".join(f"--form-string {shlex.quote(f'{name}={value}')}" for name, value in parse_qsl(url.sample))
    return f"curl {shlex.quote(url.url)} {fields}"
