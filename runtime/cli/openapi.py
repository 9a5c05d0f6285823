"""`seta openapi`: the document that tells senders all there is to know."""

from pathlib import Path

import click

from runtime.cli import options, terminal
from runtime.cli.data import ask_outside
from runtime.cli.folder import load_or_refuse
from runtime.cli.urls import facade
from runtime.settings import Address, Settings


@click.command(
    "openapi",
    epilog=options.examples("seta openapi > openapi.json", "seta openapi leads --public-url https://hooks.example.com"),
)
@click.argument("flow", required=False)
@options.flows
@options.data
@options.host
@options.port
@options.public_url
@options.color
def command(  # noqa: PLR0913  # one an option
    *, flow: str | None, flows: Path, data: Path, host: str, port: int, public_url: str | None, color: str
) -> None:
    """Print an OpenAPI 3.1 document of all webhooks, or of one flow.

    It names real addresses: who has it can call them. A server that runs says it itself; without one, the addresses
    are those that it will have.
    """
    settings = Settings(flows=flows, data=data, listen=Address(host, port), public_url=public_url)
    loaded = load_or_refuse(flows, color)
    terminal.show_document(ask_outside(settings, facade(settings, loaded), lambda known: known.openapi(flow)))
