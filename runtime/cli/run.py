"""`seta run`: one run of a flow in the foreground, with nothing sent."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import msgspec

from compiler.catalog import Catalog
from runtime.admin.documents import NULL, RunWithSteps, detail_from, rfc3339
from runtime.cli import options, terminal
from runtime.cli.data import KNOWN_ERRORS
from runtime.cli.folder import code_environment, load_whole_or_refuse, secrets_or_refuse
from runtime.cli.problems import Problem
from runtime.compiling import flows_of
from runtime.door.bodies import Screen, decode
from runtime.folder import folder_of
from runtime.journal.rows import Kind, RunState
from runtime.loader import Loaded
from runtime.program import Program
from runtime.serve import now
from runtime.settings import Opening, Settings
from runtime.shapes import MisfitError, NotJsonError, read_json
from runtime.trial import Busy, Rehearsal, Restless, bench, ending, instant, run_live, shown, written

_BAD_ENDS: Final = (RunState.DEAD, RunState.PARKED)


class Sent(msgspec.Struct, frozen=True):
    """A call that a step would have made, or an event: `written` is how a flow would write it."""

    step: str
    verb: str
    written: str
    args: list[Any]


class Waited(msgspec.Struct, frozen=True):
    """A wait that passed at once, and until when it would have lasted (RFC 3339, UTC)."""

    step: str
    until: str


class Told(msgspec.Struct, frozen=True):
    """What the sender would have been told. `body` is null for none."""

    status: int
    body: msgspec.Raw


class RehearsalDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.rehearsal/1"):
    """`seta run --json`."""

    run: RunWithSteps
    answer: Told
    sent: list[Sent]
    waits: list[Waited]


@click.command(
    "run",
    epilog=options.examples(
        "seta run flows/erp.seta --payload pedido.json",
        "seta run flows --flow leads --payload - < lead.json",
    ),
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--payload", type=click.File("rb"), required=True, metavar="FILE|-", help="The body of the delivery, JSON."
)
@click.option("--flow", metavar="NAME", help="Which flow, where the path has several.")
@click.option("--live", is_flag=True, help="Send it all for real, and keep what comes of it in the data folder.")
@options.data
@options.allow_outbound
@options.output("text", "json")
@options.color
def command(  # noqa: PLR0913  # one an option
    *,
    path: Path,
    payload: BinaryIO,
    flow: str | None,
    live: bool,
    data: Path,
    allow_outbound: tuple[Opening, ...],
    format_: str,
    color: str,
) -> None:
    """Run a flow once, here and now, and tell what it would send.

    Nothing leaves the machine and nothing is kept: requests are noted and give nothing, persons and messages are in a
    journal that is thrown away, secrets are their names, and waits pass at once.

    With --live it runs as on a server. One that waits is left in the data folder, where `seta serve` goes on with it.
    The exit code is 1 where the run fails.
    """
    loaded = load_whole_or_refuse(path, color)
    known = loaded.catalog
    name, body = _flow(path, loaded, flow), payload.read().strip()
    folder = folder_of(path)
    _check_body(loaded.programs[name], body)
    if live:
        settings = Settings(
            flows=folder,
            data=data,
            allow_outbound=allow_outbound,
            secrets=secrets_or_refuse(loaded, folder),
            code_environment=code_environment(os.environ),
        )
        found = _run(run_live(loaded, name, body, settings, now))
    else:
        found = _run(_rehearse(folder.absolute(), loaded, name, body))
    if format_ == "json":
        terminal.show_json(_document(found, known))
    else:
        _show(found, known, color, sent="Sent" if live else "Would be sent")
    if found.run.run.state in _BAD_ENDS:
        raise SystemExit(1)


def _flow(path: Path, loaded: Loaded, wanted: str | None) -> str:
    names = [flow.name for flow in flows_of(path, loaded.folder)]
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted in names:
        return str(wanted)
    has = f"{path} has {', '.join(names)}" if names else f"{path} has no flow"
    raise click.UsageError(f"{has}: choose one with --flow" if wanted is None else f"{has}, and no flow {wanted}")


async def _rehearse(modules: Path, loaded: Loaded, flow: str, body: bytes) -> Rehearsal:
    async with bench(loaded, loaded.catalog, modules, code_environment(os.environ)) as at:
        return await at.rehearse(flow, body, now())


def _check_body(program: Program, body: bytes) -> None:
    """Refuse what the door would refuse, with every problem, before anything is opened."""
    try:
        decode(program.payload, Screen.of(program.payload), body)
    except MisfitError as misfit:
        lines = (f"  at {one.pointer or '/'}: expected {one.expected}, got {one.got}" for one in misfit.problems)
        raise Problem("\n".join([f"the payload does not fit {program.flow}:", *lines])) from misfit
    except NotJsonError as error:
        raise Problem(str(error)) from error


def _run(work: Coroutine[Any, Any, Rehearsal]) -> Rehearsal:
    try:
        return asyncio.run(work)
    except (Restless, Busy, *KNOWN_ERRORS) as error:
        raise Problem(str(error)) from error


# --- for people


def _show(found: Rehearsal, known: Catalog, color: str, *, sent: str) -> None:
    to = terminal.console(color)
    run = found.run.run
    to.print(terminal.styled(f"{run.flow}: {ending(found.run)}", terminal.STATE_STYLES[run.state]), soft_wrap=True)
    body = f" {written(read_json(found.answer.body))}" if found.answer.body else ""
    lists = (
        ("Answer", [f"{found.answer.start['status']}{body}"]),
        (sent, [shown(one, known.verbs) for one in found.sent]),
        ("Waits that passed at once", [f"{wait.step}, until {instant(wait.until)}" for wait in found.waits]),
        ("Log", [written(read_json(row.value)) for row in found.run.steps if row.kind is Kind.LOG]),
    )
    for title, lines in lists:
        if lines:
            to.print()
            to.print(terminal.styled(title, "bold"))
            to.print(terminal.text_block("\n".join(lines), indent="  "), soft_wrap=True)


# --- for scripts


def _document(found: Rehearsal, known: Catalog) -> RehearsalDocument:
    return RehearsalDocument(
        detail_from(found.run),
        Told(found.answer.start["status"], msgspec.Raw(found.answer.body or NULL)),
        [Sent(sent.step.id, sent.verb, shown(sent, known.verbs), sent.args) for sent in found.sent],
        [Waited(wait.step, rfc3339(wait.until)) for wait in found.waits],
    )
