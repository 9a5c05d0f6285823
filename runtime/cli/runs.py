"""`seta runs`: what came of each delivery."""

from datetime import datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.text import Text

from runtime.admin.documents import NULL, Run, RunDocument, RunError, RunList, RunWithSteps, Step
from runtime.admin.operations import ALL, RunFilter
from runtime.cli import changes, options, terminal
from runtime.cli.data import ask, settings_for
from runtime.journal.rows import RunState

_VALUE_WIDTH: Final = 200  # characters of a step's value; all of it is in the JSON


@click.group(
    "runs",
    cls=options.ListGroup,
    epilog=options.examples(
        "seta runs                       the newest runs",
        "seta runs --state dead          those that failed for good",
        "seta runs --flow leads --since 2h",
        "seta runs show 0192f3           one run, by the beginning of its id",
        "seta runs retry 0192f3          let a dead or parked run go on",
    ),
)
def command() -> None:
    """List runs, show one, or say how one goes on."""


for change in changes.COMMANDS:
    command.add_command(change)


@command.command("list")
@options.data
@click.option("--flow", metavar="NAME", help="Of this flow only.")
@click.option("--state", type=click.Choice([state.value for state in RunState]), help="In this state only.")
@options.since
@options.limit
@options.output("text", "json")
@options.color
def list_command(  # noqa: PLR0913  # one an option
    *, data: Path, flow: str | None, state: str | None, since: int | None, limit: int, format_: str, color: str
) -> None:
    """List runs, newest first."""
    wanted = RunFilter(flow, None if state is None else RunState(state), terminal.before_now(since))
    runs = ask(settings_for(data), lambda operations: operations.runs(limit, wanted))
    if format_ == "json":
        terminal.show_json(RunList(runs))
        return
    now = terminal.now()
    rows = [
        [
            terminal.styled(run.id),
            terminal.styled(run.flow, "bold"),
            _state(run),
            terminal.styled(terminal.age(run.received_at, now)),
            terminal.styled(_note(run)),
        ]
        for run in runs
    ]
    terminal.show_rows(
        color, ("RUN", "FLOW", "STATE", "RECEIVED", ""), rows, "no such runs" if wanted != ALL else "no runs yet"
    )


@command.command("show")
@click.argument("run_id", metavar="ID")
@options.data
@options.output("text", "json")
@options.color
def show_command(*, run_id: str, data: Path, format_: str, color: str) -> None:
    """Show one run with its payload and every step. The beginning of its id is enough."""
    run = ask(settings_for(data), lambda operations: operations.run(run_id))
    if format_ == "json":
        terminal.show_json(RunDocument(run))
        return
    to = terminal.console(color)
    _show_head(to, run, terminal.now())
    _show_error(to, run)
    terminal.show_value(to, "Payload", run.payload)
    terminal.show_value(to, "Notes", run.notes)
    _show_steps(to, run)


def _state(run: Run) -> Text:
    return terminal.styled(run.state, terminal.STATE_STYLES[run.state])


def _note(run: Run) -> str:
    if run.error is not None:
        return f"{run.error.step}: {run.error.message}" if run.error.step else run.error.message
    return f"at {run.step}" if run.step else ""


def _show_head(to: Console, run: RunWithSteps, now: datetime) -> None:
    to.print(Text.assemble(("Run ", "bold"), run.id, "  ", _state(run)))
    facts = [
        ("flow", run.flow),
        ("plan", run.plan),
        ("key", run.key),
        ("received", terminal.instant(run.received_at, now)),
        ("ended", run.ended_at and terminal.instant(run.ended_at, now)),
        ("goes on", run.wake_at),
        ("suspect", _suspicion(run)),
    ]
    terminal.show_facts(to, facts)


def _suspicion(run: RunWithSteps) -> str:
    if not run.deaths:
        return ""
    died = "once" if run.deaths == 1 else f"{run.deaths} times"
    return f"the server died {died} while it ran" + (f", {run.strikes} with nothing beside it" if run.strikes else "")


_HELD: Final = "held"  # the code of what was not attempted
_ERROR_TITLES: Final = {
    RunState.DEAD: "Dead letter",
    RunState.PARKED: "Parked: somebody has to look at it",
    RunState.WAITING: "The last attempt failed",
}


def _show_error(to: Console, run: RunWithSteps) -> None:
    error = run.error
    if error is None:
        return
    to.print()
    style = terminal.STATE_STYLES[run.state]
    held = error.code == _HELD and run.state is RunState.WAITING
    title = "Held: it is tried when the host may be asked" if held else _ERROR_TITLES.get(run.state)
    to.print(terminal.styled(title or "What went wrong", style))
    _show_failure(to, error)
    if error.handler is not None:
        to.print(terminal.styled("Then `on error` failed too", style))
        _show_failure(to, error.handler)


def _show_failure(to: Console, error: RunError) -> None:
    to.print(terminal.styled(f"  {error.code}: {error.message}"), soft_wrap=True)
    attempts = f", attempt {error.attempt}" if error.attempt else ""
    where = f", {error.where}" if error.where else ""
    to.print(terminal.styled(f"  at step {error.step or '?'}{attempts}{where}", "dim"), soft_wrap=True)


def _show_steps(to: Console, run: RunWithSteps) -> None:
    to.print()
    if not run.steps:
        to.print(terminal.styled("No step is recorded.", "dim"))
        return
    start = datetime.fromisoformat(run.received_at)
    rows = [
        [
            terminal.styled(step.step, "bold"),
            terminal.styled(step.kind, "red" if step.kind == "failed" else ""),
            terminal.styled(str(step.attempt)),
            terminal.styled(f"{(datetime.fromisoformat(step.at) - start).total_seconds():.3f} s"),
            terminal.styled(_value(step)),
        ]
        for step in run.steps
    ]
    terminal.show_table(to, ("STEP", "RECORD", "ATTEMPT", "AFTER", "VALUE"), rows)


def _value(step: Step) -> str:
    text = "" if bytes(step.value) == NULL else bytes(step.value).decode()
    return text if len(text) <= _VALUE_WIDTH else f"{text[:_VALUE_WIDTH]}…"
