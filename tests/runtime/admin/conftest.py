"""A journal with a few runs in it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from runtime.admin.documents import Url
from runtime.admin.operations import LocalOperations, NoSuchFlowError
from runtime.connections import local
from runtime.engine.hands import Hands
from runtime.journal import SqliteJournal, open_journal
from runtime.journal.rows import Kind, Misfit, RunState
from runtime.journal.writes import Accept, Move, Record, Reject
from runtime.privacy.erasure import Privacy

AT: Final = 1_767_225_600_000  # 2026-01-01T00:00:00Z
DEAD: Final = "01900000-0000-7000-8000-00000000000a"
DONE: Final = "01900000-0000-7000-8000-00000000000b"
PARKED_STEP: Final = "send_hsm"
OPEN: Final = "01911111-0000-7000-8000-000000000000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def journal(folder: Path) -> AsyncIterator[SqliteJournal]:
    journal = await open_journal(folder, clock=lambda: AT, tables=(local.TABLES,))
    await fill(journal)
    yield journal
    await journal.close()


async def fill(journal: SqliteJournal) -> None:
    """Three runs, oldest first: dead, done, running; one person, one message."""
    dead = Accept(DEAD, DEAD, "retomada", "plan-1", AT, b'{"telefone":"abc"}', notes=b'{"left_out":["/email"]}')
    done = Accept(DONE, DONE, "retomada", "plan-1", AT + 1, b'{ "telefone": "11999998888" }')
    running = Accept(OPEN, OPEN, "erp", "plan-2", AT + 2, b"[1.50]")
    await journal.commit(dead, done, running)
    error = b'{"step":"phone","code":"no_digits","message":"no digits","attempt":1,"where":"flows/retomada.seta:1:15"}'
    message = Record(done.seq, "send_hsm", Kind.RESULT, b"b", AT + 4)
    message.effect = lambda connection: (
        local.put_message(connection, DONE, to="+5511999998888", template="retomada", params={"nome": "João"}, at=AT).id
    )
    person = Record(done.seq, "upsert_person", Kind.RESULT, b"a", AT + 3)
    person.effect = lambda connection: local.upsert_person(
        connection, DONE, at=AT, phone="+5511999998888", name="João \x1b[31mSilva"
    )
    await journal.commit(
        Move(dead.seq, RunState.DEAD, AT + 5, step="phone", error=error),
        person,
        message,
        Move(done.seq, RunState.DONE, AT + 1500),
    )


@dataclass(frozen=True)
class Seen:
    """What senders see of a server that a test makes up."""

    known: list[Url] = field(default_factory=list)

    def urls(self) -> list[Url]:
        """Its addresses."""
        return self.known

    def openapi(self, flow: str | None) -> dict[str, Any]:
        """Something like a document."""
        if flow not in (None, *(url.flow for url in self.known)):
            raise NoSuchFlowError(str(flow), [url.flow for url in self.known])
        return {"openapi": "3.1.0", "of": flow}


def operations(journal: SqliteJournal, urls: list[Url] | None = None) -> LocalOperations:
    """What a folder without a server can do."""
    return with_hands(journal, Hands(journal, lambda: AT), urls)


AHEAD: Final = 3_600_000  # of the steady clock is the wall clock, in ms


def with_hands(journal: SqliteJournal, hands: Hands, urls: list[Url] | None = None) -> LocalOperations:
    """What these hands can do."""
    privacy = Privacy(journal, lambda: AT, hands, b"salt")
    return LocalOperations(journal, Seen(urls or []), hands, privacy, on_the_wall=lambda instant: instant + AHEAD)


REJECTED: Final = "01910000-0000-7000-8000-00000000000a"
REJECTED_TOO: Final = "01910000-0000-7000-8000-00000000000b"


async def reject(journal: SqliteJournal) -> None:
    """Two deliveries that did not fit, oldest first: one with a header, one of a form with two problems."""
    context = b'{"headers":{"x-id":"7"},"query":{"utm":"a"}}'
    problem = b'{"pointer":"/telefone","expected":"phone","got":"nothing"}'
    other = b'{"pointer":"","expected":"object","got":"text"}'
    one = Misfit(REJECTED, "plan-1", AT, AT + 5000, b'{ "nome": "Jo\xc3\xa3o" }', context, b"[%b]" % problem)
    form = b'{"headers":{},"query":{},"form":true}'
    two = Misfit(REJECTED_TOO, "plan-2", AT + 1, AT + 5000, b'{"a":"b"}', form, b"[%b,%b]" % (other, problem))
    await journal.commit(Reject("retomada", (one,)), Reject("erp", (two,)))


async def park(journal: SqliteJournal) -> None:
    """Let nobody know whether a step of the open run happened."""
    error = b'{"step":"%s","code":"unknown","message":"lost","attempt":1,"where":""}' % PARKED_STEP.encode()
    await journal.commit(
        Record(3, PARKED_STEP, Kind.STARTED, b"c", AT + 5),
        Move(3, RunState.PARKED, AT + 6, step=PARKED_STEP, error=error),
    )
