"""Persons and messages that are kept beside the journal."""

from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from runtime.connections.local import (
    TABLES,
    Message,
    PersonRow,
    erase,
    find_person,
    list_outbox,
    list_persons,
    opted_out,
    persons_of,
    put_message,
    tag_person,
    upsert_person,
)
from runtime.connections.person import ForeignKey, Person
from runtime.failures import StepFailure
from runtime.journal import open_journal
from runtime.journal.rows import Kind
from runtime.journal.schema import Tables, migrate
from runtime.journal.writes import Accept, Record

NOW = 1_764_000_000_000  # ms
LONG = "+5511987654321"
SHORT = "+551187654321"  # as WhatsApp still writes it


@pytest.fixture
def connection() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    migrate(connection, (TABLES,))
    return connection


def test_a_person_that_nobody_knows_is_made(connection: apsw.Connection) -> None:
    person = upsert_person(connection, "k1", at=NOW, phone=LONG, name="Ana")
    assert person == Person("6ab9f1eb8f7d3388f4f9d586", "Ana", LONG)  # the id comes from the key
    assert list_persons(connection, 10) == [PersonRow(person.id, "Ana", LONG, None, NOW, NOW)]


@pytest.mark.parametrize(("first", "second"), [(LONG, SHORT), (SHORT, LONG), (LONG, LONG)])
def test_both_forms_of_a_number_are_one_person(connection: apsw.Connection, first: str, second: str) -> None:
    made = upsert_person(connection, "k1", at=NOW, phone=first, name="Ana")
    found = upsert_person(connection, "k2", at=NOW + 1, phone=second, email="ana@example.com")
    assert found == Person(made.id, "Ana", second, "ana@example.com")
    assert find_person(connection, phone=first) == find_person(connection, phone=second) == found
    assert list_persons(connection, 10) == [PersonRow(made.id, "Ana", second, "ana@example.com", NOW, NOW + 1)]


def test_what_is_not_given_stays(connection: apsw.Connection) -> None:
    upsert_person(connection, "k1", at=NOW, phone=LONG, name="Ana", email="ana@example.com")
    assert upsert_person(connection, "k2", at=NOW, phone=LONG).name == "Ana"
    assert upsert_person(connection, "k3", at=NOW, phone=LONG, name="Ana Luz").email == "ana@example.com"


def test_without_phone_the_email_tells_who_it_is(connection: apsw.Connection) -> None:
    made = upsert_person(connection, "k1", at=NOW, email="Ana@Example.com")
    found = upsert_person(connection, "k2", at=NOW, email="ana@example.com", name="Ana")
    assert found == Person(made.id, "Ana", None, "ana@example.com")
    assert find_person(connection, email="ANA@EXAMPLE.COM") == found


def test_of_several_with_one_email_the_first_is_meant(connection: apsw.Connection) -> None:
    first = upsert_person(connection, "k1", at=NOW, phone=LONG, email="home@example.com")
    second = upsert_person(connection, "k2", at=NOW, phone="+5511987654322", email="home@example.com")
    assert first.id != second.id
    assert find_person(connection, email="home@example.com") == first
    assert find_person(connection, phone="+5511987654322", email="home@example.com") == second


def test_who_is_known_by_email_gets_the_phone_that_is_given(connection: apsw.Connection) -> None:
    made = upsert_person(connection, "k1", at=NOW, email="ana@example.com")
    found = upsert_person(connection, "k2", at=NOW, email="ana@example.com", phone=LONG, known_by="email")
    assert found == Person(made.id, None, LONG, "ana@example.com")
    assert find_person(connection, phone=SHORT) == found


def test_nobody_gets_the_phone_of_another(connection: apsw.Connection) -> None:
    other = upsert_person(connection, "k1", at=NOW, phone=LONG)
    upsert_person(connection, "k2", at=NOW, email="ana@example.com")
    for email in ("ana@example.com", "new@example.com"):
        with pytest.raises(StepFailure, match=r"^phone_taken: "):
            upsert_person(connection, "k3", at=NOW, email=email, phone=SHORT, known_by="email")
    assert find_person(connection, phone=LONG) == other
    assert len(list_persons(connection, 10)) == 2


def test_the_same_key_is_the_same_person_whatever_its_phone(connection: apsw.Connection) -> None:
    made = upsert_person(connection, "k1", at=NOW, phone=LONG)
    again = upsert_person(connection, "k1", at=NOW, phone="+5511987654322")
    assert again == Person(made.id, None, "+5511987654322")
    assert find_person(connection, phone=LONG) is None


def test_a_person_without_phone_and_email_is_nobody(connection: apsw.Connection) -> None:
    with pytest.raises(StepFailure, match=r"^no_identity: a person is known by phone or email, and neither is given$"):
        upsert_person(connection, "k1", at=NOW, name="Ana")
    assert find_person(connection) is None


