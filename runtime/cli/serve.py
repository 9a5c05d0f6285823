"""`seta serve`: run the flows of a folder."""

import os
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import click
from rich.console import Console

from runtime.cli import logs, options, terminal
from runtime.cli.data import KNOWN_ERRORS
from runtime.cli.folder import code_environment, load_to_serve
from runtime.cli.problems import Problem
from runtime.cli.urls import show_call
from runtime.listening import ServeError
from runtime.serve import Started, serve
from runtime.settings import Address, Network, Opening, Settings, parse_address
from runtime.traces import NoTraces, Traces

if sys.platform == "win32":
    from asyncio import run
else:
    from uvloop import run


def _address(ctx: click.Context, param: click.Parameter, value: str | None) -> Address | None:  # noqa: ARG001  # click's
    try:
        return None if value is None else parse_address(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(
    "serve",
    epilog=options.examples("seta serve", "seta serve --host 0.0.0.0 --port 80 --public-url https://hooks.example.com"),
)
@options.flows
@options.data
@options.host
@options.port
@click.option(
    "--admin",
    envvar="SETA_ADMIN",
    metavar="HOST:PORT",
    callback=_address,
    help="Tell runs, persons, readiness and metrics over TCP too; whoever reaches it reads them.",
)
@options.public_url
@options.trusted_proxy
@options.allow_outbound
@options.max_queue_age
@click.option(
    "--grace",
    envvar="SETA_GRACE",
    type=click.FloatRange(0, 3600),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long runs may take to end when the server is told to stop.",
)
@click.option("--watch", envvar="SETA_WATCH", is_flag=True, help="Reload after each change of the folder of flows.")
@click.option(
    "--traces",
    envvar="SETA_TRACES",
    type=click.Choice(["off", "export", "propagate"]),
    default="off",
    show_default=True,
    help="Export spans by OTLP, as OTEL_… variables say; propagate: requests of steps carry traceparent too.",
)
@click.option(
    "--log-format",
    envvar="SETA_LOG_FORMAT",
    type=click.Choice(["text", "json"]),
    help="How to write the log; by itself as text on a terminal, otherwise as JSON.",
)
@click.option(
    "--log-level",
    envvar="SETA_LOG_LEVEL",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What to write at least; debug tells of each delivery and each end of a run.",
)
@options.color
def command(  # noqa: PLR0913  # one an option
    *,
    flows: Path,
    data: Path,
    host: str,
    port: int,
    admin: Address | None,
    public_url: str | None,
    trusted_proxies: tuple[Network, ...],
    allow_outbound: tuple[Opening, ...],
    max_queue_age: int | None,
    grace: float,
    watch: bool,
    traces: str,
    log_format: logs.Style | None,
    log_level: str,
    color: str,
) -> None:
    """Serve the flows of a folder until Ctrl-C.

    SIGTERM and Ctrl-C let what runs end; a second one ends the server at once. Whatever is under way goes on at the
    next start. SIGHUP and `seta reload` read the folder again; if it cannot be served, the flows before go on.
    """
    logs.configure(log_format, log_level, color)
    loaded = load_to_serve(flows, color, os.environ)
    settings = Settings(
        flows=flows,
        data=data,
        listen=Address(host, port),
        admin=admin,
        public_url=public_url,
        trusted_proxies=trusted_proxies,
        allow_outbound=allow_outbound,
        max_queue_age=None if max_queue_age is None else max_queue_age / 1000,
        grace=grace,
        environment=os.environ,
        watch=watch,
        code_processes=os.cpu_count() or 1,
        code_environment=code_environment(os.environ),
    )
    try:
        announce = partial(_announce, terminal.console(color))
        code = run(serve(settings, loaded, announce, traces=_traces(traces)))
    except (ServeError, *KNOWN_ERRORS) as error:
        raise Problem(str(error)) from error
    raise SystemExit(code)


def _traces(wanted: str) -> Traces:
    if wanted == "off":
        return NoTraces()
    try:
        room = import_module("runtime.otel")  # here: what it needs is not always installed, and takes long to import
    except ModuleNotFoundError as error:
        raise Problem(f"--traces needs what `pip install 'seta[otel]'` brings: {error}") from error
    found: Traces = room.exporting(propagate=wanted == "propagate")
    return found


def _announce(to: Console, started: Started) -> None:
    """Say what is served and how to try it."""
    settings = started.settings
    number = len(started.urls)
    flows = f"{number} {'flow' if number == 1 else 'flows'}"
    to.print(terminal.styled(f"Seta serves {flows} on http://{settings.listen}", "bold green"))
    for url in started.urls:
        to.print()
        to.print(terminal.styled(f"  {url.flow}", "bold"), terminal.styled(url.url), soft_wrap=True)
        show_call(to, url)
    to.print()
    if settings.admin is not None:
        to.print(terminal.styled(f"Admin address: http://{settings.admin}"))
    to.print(terminal.styled(f"Data folder: {settings.data}. `seta runs` shows what happens. Ctrl-C stops.", "dim"))
