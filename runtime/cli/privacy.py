"""`seta privacy`: what is kept of one person, told and erased."""

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.text import Text

from runtime.admin.documents import rfc3339
from runtime.admin.operations import Operations, UnknownIdError
from runtime.admin.personal import ErasedDocument, Found, opening, row
from runtime.cli import options, terminal
from runtime.cli.data import ask, settings_for
from runtime.cli.problems import Problem
from runtime.failures import StepFailure
from runtime.privacy.erasure import Counts
from runtime.privacy.traces import Keys, keys_of

F = TypeVar("F", bound=Callable[..., Any])

_WORDS: Final = {
    "runs": ("run", "runs"),
    "rejected": ("rejected delivery", "rejected deliveries"),
    "events": ("event", "events"),
    "answers": ("answer for repeats", "answers for repeats"),
    "persons": ("person", "persons"),
    "outbox": ("message", "messages"),
}


@click.group(
    "privacy",
    epilog=options.examples(
        'seta privacy find --phone "(11) 98765-4321"',
        "seta privacy export --email ana@example.com > ana.json",
        "seta privacy erase --phone +5511987654321 --email ana@example.com",
    ),
)
def command() -> None:
    """Find, export or erase all that is kept of one person.

    A phone is found in whatever form it was written, with and without the ninth digit.
    """


def _person(function: F) -> F:
    """The options that say who is meant."""
    for add in (
        click.option("--region", default="BR", show_default=True, help="Country of a phone without country code."),
        click.option("--email", metavar="EMAIL", help="The person's email."),
        click.option("--phone", metavar="PHONE", help="The person's phone, in any usual form."),
    ):
        function = add(function)
    return function


def _keys(phone: str | None, email: str | None, region: str) -> Keys:
    if phone is None and email is None:
        raise click.UsageError("say --phone or --email, or both of the same person")
    try:
        return keys_of(phone, email, region)
    except StepFailure as failure:
        raise click.BadParameter(failure.message, param_hint="--phone") from failure
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--email") from error


@command.command("find")
@_person
@options.data
@options.output("text", "json")
@options.color
def find(  # noqa: PLR0913  # one an option
    *, phone: str | None, email: str | None, region: str, data: Path, format_: str, color: str
) -> None:
    """List what is kept of a person, without what it says."""
    keys = _keys(phone, email, region)
    found = ask(settings_for(data), lambda operations: operations.privacy_find(keys))
    if format_ == "json":
        terminal.show_json(found)
        return
    terminal.show_rows(color, ("WHAT", "ID", "", "", "AT"), list(_rows(found)), "nothing is kept of this person")
    for erasure in found.erased:
        click.echo(f"erased before, at {erasure.at}, by this {erasure.kind}: {_counted(erasure.counts)}")
    if found.opted_out:
        click.echo("who was erased wanted no messages: that is kept, as a hash, and gets none")
    _tell_of_copies(data)


def _rows(found: Found) -> list[list[Text]]:
    runs = [("run", run.id, run.flow, run.state, run.received_at) for run in found.runs]
    rejected = [("rejected delivery", one.id, one.flow, "", one.received_at) for one in found.rejected]
    events = [("event", "", event.name, "", event.at) for event in found.events]
    answers = [("answer for repeats", answer.run, "", "", "") for answer in found.answers]
    persons = [("person", person.id, "", "", person.updated_at) for person in found.persons]
    messages = [("message", message.id, message.template, "", message.at) for message in found.outbox]
    return [
        [terminal.styled(cell) for cell in cells]
        for cells in (*persons, *messages, *runs, *rejected, *events, *answers)
    ]


def _counted(counts: Counts) -> str:
    numbers = [(getattr(counts, name), words) for name, words in _WORDS.items()]
    told = [f"{number} {one if number == 1 else several}" for number, (one, several) in numbers if number]
    return ", ".join(told) or "nothing"


@command.command("export")
@_person
@options.data
def export(*, phone: str | None, email: str | None, region: str, data: Path) -> None:
    """Write all that is kept of a person to standard output, as JSON."""
    keys = _keys(phone, email, region)
    ask(settings_for(data), lambda operations: _export(operations, keys))


async def _export(operations: Operations, keys: Keys) -> None:
    async for part in _parts(operations, keys):
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.write(b"\n")


async def _parts(operations: Operations, keys: Keys) -> AsyncIterator[bytes]:
    """A document in pieces, each of one run or delivery: all of them together may be too much for the memory."""
    found = await operations.privacy_find(keys)
    at = rfc3339(int(terminal.now().timestamp() * 1000))
    yield opening(found, at, keys.phone, keys.email)
    yield b',"rejected":['
    async for part in _listed(operations.rejected_delivery, [one.id for one in found.rejected]):
        yield part
    yield b'],"runs":['
    async for part in _listed(operations.run, [run.id for run in found.runs]):
        yield part
    yield b"]}"


async def _listed(give: Callable[[str], Any], ids: list[str]) -> AsyncIterator[bytes]:
    comma = b""
    for one in ids:
        try:
            yield comma + row(await give(one))
        except UnknownIdError:  # it was over in the meantime
            continue
        comma = b","


@command.command("erase")
@_person
@options.data
@click.option("--cancel-runs", is_flag=True, help="Cancel runs that have not ended and hold some of it.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@options.output("text", "json")
def erase(  # noqa: PLR0913  # one an option
    *,
    phone: str | None,
    email: str | None,
    region: str,
    data: Path,
    cancel_runs: bool,
    yes: bool,
    format_: str,
) -> None:
    """Erase all that is kept of a person, for good.

    Of a run that holds some of it, everything goes. Runs that have not ended keep all of it from being erased: let them
    end, or cancel them. That something was erased is noted, under a hash of the phone or email, and so is that the
    person wants no messages. Backups, and what flows have sent elsewhere, are out of reach.
    """
    keys = _keys(phone, email, region)
    settings = settings_for(data)
    if not yes:
        found = ask(settings, lambda operations: operations.privacy_find(keys))
        click.confirm(f"Erase {_counted(found.counts)} for good?", abort=True, err=True)
    erased = ask(settings, lambda operations: operations.privacy_erase(keys, cancel=cancel_runs))
    if format_ == "json":
        terminal.show_json(erased)
    else:
        _tell(erased)
    _tell_of_copies(data)
    if not erased.log_is_clean:
        raise Problem("the database's log still holds some of it, because something reads it all the time: erase again")


def _tell(erased: ErasedDocument) -> None:
    cancelled = f"; {erased.cancelled} of the runs cancelled for that" if erased.cancelled else ""
    click.echo(f"erased: {_counted(erased.counts)}{cancelled}")


def _tell_of_copies(data: Path) -> None:
    """Say which files an older version has left."""
    for file in sorted(data.glob("seta-*.db")):
        click.echo(f"{file} is a copy of older data, which is not looked into: remove it when you can", err=True)
