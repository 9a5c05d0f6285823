"""`seta test`: run the tests that stand beside the flows."""

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import msgspec

from compiler.ir.trials import Trial
from dsl import Diagnostic, Label, render_text
from runtime.cli import options, terminal
from runtime.cli.folder import code_environment, load_whole_or_refuse
from runtime.cli.problems import is_colored
from runtime.compiling import trials_of
from runtime.folder import folder_of
from runtime.loader import Loaded
from runtime.trial import Outcome, bench

_WIDEST: Final = 120
_WIDTH_OF_A_PIPE: Final = 100


class Position(msgspec.Struct, frozen=True):
    """A place in a file, both counted from 1; columns are code points."""

    line: int
    column: int


class Place(msgspec.Struct, frozen=True):
    """What is said of a part of a file."""

    file: str
    start: Position
    end: Position
    text: str


class Finding(msgspec.Struct, frozen=True):
    """Something that was not as the test says."""

    message: str
    primary: Place
    related: tuple[Place, ...]
    notes: tuple[str, ...]


class Test(msgspec.Struct, frozen=True):
    """A test and what came of it."""

    flow: str
    title: str
    file: str
    line: int
    passed: bool
    milliseconds: int
    findings: tuple[Finding, ...]


class TestList(msgspec.Struct, frozen=True, tag_field="schema", tag="seta.tests/1"):
    """`seta test --json`, in the order in which the tests stand."""

    tests: tuple[Test, ...]


@click.command(
    "test",
    epilog=options.examples(
        "seta test",
        "seta test flows/carrinho.seta",
        "seta test --only carrinho    those whose flow or title has this in it",
    ),
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@options.flows
@click.option("--only", metavar="TEXT", help="Run the tests whose flow or title has this in it.")
@options.output("text", "json")
@options.color
def command(*, paths: tuple[Path, ...], flows: Path, only: str | None, format_: str, color: str) -> None:
    """Run the tests of flows: of files, or of all in a folder.

    Each runs on an engine and a journal of its own. Time moves only as the test says, and nothing leaves the machine:
    what would is noted, and answered by the test's mocks. The exit code is 1 where a test fails.
    """
    folders = [(path, load_whole_or_refuse(path, color)) for path in paths or (flows,)]
    chosen = [(path, loaded, _chosen(path, loaded, only)) for path, loaded in folders]
    if only is not None and not any(trials for _, _, trials in chosen):
        raise click.UsageError(f"no test has {only!r} in its title or the name of its flow")
    outcomes = [
        outcome
        for path, loaded, trials in chosen
        for outcome in asyncio.run(_run(folder_of(path).absolute(), loaded, trials))
    ]
    if format_ == "json":
        terminal.show_json(TestList(tuple(map(_told, outcomes))))
    else:
        _show(outcomes, color)
    if not all(outcome.passed for outcome in outcomes):
        raise SystemExit(1)


def _chosen(path: Path, loaded: Loaded, only: str | None) -> list[Trial]:
    word = (only or "").casefold()
    found = trials_of(path, loaded.folder)
    return [trial for trial in found if word in trial.flow.casefold() or word in trial.title.casefold()]


async def _run(modules: Path, loaded: Loaded, trials: Sequence[Trial]) -> list[Outcome]:
    async with bench(loaded, loaded.catalog, modules, code_environment(os.environ)) as at:
        return [await at.run(trial) for trial in trials]


# --- for people


def _show(outcomes: Sequence[Outcome], color: str) -> None:
    to = terminal.console(color)
    column = max((len(outcome.trial.flow) for outcome in outcomes), default=0)
    for outcome in outcomes:
        word = terminal.styled("passed", "green") if outcome.passed else terminal.styled("FAILED", "bold red")
        to.print(word, terminal.styled(f"{outcome.trial.flow:<{column}}  {outcome.trial.title}"), soft_wrap=True)
    is_terminal = sys.stdout.isatty()
    width = min(shutil.get_terminal_size().columns, _WIDEST) if is_terminal else _WIDTH_OF_A_PIPE
    for outcome in outcomes:
        if not outcome.passed:
            click.echo()
            text = render_text(outcome.findings, color=is_colored(color, is_terminal), width=width)
            click.echo(text, nl=False, color=True)
    click.echo(_summary(outcomes))


def _summary(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return 'no tests: a flow is tested by test "…" for FLOW { given {…} expect … } in a file of the folder'
    failed = sum(not outcome.passed for outcome in outcomes)
    counts = f"{len(outcomes) - failed} passed" + (f", {failed} failed" if failed else "")
    return f"\n{counts} in {sum(outcome.seconds for outcome in outcomes):.1f} s"


# --- for scripts


def _told(outcome: Outcome) -> Test:
    trial = outcome.trial
    return Test(
        flow=trial.flow,
        title=trial.title,
        file=trial.source.path,
        line=trial.source.position(trial.span.start).line,
        passed=outcome.passed,
        milliseconds=round(outcome.seconds * 1000),
        findings=tuple(map(_finding, outcome.findings)),
    )


def _finding(found: Diagnostic) -> Finding:
    return Finding(found.message, _place(found.primary), tuple(map(_place, found.related)), found.notes)


def _place(label: Label) -> Place:
    start, end = (label.source.position(offset) for offset in (label.span.start, label.span.end))
    return Place(label.source.path, Position(start.line, start.column), Position(end.line, end.column), label.text)
