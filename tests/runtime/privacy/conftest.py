"""A folder of data in which one person stands in every place that there is, among others."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from runtime.connections import local
from runtime.engine.hands import Hands
from runtime.journal import SqliteJournal, open_journal
from runtime.journal.rows import Kind, Misfit, RunState
from runtime.journal.writes import Accept, Await, Emit, KeepAnswer, Move, Record, Reject, Write
from runtime.privacy.erasure import Privacy

AT: Final = 1_767_225_600_000  # 2026-01-01T00:00:00Z
DAY: Final = 86_400_000
PHONE: Final = "+5511987654321"
EMAIL: Final = "joao.silva@example.com"
NAME: Final = "João Silva"
NEEDLES: Final = (b"98765-4321", b"11987654321", b"1187654321", EMAIL.encode(), b"Silva", b"Rua das Flores")


@dataclass
class Folder:
    """An open journal with what finds and erases in it."""

    path: Path
    journal: SqliteJournal
    privacy: Privacy
    flushed: int = 0

    async def flush(self) -> None:
        """Take note that it was asked for."""
        self.flushed += 1

    def raw(self) -> dict[str, set[bytes]]:
        """Which of the needles stand in which file, byte by byte."""
        files = {file.name: file.read_bytes() for file in self.path.iterdir() if file.is_file()}
        return {name: found for name, data in files.items() if (found := {one for one in NEEDLES if one in data})}


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    path = tmp_path / "data"
    journal = await open_journal(path, clock=lambda: AT, tables=(local.TABLES,))

    async def flush() -> None:
        await made.flush()

    privacy = Privacy(journal, lambda: AT + 5, Hands(journal, lambda: AT), b"salt", flush)
    made = Folder(path, journal, privacy)
    yield made
    await journal.close()


def lead(phone: str = "(11) 98765-4321", **more: Any) -> bytes:
    """A body as a form of a site sends it."""
    return msgspec.json.encode({"nome": NAME, "telefone": phone, "endereco": "Rua das Flores, 10", **more})


def other(n: int) -> bytes:
    """The body of somebody else."""
    chosen = random.Random(n)
    return msgspec.json.encode(
        {"nome": f"Maria {n}", "telefone": f"(21) 9{chosen.randrange(10**8):08}", "texto": "x" * chosen.randrange(900)}
    )


async def run(journal: SqliteJournal, body: bytes, *records: Record, state: RunState | None = RunState.DONE) -> Accept:
    """A run with records, in the end of this state; None: it goes on."""
    one = Accept(f"run{(await count(journal, 'runs')):08}", "key", "leads", "plan", AT, body)
    await journal.commit(one)
    for record in records:
        record.run = one.seq
    writes: list[Write] = [*records]
    if state is not None:
        writes.append(Move(one.seq, state, AT + 1))
    await journal.commit(*writes)
    return one


async def count(journal: SqliteJournal, table: str) -> int:
    """The rows of a table."""
    return await journal.read(lambda c: int(c.execute(f"SELECT count(*) FROM {table}").get or 0))  # noqa: S608  # a test's own


def record(step: str, value: bytes, kind: Kind = Kind.RESULT) -> Record:
    """What a step gave."""
    return Record(0, step, kind, b"hash", AT, value=value)


async def everywhere(journal: SqliteJournal) -> None:
    """One person in every table."""
    await run(journal, lead())
    await run(journal, b"{}", record("get", b'{"fone":5511987654321,"n":"%s"}' % NAME.encode()))
    await run(journal, b"{}", record("code.output~1", b'"tel: 55 11 8765 4321\\n"', Kind.LOG))
    dead = await run(journal, b"{}", state=None)
    await journal.commit(Move(dead.seq, RunState.DEAD, AT, error=b'{"message":"no such person: %s"}' % EMAIL.encode()))
    answered = Accept("answered", "key", "leads", "plan", AT, b"{}")
    answered.dedupe, answered.dedupe_until = b"k", AT + DAY
    await journal.commit(answered)
    await journal.commit(KeepAnswer("answered", b'{"status":200,"body":{"telefone":"11987654321"}}'))
    await journal.commit(Move(answered.seq, RunState.DONE, AT))
    sender = await run(journal, b"{}", state=None)
    await journal.commit(Emit(sender.seq, "e", b"h", "paid", PHONE, b'{"email":"%s"}' % EMAIL.encode(), AT, AT + DAY))
    await journal.commit(Move(sender.seq, RunState.DONE, AT))
    await journal.commit(Reject("leads", (Misfit("r1", "plan", AT, AT + DAY, lead(EMAIL), b"", b"[]"),)))
    effect = record("upsert_person", b"")
    effect.effect = lambda c: local.upsert_person(c, "k", at=AT, phone=PHONE, email=EMAIL, name=NAME)
    sent = record("send_hsm", b"")
    sent.effect = lambda c: (
        local.put_message(
            c,
            "k",
            to="+551187654321",
            template="oi",
            params={"nome": NAME},
            at=AT,
            person_id=local._id("k"),  # noqa: SLF001
        ).id
    )
    await run(journal, b'{"id":7}', effect, sent)


async def waiting(journal: SqliteJournal) -> Accept:
    """A run that waits for an event of the person."""
    one = await run(journal, b"{}", state=None)
    await journal.commit(Await(one.seq, "w", b"h", "paid", "+55 11 98765 4321", AT, AT + DAY))
    await journal.commit(Move(one.seq, RunState.WAITING, AT, AT + DAY))
    return one
