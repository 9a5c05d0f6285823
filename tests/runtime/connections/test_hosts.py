"""How much a host may be asked, and when it is left alone."""

import asyncio

import httpx
import pytest

from runtime.connections.hosts import FAILURES, IN_FLIGHT, LONGEST_PAUSE, LONGEST_QUEUE, Breaker, Hosts
from runtime.connections.http import HttpClient
from runtime.failures import Kind, StepFailure


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hosts(clock: Clock) -> Hosts:
    return Hosts(clock, lambda: 0.5)


def ask(hosts: Hosts, outcome: str | None = None, host: str = "a") -> StepFailure | None:
    """Ask a host, with an outcome: None for an answer, or the code of a failure. Gives why it may not be asked."""
    try:
        with hosts.asking(host):
            if outcome is not None:
                raise StepFailure(outcome, "")
    except StepFailure as failure:
        return failure if failure.code == "held" else None
    return None


def broken(hosts: Hosts) -> None:
    for _ in range(FAILURES):
        assert ask(hosts, "connect") is None


def test_connections_that_fail_in_a_row_open_the_breaker(hosts: Hosts) -> None:
    broken(hosts)
    held = ask(hosts)
    assert held is not None
    assert (held.kind, held.retry_after) == (Kind.HELD, 1.5)
    assert held.message == "the breaker of a is open: its last 5 connections failed"
    assert ask(hosts, host="b") is None


def test_breakers_are_told_of_hosts_whose_last_connection_failed(hosts: Hosts, clock: Clock) -> None:
    broken(hosts)
    ask(hosts, host="well")
    ask(hosts, "connect", host="once")
    assert dict(hosts.breakers()) == {"a": Breaker.OPEN, "once": Breaker.CLOSED}
    clock.now += 1.0
    assert dict(hosts.breakers()) == {"a": Breaker.HALF_OPEN, "once": Breaker.CLOSED}
    ask(hosts)
    assert dict(hosts.breakers()) == {"once": Breaker.CLOSED}


@pytest.mark.parametrize("answer", [None, "http_500", "http_404", "no_answer"])
def test_whatever_was_connected_closes_the_breaker(hosts: Hosts, clock: Clock, answer: str | None) -> None:
    for _ in range(3):
        for _ in range(FAILURES - 1):
            ask(hosts, "connect")
        assert ask(hosts, answer) is None
    broken(hosts)
    clock.now += 1
    assert ask(hosts, answer) is None
    assert ask(hosts) is None


def test_after_its_pause_a_host_is_asked_once(hosts: Hosts, clock: Clock) -> None:
    broken(hosts)
    clock.now += 1
    with hosts.asking("a"):
        assert ask(hosts) is not None
    assert ask(hosts) is None


def test_each_failure_of_the_one_that_asks_doubles_the_pause(hosts: Hosts, clock: Clock) -> None:
    broken(hosts)
    pauses = []
    for _ in range(9):
        pause = 0.0
        while ask(hosts, "connect") is not None:
            clock.now += 0.5
            pause += 0.5
        pauses.append(pause)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert LONGEST_PAUSE == 60


def test_what_was_under_way_when_the_breaker_opened_doubles_nothing(hosts: Hosts, clock: Clock) -> None:
    under_way = [hosts.asking("a") for _ in range(20)]
    for one in under_way:
        one.__exit__(StepFailure, StepFailure("connect", ""), None)
    clock.now += 1
    assert ask(hosts) is None


def test_an_answer_that_was_under_way_closes_the_breaker(hosts: Hosts) -> None:
    with hosts.asking("a"):
        broken(hosts)
    assert ask(hosts) is None


async def test_who_asks_and_is_broken_off_lets_another_ask(hosts: Hosts, clock: Clock) -> None:
    broken(hosts)
    clock.now += 1

    async def hang() -> None:
        with hosts.asking("a"):
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await asyncio.sleep(0)
    assert ask(hosts) is not None
    task.cancel()
    await asyncio.wait([task])
    assert ask(hosts) is None


def test_a_host_has_so_many_requests_under_way_and_no_more(hosts: Hosts) -> None:
    under_way = [hosts.asking("a") for _ in range(IN_FLIGHT)]
    held = ask(hosts)
    assert held is not None
    assert (held.kind, held.message) == (Kind.HELD, "a has 64 requests under way")
    assert ask(hosts, host="b") is None
    under_way[0].__exit__(None, None, None)
    assert ask(hosts) is None


def test_those_that_wait_come_back_as_fast_as_the_host_answers(hosts: Hosts, clock: Clock) -> None:
    under_way = [hosts.asking("a")]
    for _ in range(64):
        with hosts.asking("a"):
            clock.now += 32
    under_way += [hosts.asking("a") for _ in range(IN_FLIGHT - 1)]
    pauses = [(ask(hosts) or StepFailure("", "")).retry_after or 0 for _ in range(2000)]
    assert len(under_way) == IN_FLIGHT
    assert pauses[:3] == [pytest.approx(0.5 * n, rel=0.01) for n in (1, 2, 3)]
    assert max(pauses) <= LONGEST_QUEUE
    assert pauses[-1] == LONGEST_QUEUE * 0.75


async def test_requests_to_a_host_that_cannot_be_reached_are_held_back() -> None:
    calls = 0

    def refuse(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        raise httpx.ConnectError("connection refused")

    http = HttpClient(httpx.MockTransport(refuse))
    codes = [await code_of(http, "http://erp.example:8401/a") for _ in range(FAILURES + 3)]
    assert codes == ["connect"] * FAILURES + ["held"] * 3
    assert calls == FAILURES
    assert await code_of(http, "http://erp.example:8402/a") == "connect"


async def code_of(http: HttpClient, url: str) -> str:
    with pytest.raises(StepFailure) as failure:
        await http.ask("GET", url, {})
    return failure.value.code