def test_a_person_leaves_out_what_is_unknown() -> None:
    assert msgspec.json.encode(Person("1", phone=LONG)) == b'{"id":"1","phone":"+5511987654321"}'


def test_a_message_is_put_once_for_a_key(connection: apsw.Connection) -> None:
    first = put_message(connection, "k1", to=LONG, template="hi", params={"name": "Ana"}, at=NOW, person_id="p1")
    again = put_message(connection, "k1", to=SHORT, template="bye", params={}, at=NOW + 1)
    other = put_message(connection, "k2", to=LONG, template="hi", params={"n": [1, None]}, at=NOW + 2)
    assert first == again == Message(first.id, LONG, "hi", {"name": "Ana"}, "p1", NOW)
    assert len(first.id) == 24
    assert list_outbox(connection, 10) == [other, first]
    assert list_outbox(connection, 1) == [other]


def test_persons_come_newest_first(connection: apsw.Connection) -> None:
    ids = [upsert_person(connection, f"k{n}", at=NOW, email=f"{n}@example.com").id for n in range(3)]
    assert [row.id for row in list_persons(connection, 2)] == [ids[2], ids[1]]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT n FROM persons WHERE id = '1'",
        "SELECT n FROM persons WHERE phone_match = '1'",
        "SELECT n FROM persons WHERE email = '1' ORDER BY n LIMIT 1",
        "SELECT n FROM outbox WHERE key = '1'",
    ],
)
def test_nobody_is_looked_for_row_by_row(connection: apsw.Connection, query: str) -> None:
    (row,) = connection.execute(f"EXPLAIN QUERY PLAN {query}")
    assert str(row[3]).startswith("SEARCH")


