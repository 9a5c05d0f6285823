"""Options that commands share. Each one can be given as an environment variable too."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from runtime.settings import Network, Opening, parse_network, parse_opening

F = TypeVar("F", bound=Callable[..., Any])

flows = click.option(
    "--flows",
    envvar="SETA_FLOWS",
    type=click.Path(path_type=Path),
    default=Path("flows"),
    show_default=True,
    show_envvar=True,
    metavar="DIR",
    help="Folder of the flows and of seta.toml.",
)
data = click.option(
    "--data",
    envvar="SETA_DATA",
    type=click.Path(path_type=Path),
    default=Path(".seta"),
    show_default=True,
    show_envvar=True,
    metavar="DIR",
    help="Folder of the database.",
)
host = click.option(
    "--host",
    envvar="SETA_HOST",
    default="127.0.0.1",
    show_default=True,
    show_envvar=True,
    help="Address to listen on.",
)
port = click.option(
    "--port",
    envvar="SETA_PORT",
    type=click.IntRange(0, 65_535),
    default=8400,
    show_default=True,
    show_envvar=True,
    help="Port to listen on; 0 takes a free one.",
)
public_url = click.option(
    "--public-url",
    envvar="SETA_PUBLIC_URL",
    show_envvar=True,
    metavar="URL",
    help="What senders call instead of our own address.",
)


def _networks(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Network, ...]:  # noqa: ARG001  # click's
    try:
        return tuple(map(parse_network, values))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


trusted_proxy = click.option(
    "--trusted-proxy",
    "trusted_proxies",
    envvar="SETA_TRUSTED_PROXY",
    multiple=True,
    metavar="IP[/N]",
    callback=_networks,
    help="Proxy that is believed for whom it calls (X-Forwarded-For, Forwarded); give it again for another.",
)


def _openings(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Opening, ...]:  # noqa: ARG001  # click's
    try:
        return tuple(map(parse_opening, values))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


allow_outbound = click.option(
    "--allow-outbound",
    envvar="SETA_ALLOW_OUTBOUND",
    multiple=True,
    metavar="IP[/N]:PORT",
    callback=_openings,
    help="Address that steps may reach although it is not public; give it again for another.",
)
color = click.option(
    "--color",
    envvar="SETA_COLOR",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    show_envvar=True,
    help="Whether to colour what is printed.",
)


class _Period(click.ParamType[int]):
    """A time such as 90s, 2h or 3d, as flows write it; gives milliseconds."""

    name = "period"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        found = _PERIOD.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is no time such as 90s, 20m, 2h or 3d", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


_UNITS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PERIOD: Final = re.compile(rf"(\d{{1,9}})({'|'.join(_UNITS)})")

since = click.option(
    "--since",
    type=_Period(),
    metavar="TIME",
    help="Received no longer ago than this: 90s, 20m, 2h, 3d.",
)
max_queue_age = click.option(
    "--max-queue-age",
    envvar="SETA_MAX_QUEUE_AGE",
    type=_Period(),
    metavar="TIME",
    help="Let /readyz turn red while a run has waited longer than this for its turn: 90s, 20m.",
)
limit = click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=1000,
    show_default=True,
    metavar="N",
    help="How many, counted from the newest.",
)


class ListGroup(click.Group):
    """Takes a group's name with options, but without a command, as its command `list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name in."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def examples(*lines: str) -> str:
    """Lay examples out as the end of a help text; click leaves their lines as they are."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def output(*formats: str) -> Callable[[F], F]:
    """Add `--format`, and `--json` as a short way to say `--format json`."""

    def add(function: F) -> F:
        choice = click.option(
            "--format",
            "format_",
            type=click.Choice(formats),
            default=formats[0],
            show_default=True,
            help="How to print.",
        )
        short = click.option("--json", "format_", flag_value="json", help="The same as --format json.")
        return choice(short(function))

    return add
