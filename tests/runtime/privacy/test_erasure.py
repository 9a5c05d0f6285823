"""One person in all that is kept: found, and gone for good."""

import asyncio
import random
import re
from dataclasses import fields

import apsw
import pytest

from runtime.connections import local
from runtime.connections.person import ForeignKey
from runtime.engine.hands import WrongState
from runtime.journal import SqliteJournal, texts
from runtime.journal.database import open_reading
from runtime.journal.protocol import JournalError
from runtime.journal.rows import RunState, Tombstone
from runtime.journal.writes import Accept, Erase, Move, Prune, Write
from runtime.privacy import erasure
from runtime.privacy.erasure import Counts, Kept
from runtime.privacy.traces import Keys
from tests.runtime.privacy.conftest import (
    AT,
    DAY,
    EMAIL,
    NEEDLES,
    PHONE,
    Folder,
    count,
    everywhere,
    lead,
    other,
    record,
    run,
    waiting,
)

BOTH = Keys(PHONE, EMAIL)
ALL = {"runs": 5, "rejected": 1, "events": 1, "answers": 1, "persons": 1, "outbox": 1}
COUNTS = Counts(**ALL)


def numbers(found: Kept) -> dict[str, int]:
    """How many rows there are of each kind, where there are some."""
    lists = {field.name: getattr(found, field.name) for field in fields(found)}
    return {name: len(rows) for name, rows in lists.items() if isinstance(rows, list) and rows}


async def test_a_person_is_found_in_every_place(folder: Folder) -> None:
    await everywhere(folder.journal)
    found = await folder.privacy.find(BOTH)
    assert numbers(found) == ALL
    assert [one.id for one in found.rejected] == ["r1"]
    assert [(event.name, event.key) for event in found.events] == [("paid", PHONE)]
    assert found.answers == [("answered", b'{"status":200,"body":{"telefone":"11987654321"}}')]
    assert [(person.phone, person.email) for person in found.persons] == [(PHONE, EMAIL)]
    assert [message.to for message in found.outbox] == ["+551187654321"]
    assert folder.flushed == 1


async def test_either_key_finds_what_has_it_and_what_names_the_person_that_it_leads_to(folder: Folder) -> None:
    await everywhere(folder.journal)
    by_email = numbers(await folder.privacy.find(Keys(email=EMAIL)))
    assert by_email == {"runs": 2, "rejected": 1, "events": 1, "persons": 1, "outbox": 1}
    by_old_phone = numbers(await folder.privacy.find(Keys("+5511987654321")))
    assert by_old_phone == {"runs": 4, "events": 1, "answers": 1, "persons": 1, "outbox": 1}


async def test_what_is_kept_of_others_is_not_found(folder: Folder) -> None:
    await everywhere(folder.journal)
    assert numbers(await folder.privacy.find(Keys("+5521912345678", "maria@example.com"))) == {}


async def test_what_is_erased_is_found_no_more_and_stands_in_no_file(folder: Folder) -> None:
    await everywhere(folder.journal)
    for n in range(50):
        await run(folder.journal, other(n))
    assert folder.raw()["seta.db-wal"] == set(NEEDLES)
    erased = await folder.privacy.erase(BOTH)
    assert (erased.counts, erased.cancelled, erased.log_is_clean, erased.at) == (COUNTS, 0, True, AT + 5)
    assert folder.raw() == {}
    assert numbers(await folder.privacy.find(BOTH)) == {"tombstones": 1 + 1}
    assert await count(folder.journal, "runs") == 50 + 2  # of the run that answered and the one that emitted


@pytest.mark.parametrize("seed", range(3))
async def test_no_byte_is_left_whatever_was_written_around_it(folder: Folder, seed: int) -> None:
    chosen = random.Random(seed)
    journal = folder.journal
    await everywhere(journal)
    for n in range(150):
        body = lead(texto="y" * chosen.randrange(6000)) if chosen.random() < 0.3 else other(n)
        value = b'"%b %b"' % (b"z" * chosen.randrange(3000), EMAIL.encode() if chosen.random() < 0.2 else b"")
        await run(journal, body, record("a", value), record("b", b"1"))
        if n == 75:
            assert await journal.empty_log()  # so that the database's own pages hold it too
            await journal.commit(Prune(AT + 10))
    assert len(folder.raw()) == 2
    await folder.privacy.erase(BOTH)
    assert folder.raw() == {}


async def test_key_of_another_system_goes_with_its_person_and_may_be_a_phone_itself(folder: Folder) -> None:
    person = record("upsert_person", b"")
    person.effect = lambda c: local.upsert_person(c, "k", at=AT, name="Ana", known_by=ForeignKey("erp", "11987654321"))
    await run(folder.journal, b"{}", person)
    (found,) = (await folder.privacy.find(Keys(PHONE))).persons
    assert (found.name, found.keys) == ("Ana", {"erp": "11987654321"})
    await folder.privacy.erase(Keys(PHONE))
    assert (await count(folder.journal, "persons"), await count(folder.journal, "person_keys")) == (0, 0)
    assert folder.raw() == {}


