"""`seta runs retry`, `cancel`, `resolve` and `release`: how runs go on."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import click

from runtime.admin.documents import Released, RunDocument, RunWithSteps, is_json
from runtime.admin.operations import Operations
from runtime.cli import options, terminal
from runtime.cli.data import ask, settings_for


@click.command("retry")
@click.argument("run_id", metavar="ID")
@options.data
@options.output("text", "json")
def retry(*, run_id: str, data: Path, format_: str) -> None:
    """Let a dead or parked run go on, on the plan that it began with.

    What is recorded counts; the step that failed is tried again with the same key, and so is what `on error` did after
    it.
    """
    _change(data, format_, lambda operations: operations.retry(run_id))


@click.command("cancel")
@click.argument("run_id", metavar="ID")
@options.data
@options.output("text", "json")
def cancel(*, run_id: str, data: Path, format_: str) -> None:
    """End a run that is open or parked, before its next effect.

    A step that is under way is broken off, and nobody can tell whether it happened.
    """
    _change(data, format_, lambda operations: operations.cancel(run_id))


@click.command(
    "resolve", epilog=options.examples("seta runs resolve 0192f3 --sent", "seta runs resolve 0192f3 --not-sent")
)
@click.argument("run_id", metavar="ID")
@click.option("--sent/--not-sent", "sent", default=None, help="Whether the step happened.", is_flag=True)
@click.option("--result", metavar="JSON", help="What a step that happened gave, where the flow uses that.")
@options.data
@options.output("text", "json")
def resolve(*, run_id: str, sent: bool | None, result: str | None, data: Path, format_: str) -> None:
    """Say what became of a step that parked its run as unknown, and let the run go on.

    With --sent the step is done; with --not-sent it is tried again.
    """
    if sent is None:
        raise click.UsageError("say --sent or --not-sent")
    if result is not None and not sent:
        raise click.UsageError("--result goes with --sent: a step that did not happen gave nothing")
    if result is not None and not is_json(result.encode()):
        raise click.BadParameter(f"{result!r} is not JSON", param_hint="--result")
    given = (result or "null").encode() if sent else None
    _change(data, format_, lambda operations: operations.resolve(run_id, given))


@click.command("release")
@options.data
@options.output("text", "json")
def release(*, data: Path, format_: str) -> None:
    """Let all runs go on that `seta restore` has parked."""
    released = ask(settings_for(data), lambda operations: operations.release())
    if format_ == "json":
        terminal.show_json(Released(released))
        return
    click.echo(f"{released} {'run goes' if released == 1 else 'runs go'} on")


COMMANDS: Final = (retry, cancel, resolve, release)


def _change(data: Path, format_: str, change: Callable[[Operations], Awaitable[RunWithSteps]]) -> None:
    run = ask(settings_for(data), change)
    if format_ == "json":
        terminal.show_json(RunDocument(run))
        return
    click.echo(f"run {run.id} is {run.state.value}")
    if run.error is not None:
        click.echo(f"  {terminal.clean(run.error.step)}: {terminal.clean(run.error.message)}")
