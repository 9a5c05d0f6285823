"""`seta restore`: a backup becomes the data of a folder."""

from pathlib import Path

import apsw
import click

from runtime.admin.documents import Restored
from runtime.cli import options, terminal
from runtime.cli.data import KNOWN_ERRORS
from runtime.cli.problems import Problem
from runtime.connections import local
from runtime.journal import take_blocking
from runtime.journal.backup import restore
from runtime.journal.database import NAME


@click.command("restore", epilog=options.examples("seta restore /mnt/backups/seta-2026-11-24.db --data .seta"))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.data
@options.output("text", "json")
def command(*, file: Path, data: Path, format_: str) -> None:
    """Put a backup into a folder of data that has none.

    Runs that had not ended are parked: what they did since the backup is not known here. `seta runs` shows them, `seta
    runs cancel` ends one, and `seta runs release` lets the others go on.
    """
    try:
        parked = _restore(file, data)
    except (apsw.Error, *KNOWN_ERRORS) as error:
        raise Problem(f"{file} cannot be restored: {error}") from error
    if format_ == "json":
        terminal.show_json(Restored(parked))
        return
    click.echo(
        f"{data} is restored; {parked} {'run is' if parked == 1 else 'runs are'} parked until `seta runs release`"
    )


def _restore(file: Path, data: Path) -> int:
    held = take_blocking(data, wait=0)
    try:
        return restore(file, data / NAME, (local.TABLES,))
    finally:
        held.release()