async def test_a_changed_phone_leaves_nothing_of_the_old_one(folder: Folder) -> None:
    change = record("upsert_person", b"")
    change.effect = lambda c: local.upsert_person(c, "k", at=AT, phone="+5521912345678", email=EMAIL, known_by="email")
    await everywhere(folder.journal)
    await run(folder.journal, b"{}", change)
    erased = await folder.privacy.erase(Keys("+5521912345678", EMAIL))
    assert erased.counts.persons == 1
    assert (await folder.privacy.find(BOTH)).persons == []


@pytest.mark.parametrize("again", [Keys("+551187654321"), Keys(email=EMAIL)])
async def test_who_wanted_no_messages_gets_none_either_when_erased(folder: Folder, again: Keys) -> None:
    person = record("upsert_person", b"")
    person.effect = lambda c: local.upsert_person(c, "k", at=AT, phone=PHONE, email=EMAIL, opt_out=True)
    await run(folder.journal, b"{}", person)
    assert not (await folder.privacy.find(BOTH)).opted_out  # the person says it
    await folder.privacy.erase(BOTH)
    assert folder.raw() == {}
    assert (await folder.privacy.find(again)).opted_out
    assert not (await folder.privacy.find(Keys("+5521912345678", "maria@example.com"))).opted_out
    back = record("upsert_person", b"")
    back.effect = lambda c: local.upsert_person(c, "new", at=AT, phone=again.phone, email=again.email)
    await run(folder.journal, b"{}", back)
    (found,) = (await folder.privacy.find(again)).persons
    assert found.opt_out


async def test_runs_that_have_not_ended_keep_all_of_it(folder: Folder) -> None:
    await everywhere(folder.journal)
    before = await count(folder.journal, "runs")
    late = await waiting(folder.journal)
    parked = await run(folder.journal, lead(), state=RunState.PARKED)
    with pytest.raises(WrongState) as refused:
        await folder.privacy.erase(BOTH)
    assert str(refused.value) == (
        f"2 runs that hold it have not ended: {parked.run_id} (parked), {late.run_id} (waiting). Let them end, cancel"
        " them with `seta runs cancel ID`, or say --cancel-runs; until then nothing is erased"
    )
    assert await count(folder.journal, "runs") == before + 2
    assert (await folder.privacy.find(BOTH)).tombstones == []


async def test_runs_that_have_not_ended_are_cancelled_where_that_is_asked_for(folder: Folder) -> None:
    await waiting(folder.journal)
    await run(folder.journal, lead(), state=RunState.PARKED)
    erased = await folder.privacy.erase(BOTH, cancel=True)
    assert (erased.cancelled, erased.counts.runs) == (2, 2)
    assert (await count(folder.journal, "runs"), await count(folder.journal, "waiters"), folder.raw()) == (0, 0, {})


async def test_a_run_that_goes_on_meanwhile_stays_and_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    one = await run(folder.journal, lead(), state=None)
    monkeypatch.setattr(erasure, "ENDED", frozenset(RunState))  # as if it had ended when we looked
    with pytest.raises(WrongState, match=rf"^a run that holds it has not ended: {one.run_id} \(running\)\. .* left$"):
        await folder.privacy.erase(BOTH)
    assert await count(folder.journal, "runs") == 1


async def test_a_repeat_still_gets_the_id_of_a_run_that_was_erased(folder: Folder) -> None:
    first, again = (Accept(name, "key", "leads", "plan", AT, lead()) for name in ("first", "again"))
    for one in (first, again):
        one.dedupe, one.dedupe_until = b"k", AT + DAY
    await folder.journal.commit(first)
    await folder.journal.commit(Move(first.seq, RunState.DONE, AT))
    await folder.privacy.erase(BOTH)
    await folder.journal.commit(again)
    assert (again.first, again.answer, await count(folder.journal, "runs")) == ("first", b"", 0)


async def test_a_tombstone_says_when_and_how_much_but_not_who(folder: Folder) -> None:
    await everywhere(folder.journal)
    await folder.privacy.erase(BOTH)
    rows = await folder.journal.read(
        lambda c: list(c.execute("SELECT at, kind, length(hash) FROM tombstones ORDER BY n"))
    )
    assert rows == [(AT + 5, "phone", 16), (AT + 5, "email", 16)]
    (told,) = (await folder.privacy.find(Keys("+551187654321"))).tombstones  # the other form of the same number
    counts = b'{"runs":5,"rejected":1,"events":1,"answers":1,"persons":1,"outbox":1}'
    assert told == Tombstone(AT + 5, "phone", counts)


async def test_what_was_not_there_leaves_no_tombstone(folder: Folder) -> None:
    erased = await folder.privacy.erase(BOTH)
    assert erased.counts == Counts(0, 0, 0, 0, 0, 0)
    assert await count(folder.journal, "tombstones") == 0


