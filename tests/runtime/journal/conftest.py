"""A journal in a folder of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from runtime.journal import SqliteJournal, Tables, open_journal
from tests.runtime.journal.made import NOW

Open = Callable[..., Awaitable[SqliteJournal]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def opened(folder: Path) -> AsyncIterator[Open]:
    """Opens journals that the test's end closes."""
    journals: list[SqliteJournal] = []

    async def open_one(where: Path = folder, *, tables: tuple[Tables, ...] = (), wait: float = 0) -> SqliteJournal:
        journal = await open_journal(where, clock=lambda: NOW, tables=tables, wait=wait)
        journals.append(journal)
        return journal

    yield open_one
    for journal in journals:
        await journal.close()


@pytest.fixture
async def journal(opened: Open) -> SqliteJournal:
    return await opened()
