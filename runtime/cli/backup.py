"""`seta backup`: a copy of all that is kept, while a server runs or not."""

from pathlib import Path

import click

from runtime.admin.documents import Backup
from runtime.cli import options, terminal
from runtime.cli.data import ask, settings_for


@click.command("backup", epilog=options.examples("seta backup /mnt/backups/seta-2026-11-24.db"))
@click.argument("file", type=click.Path(path_type=Path))
@options.data
@options.output("text", "json")
def command(*, file: Path, data: Path, format_: str) -> None:
    """Write a copy of the database to a file that is not there yet.

    It holds everything that is kept, the key of the addresses included: guard it as the folder of data. Do not copy the
    database file itself.
    """
    path = file.absolute()
    ask(settings_for(data), lambda operations: operations.backup(path))
    if format_ == "json":
        terminal.show_json(Backup(str(path)))
        return
    click.echo(f"{file} is written")