async def test_many_runs_go_in_slices(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(30):
        await run(folder.journal, lead(), *(record(f"s{n}", b"1") for n in range(60)))
    commits: list[Erase] = []
    commit = folder.journal.commit

    def counted(*writes: Write) -> asyncio.Future[None]:
        commits.extend(write for write in writes if isinstance(write, Erase))
        for write in commits:
            write.seconds = 0
        return commit(*writes)

    monkeypatch.setattr(SqliteJournal, "commit", lambda _, *writes: counted(*writes))
    await folder.privacy.erase(BOTH)
    assert len(commits) >= 60
    assert (await count(folder.journal, "runs"), await count(folder.journal, "steps")) == (0, 0)


async def test_all_is_looked_through_in_short_pages(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "SLICE_SECONDS", 0)  # a row each
    await everywhere(folder.journal)
    await waiting(folder.journal)
    reads = 0
    read = folder.journal.read

    async def counted(query: object) -> object:
        nonlocal reads
        reads += 1
        return await read(query)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(folder.journal, "read", counted)
    assert numbers(await folder.privacy.find(BOTH)) == {**ALL, "runs": 6}
    assert reads > 30


@pytest.mark.parametrize(
    "place", [*texts.PLACES, local.PERSONS, local.PERSON_KEYS, local.OUTBOX], ids=lambda place: place.query[:30]
)
async def test_pages_are_found_without_sorting(folder: Folder, place: texts.Place) -> None:
    rows = await folder.journal.read(lambda c: list(c.execute(f"EXPLAIN QUERY PLAN {place.query}", place.start)))
    assert [str(row[3]).split(" USING ")[0].split(" ")[0] for row in rows] == ["SEARCH"]


# What holds nothing that a sender wrote: names that a flow or the runtime gives, ids, hashes.
NOT_LOOKED_AT = {
    "runs": {"id", "key", "flow", "plan", "state", "step", "serial"},
    "steps": {"kind", "args"},
    "events": {"name"},
    "waiters": {"event"},
    "rejected": {"id", "flow", "plan"},
    "persons": {"id", "phone_match"},  # which is the phone
    "outbox": {"id", "key", "template"},
    "plans": {"plan", "flow", "bundle"},
    "meta": {"name", "value"},
    "tombstones": {"kind", "hash", "counts"},
    "opt_outs": {"hash"},
    "opt_outs_salt": {"salt"},
}


async def test_every_column_that_holds_text_is_looked_at(folder: Folder) -> None:
    def columns(connection: apsw.Connection) -> set[tuple[str, str]]:
        query = """
            SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
            WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND c.type <> 'INTEGER'
        """
        return {(str(table), str(column)) for table, column in connection.execute(query)}

    looked_at = set()
    for place in (*texts.PLACES, local.PERSONS, local.PERSON_KEYS, local.OUTBOX):
        found = re.match(r"SELECT (.*?) FROM (\w+) ", place.query)
        assert found
        looked_at |= {(found[2], column.strip('"')) for column in found[1].split(", ")}
    others = {(table, column) for table, names in NOT_LOOKED_AT.items() for column in names}
    there = await folder.journal.read(columns)
    assert there - looked_at - others == set()
    assert others <= there


async def test_a_log_that_somebody_reads_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.journal.sqlite._EMPTY_TRIES", 1)
    await run(folder.journal, lead())
    reading = open_reading(folder.journal.path)
    reading.execute("BEGIN; SELECT count(*) FROM runs").fetchall()
    erased = await folder.privacy.erase(BOTH)
    assert (erased.counts.runs, erased.log_is_clean) == (1, False)
    assert set(folder.raw()) == {"seta.db-wal"}
    reading.close()
    assert (await folder.privacy.erase(BOTH)).log_is_clean
    assert folder.raw() == {}


async def test_commits_go_on_after_the_log_was_cut_off(folder: Folder) -> None:
    for n in range(3):
        await run(folder.journal, other(n))
        assert await folder.journal.empty_log()
        assert folder.journal.path.with_name("seta.db-wal").stat().st_size == 0
    assert await count(folder.journal, "runs") == 3
    await folder.journal.close()
    with pytest.raises(JournalError, match=r"^the journal is closed$"):
        await folder.journal.empty_log()


async def test_who_asks_for_that_may_go_away(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    asked = asyncio.create_task(folder.journal.empty_log())
    await asyncio.sleep(0)
    asked.cancel()
    assert await folder.journal.empty_log()
    assert asked.cancelled()
    assert caplog.records == []


async def test_what_could_not_be_erased_is_an_error(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    await everywhere(folder.journal)

    def fail(*_: object) -> None:
        raise apsw.ConstraintError("no")

    monkeypatch.setattr(local, "erase", fail)
    with pytest.raises(JournalError, match=r"^some of it could not be erased: the server's log says why$"):
        await folder.privacy.erase(BOTH)
    monkeypatch.undo()
    assert numbers(await folder.privacy.find(BOTH)) == {"persons": 1, "outbox": 1}
    await folder.privacy.erase(BOTH)
    assert folder.raw() == {}
