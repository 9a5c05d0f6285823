"""Whether a server says that it is ready, after a commit that is not old."""

import asyncio

import pytest

from runtime.door import readiness
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
