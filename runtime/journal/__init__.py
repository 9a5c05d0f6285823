"""The durable memory of one server: what it accepted, what its steps gave, how its runs ended."""

from runtime.journal.database import SqliteTooOld
from runtime.journal.lock import FolderInUse, FolderLock, take, take_blocking
from runtime.journal.reader import ReadTooLong
from runtime.journal.schema import JournalTooNew, NotAJournal, Tables
from runtime.journal.sqlite import SqliteJournal, open_journal

__all__ = [
    "FolderInUse",
    "FolderLock",
    "JournalTooNew",
    "NotAJournal",
    "ReadTooLong",
    "SqliteJournal",
    "SqliteTooOld",
    "Tables",
    "open_journal",
    "take",
    "take_blocking",
]
