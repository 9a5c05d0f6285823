"""`seta outbox`: what was sent."""

from pathlib import Path

import click
import msgspec

from runtime.admin.documents import Message, MessageList
from runtime.cli import options, terminal
from runtime.cli.data import ask, settings_for


@click.command("outbox")
@options.data
@options.limit
@options.output("text", "json")
@options.color
def command(*, data: Path, limit: int, format_: str, color: str) -> None:
    """List the messages in the local outbox, newest first."""
    messages = ask(settings_for(data), lambda operations: operations.outbox(limit))
    if format_ == "json":
        terminal.show_json(MessageList(messages))
        return
    now = terminal.now()
    rows = [
        [
            terminal.styled(message.id, "dim"),
            terminal.styled(message.to),
            terminal.styled(message.template, "bold"),
            terminal.styled(_params(message)),
            terminal.styled(terminal.age(message.at, now)),
        ]
        for message in messages
    ]
    terminal.show_rows(color, ("ID", "TO", "TEMPLATE", "PARAMETERS", "SENT"), rows, "no messages yet")


def _params(message: Message) -> str:
    return msgspec.json.encode(message.params).decode() if message.params else ""
