"""Whether a server says that it is ready, after a commit that is not old."""

import asyncio

import pytest

from runtime.door import readiness
from runtime.door.readiness import QueueBound, Readiness
from runtime.journal.protocol import JournalError
from tests.runtime.door.harness import House

SLOW = {"name": "journal", "detail": "a commit takes over 0.05 s"}


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(readiness, "FRESH_SECONDS", 0.05)
    return House()


async def test_a_recent_commit_is_enough(house: House) -> None:
    assert (await house.readiness.brief())[0] == 200
    assert house.journal.probes == []


async def test_after_an_old_commit_one_is_made_when_somebody_asks(house: House) -> None:
    house.journal.idle = 60.0
    asking = asyncio.create_task(house.readiness.detail())
    await asyncio.sleep(0)
    [probe] = house.journal.probes
    house.journal.idle = 0.01
    probe.set_result(None)
    status, told = await asking
    assert (status, told["reasons"], told["committed_seconds_ago"]) == (200, [], 0.01)


async def test_a_commit_that_does_not_come_turns_it_red_until_one_does(house: House) -> None:
    house.journal.idle = 60.0
    status, told = await house.readiness.detail()
    assert (status, told["reasons"]) == (503, [SLOW])
    assert not house.journal.probes[0].done()
    house.journal.idle = 0.0
    assert (await house.readiness.brief())[0] == 200


async def test_a_server_that_stops_or_knows_that_it_is_unwell_commits_nothing_for_that(house: House) -> None:
    house.journal.idle = 60.0
    house.journal.trouble = "broken"
    assert (await house.readiness.brief())[0] == 503
    house.journal.trouble, house.readiness.draining = None, True
    assert (await house.readiness.brief())[0] == 503
    assert house.journal.probes == []


def bounded(house: House, ages: list[float]) -> Readiness:
    """Asks for the age of the queue, which is the next of these; none is a journal that cannot say."""

    async def age() -> float:
        if not ages:
            raise JournalError("broken")
        return ages.pop(0)

    return Readiness(house.journal, house.hooks, QueueBound(90.0, age))


async def test_a_queue_that_is_too_old_turns_it_red_while_it_is_and_deliveries_are_taken(house: House) -> None:
    one = bounded(house, [90.0, 90.1, 91.0, 0.0])
    assert (await one.brief())[0] == 200
    assert (await one.brief())[0] == 503
    one.check()
    status, told = await one.detail()
    assert (status, told["reasons"]) == (
        503,
        [{"name": "queue", "detail": "the first run that waits for its turn has waited for over 90 s"}],
    )
    assert (await one.brief())[0] == 200


async def test_where_the_journal_cannot_say_how_old_the_queue_is_that_is_no_reason(house: House) -> None:
    assert (await bounded(house, []).brief())[0] == 200