def test_an_older_file_keeps_its_persons(tmp_path: Path) -> None:
    older = Tables(TABLES.name, TABLES.migrations[:1])
    connection = apsw.Connection(str(tmp_path / "old.db"))
    migrate(connection, (older,))
    columns = "id, name, phone, phone_match, email, created_at, updated_at"
    row = ("p", "Ana", LONG, SHORT, None, NOW, NOW)
    connection.execute(f"INSERT INTO persons ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608  # our own words
    migrate(connection, (TABLES,))
    assert list_persons(connection, 10) == [PersonRow("p", "Ana", LONG, None, NOW, NOW)]
    assert tag_person(connection, LONG, "vip", at=NOW) == Person("p", "Ana", LONG, None, ["vip"])


def test_who_wants_no_messages_is_known_by_every_key(connection: apsw.Connection) -> None:
    made = upsert_person(connection, "k1", at=NOW, phone=LONG, email="ana@example.com", opt_out=True)
    other = upsert_person(connection, "k2", at=NOW, phone="+5511911112222")
    assert made.opt_out
    assert all(opted_out(connection, who) for who in (made, LONG, SHORT, "ana@example.com"))
    assert not any(opted_out(connection, who) for who in (other, "+5511911112222", "+5511933334444", Person("gone")))
    assert [row.opt_out for row in list_persons(connection, 10)] == [False, True]


def test_who_was_erased_and_wanted_no_messages_gets_none(connection: apsw.Connection) -> None:
    upsert_person(connection, "k1", at=NOW, phone=LONG, email="ana@example.com", opt_out=True)
    upsert_person(connection, "k2", at=NOW, phone="+5511911112222", email="bia@example.com")
    erase(connection, [1, 2], [])
    elsewhere = Person("66aa", phone=SHORT, via="crm")
    assert all(opted_out(connection, who) for who in (LONG, SHORT, "Ana@Example.com", elsewhere))
    assert not any(opted_out(connection, who) for who in ("+5511911112222", "bia@example.com", Person("gone")))


def test_who_comes_again_wants_no_messages_either(connection: apsw.Connection) -> None:
    upsert_person(connection, "k1", at=NOW, phone=LONG, email="ana@example.com", opt_out=True)
    erase(connection, [1], [])
    assert upsert_person(connection, "k2", at=NOW, phone=SHORT).opt_out
    assert not upsert_person(connection, "k3", at=NOW, phone=SHORT, opt_out=False).opt_out
    assert not opted_out(connection, LONG)


def test_who_comes_again_and_wants_messages_gets_them(connection: apsw.Connection) -> None:
    upsert_person(connection, "k1", at=NOW, phone=LONG, email="ana@example.com", opt_out=True)
    erase(connection, [1], [])
    assert not upsert_person(connection, "k2", at=NOW, phone=LONG, email="ana@example.com", opt_out=False).opt_out
    assert not any(opted_out(connection, who) for who in (LONG, "ana@example.com"))
    assert not upsert_person(connection, "k3", at=NOW, phone=LONG).opt_out


def test_a_known_person_that_takes_over_the_phone_of_such_a_one_gets_none(connection: apsw.Connection) -> None:
    upsert_person(connection, "k1", at=NOW, phone=LONG, opt_out=True)
    bia = upsert_person(connection, "k2", at=NOW, email="bia@example.com")
    erase(connection, [1], [])
    taken = upsert_person(connection, "k3", at=NOW, phone=LONG, email="bia@example.com", known_by="email")
    assert (taken.id, taken.opt_out) == (bia.id, True)


ERP7 = ForeignKey("erp", "7")
OTHER = "+5511911112222"


def test_key_of_another_system_means_one_person(connection: apsw.Connection) -> None:
    made = upsert_person(connection, "k1", at=NOW, name="Ana", known_by=ERP7)
    assert made == Person(made.id, "Ana")
    assert upsert_person(connection, "k2", at=NOW, phone=LONG, known_by=ERP7) == Person(made.id, "Ana", LONG)
    found = find_person(connection, key=ERP7)
    assert found == find_person(connection, phone=SHORT) == Person(made.id, "Ana", LONG)
    assert tag_person(connection, ERP7, "vip", at=NOW).tags == ["vip"]
    assert [row.keys for row in list_persons(connection, 10)] == [{"erp": "7"}]


def test_same_value_under_another_name_is_another_key(connection: apsw.Connection) -> None:
    upsert_person(connection, "k1", at=NOW, known_by=ERP7)
    assert find_person(connection, key=ForeignKey("crm", "7")) is None
    assert find_person(connection, key=ForeignKey("erp", "07")) is None


def test_key_that_nobody_has_goes_to_the_person_of_the_phone(connection: apsw.Connection) -> None:
    ana = upsert_person(connection, "k1", at=NOW, phone=LONG, name="Ana")
    assert upsert_person(connection, "k2", at=NOW, phone=SHORT, known_by=ERP7).id == ana.id
    assert upsert_person(connection, "k3", at=NOW, phone=LONG, known_by=ForeignKey("crm", "x")).id == ana.id
    assert [row.keys for row in list_persons(connection, 10)] == [{"crm": "x", "erp": "7"}]


def test_key_that_nobody_has_goes_to_nobody_by_an_email_which_many_may_share(connection: apsw.Connection) -> None:
    ana = upsert_person(connection, "k1", at=NOW, email="loja@example.com")
    assert upsert_person(connection, "k2", at=NOW, email="loja@example.com", known_by=ERP7).id != ana.id


@pytest.mark.parametrize("known", [True, False], ids=["key of somebody", "key of nobody"])
def test_key_never_takes_the_phone_of_somebody_who_has_another(connection: apsw.Connection, *, known: bool) -> None:
    upsert_person(connection, "k1", at=NOW, phone=LONG, known_by=ERP7)
    if known:
        upsert_person(connection, "k2", at=NOW, phone=OTHER, known_by=ForeignKey("erp", "8"))
    before = list_persons(connection, 10)
    with pytest.raises(StepFailure) as failed:
        upsert_person(connection, "k3", at=NOW, phone=SHORT, known_by=ForeignKey("erp", "8"))
    assert str(failed.value) == ("phone_taken: the person is known by its key `erp`, and the phone is another person's")
    assert list_persons(connection, 10) == before


def test_step_done_again_means_the_person_it_made_even_with_another_key(connection: apsw.Connection) -> None:
    made = upsert_person(connection, "k1", at=NOW, known_by=ERP7)
    assert upsert_person(connection, "k1", at=NOW, known_by=ForeignKey("crm", "x")).id == made.id


def test_erased_person_leaves_no_key_to_who_comes_after(connection: apsw.Connection) -> None:
    upsert_person(connection, "k1", at=NOW, name="Ana", known_by=ERP7)
    erase(connection, [1], [])
    assert find_person(connection, key=ERP7) is None
    upsert_person(connection, "k2", at=NOW, phone=LONG)  # may get the number of the erased one
    assert [row.keys for row in persons_of(connection, [1])] == [{}]


async def test_a_person_is_kept_with_the_record_of_the_step(tmp_path: Path) -> None:
    journal = await open_journal(tmp_path / "data", clock=lambda: NOW, tables=(TABLES,))
    await journal.commit(run := Accept("r", "k", "f", "p", NOW, b""))

    def effect(connection: apsw.Connection) -> Any:
        return upsert_person(connection, "k1", at=NOW, phone=LONG)

    step = Record(run.seq, "upsert_person", Kind.RESULT, b"", NOW, effect=effect)
    await journal.commit(step)
    assert isinstance(step.outcome, Person)
    (row,) = await journal.steps(run.seq)
    assert msgspec.json.decode(row.value, type=Person) == step.outcome
    assert len(await journal.read(lambda connection: list_persons(connection, 10))) == 1
    await journal.close()
