"""`seta rejected`: deliveries that were answered 422, because they did not fit their flow."""

from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from runtime.admin.documents import Rejected, RejectedDocument, RejectedList, RejectedWithBody
from runtime.admin.operations import ALL_REJECTED, RejectedFilter
from runtime.cli import options, terminal
from runtime.cli.data import ask, settings_for
from runtime.shapes import Problem


@click.group(
    "rejected",
    cls=options.ListGroup,
    epilog=options.examples(
        "seta rejected                   the newest",
        "seta rejected --flow leads --since 2h",
        "seta rejected show 0192f3       one with its body, by the beginning of its id",
    ),
)
def command() -> None:
    """List deliveries that did not fit their flow, or show one.

    They were answered 422, and started no run.
    """


@command.command("list")
@options.data
@click.option("--flow", metavar="NAME", help="Of this flow only.")
@options.since
@options.limit
@options.output("text", "json")
@options.color
def list_command(  # noqa: PLR0913  # one an option
    *, data: Path, flow: str | None, since: int | None, limit: int, format_: str, color: str
) -> None:
    """List rejected deliveries, newest first."""
    wanted = RejectedFilter(flow, terminal.before_now(since))
    found = ask(settings_for(data), lambda operations: operations.rejected(limit, wanted))
    if format_ == "json":
        terminal.show_json(RejectedList(found))
        return
    now = terminal.now()
    rows = [
        [
            terminal.styled(one.id),
            terminal.styled(one.flow, "bold"),
            terminal.styled(terminal.age(one.received_at, now)),
            terminal.styled(f"{one.size:,} bytes"),
            terminal.styled(_brief(one)),
        ]
        for one in found
    ]
    nothing = "no rejected deliveries" if wanted == ALL_REJECTED else "no such rejected deliveries"
    terminal.show_rows(color, ("ID", "FLOW", "RECEIVED", "SIZE", ""), rows, nothing)


@command.command("show")
@click.argument("rejected_id", metavar="ID")
@options.data
@options.output("text", "json")
@options.color
def show_command(*, rejected_id: str, data: Path, format_: str, color: str) -> None:
    """Show one rejected delivery with its problems and its body. The beginning of its id is enough."""
    found = ask(settings_for(data), lambda operations: operations.rejected_delivery(rejected_id))
    if format_ == "json":
        terminal.show_json(RejectedDocument(found))
        return
    _show(terminal.console(color), found, terminal.now())


def _brief(one: Rejected) -> str:
    more = f" (and {len(one.problems) - 1} more)" if len(one.problems) > 1 else ""
    return f"{said(one.problems[0])}{more}" if one.problems else ""


def said(problem: Problem) -> str:
    """A problem in words."""
    return f"{problem.pointer or '/'}: expected {problem.expected}, got {problem.got}"


def _show(to: Console, found: RejectedWithBody, now: datetime) -> None:
    to.print(Text.assemble(("Rejected delivery ", "bold"), found.id))
    facts = [
        ("flow", found.flow),
        ("plan", found.plan),
        ("received", terminal.instant(found.received_at, now)),
        ("expires", found.expires_at),
        *((f"{name}:", value) for name, value in found.headers.items()),
        *((f"?{name}=", value) for name, value in found.query.items()),
    ]
    terminal.show_facts(to, facts)
    to.print()
    to.print(terminal.styled("Problems", "bold red"))
    for problem in found.problems:
        to.print(terminal.styled(f"  {said(problem)}"), soft_wrap=True)
    terminal.show_value(to, "Form" if found.form else "Body", found.body)
