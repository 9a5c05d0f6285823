"""Asking a data folder, through the server that owns it or directly, and saying plainly what went wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from runtime.admin.connect import Load, SeenBy, connect
from runtime.admin.operations import NoSuchFlowError, Operations, UnclearIdError, UnknownIdError
from runtime.admin.remote import RefusedError
from runtime.cli.problems import Problem
from runtime.engine.hands import WrongState
from runtime.facade import Facade
from runtime.journal import FolderInUse, JournalTooNew, NotAJournal
from runtime.journal.database import NAME, SqliteTooOld
from runtime.journal.protocol import JournalError
from runtime.settings import Settings

T = TypeVar("T")

# What goes wrong outside of us; the messages are for people.
KNOWN_ERRORS: Final = (
    FolderInUse,
    JournalError,
    JournalTooNew,
    NoSuchFlowError,
    UnknownIdError,
    NotAJournal,
    RefusedError,
    SqliteTooOld,
    UnclearIdError,
    WrongState,
    OSError,
)


def ask(settings: Settings, question: Callable[[Operations], Awaitable[T]], load: Load | None = None) -> T:
    """Ask the data folder. Raises Problem where there is none yet.

    `load` gives the programs that would be served, by flow, to who asks for them where no server runs.
    """
    if not (settings.data / NAME).is_file():
        raise Problem(f"there is no data in {settings.data} yet: `seta serve` makes it, --data names another folder")
    return run(_ask(settings, question, lambda _: Facade(settings, dict), load))


async def _ask(
    settings: Settings, question: Callable[[Operations], Awaitable[T]], seen_by: SeenBy, load: Load | None = None
) -> T:
    async with connect(settings, seen_by, load=load) as operations:
        return await question(operations)


def ask_outside(settings: Settings, seen_by: SeenBy, question: Callable[[Operations], Awaitable[T]]) -> T:
    """Ask what senders see; without data there is a key to be made, which later servers keep."""
    return run(_ask(settings, question, seen_by))


def run(work: Awaitable[T]) -> T:
    """Run a coroutine to its end, with known errors as problems."""

    async def main() -> T:
        return await work

    try:
        return asyncio.run(main())
    except KNOWN_ERRORS as error:
        raise Problem(str(error)) from error


def settings_for(data: Path) -> Settings:
    """Make the settings of a command that only asks."""
    return Settings(data=data)
