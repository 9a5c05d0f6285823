"""Accepts deliveries and says so on its output, until somebody kills it."""

import asyncio
import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from runtime.journal import SqliteJournal, open_journal
from tests.runtime.journal.made import NOW, accept


async def deliver(journal: SqliteJournal, name: str) -> None:
    for number in itertools.count():
        one = accept(f"{name}-{number}", body=b"x" * (number % 5000))
        await journal.commit(one)
        sys.stdout.write(f"{one.run_id} {one.seq}\n")
        sys.stdout.flush()


async def main() -> None:
    journal = await open_journal(Path(sys.argv[1]), clock=lambda: NOW)
    await asyncio.gather(*[deliver(journal, str(number)) for number in range(16)])


asyncio.run(main())
