"""`seta persons`: who is known."""

from pathlib import Path

import click

from runtime.admin.documents import PersonList
from runtime.cli import options, terminal
from runtime.cli.data import ask, settings_for


@click.command("persons")
@options.data
@options.limit
@options.output("text", "json")
@options.color
def command(*, data: Path, limit: int, format_: str, color: str) -> None:
    """List the persons that flows have made, newest first."""
    persons = ask(settings_for(data), lambda operations: operations.persons(limit))
    if format_ == "json":
        terminal.show_json(PersonList(persons))
        return
    now = terminal.now()
    rows = [
        [
            terminal.styled(person.id, "dim"),
            terminal.styled(person.name or "", "bold"),
            terminal.styled(person.phone or ""),
            terminal.styled(person.email or ""),
            terminal.styled(terminal.age(person.updated_at, now)),
        ]
        for person in persons
    ]
    terminal.show_rows(color, ("ID", "NAME", "PHONE", "EMAIL", "UPDATED"), rows, "no persons yet")
