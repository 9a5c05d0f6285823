"""What the engine makes of redirects: a server whose connection follows them, and another system on a real port."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.service import OPENED
from tests.receiver import Fault, Receiver
from tests.runtime.served import Served, serving

BUSY = Fault(503, headers={"retry-after": "0"})
SOON = "every 1ms..1ms"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


def to(place: str, status: int) -> Fault:
    return Fault(status, headers={"location": place})


def at(folder: Path, receiver: Receiver, clauses: str) -> Any:
    """A server of one flow, which posts with these clauses."""
    erp = f'[connections.erp]\nkind = "http"\nurl = "{receiver.url}"\nredirects = 2\n'
    flow = f'on webhook {{n: int}}\n  -> post "/a" via erp with {{n}} {clauses} as r: {{id: int}}\n  -> log r.id\n'
    return serving(folder, {"a.seta": flow, "seta.toml": erp}, allow_outbound=OPENED)


async def ended(server: Served) -> dict[str, Any]:
    """Send a delivery, and wait through the pauses of its run until it has ended."""
    (flow,) = server.paths
    number = (await server.post(flow, '{"n": 1}')).json()["run"]
    async with asyncio.timeout(10):
        while (found := await server.ended(number))["state"] == "waiting":
            await asyncio.sleep(0.01)
    return found


def asked(receiver: Receiver) -> list[str]:
    return [f"{one.method} {one.path}" for one in receiver.requests]


async def test_post_that_was_done_is_not_repeated_because_its_result_cannot_be_had(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.script(to("/b", 303), BUSY)
    async with at(tmp_path, receiver, SOON) as server:
        run = await ended(server)

    assert (run["state"], run["error"]["code"]) == ("dead", "http_503")
    assert asked(receiver) == ["POST /a", "GET /b"]


async def test_post_that_may_be_repeated_is_under_its_own_key_and_the_result_has_none(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.script(to("/b", 303), BUSY, to("/b", 303))
    async with at(tmp_path, receiver, f"retry 1 {SOON}") as server:
        run = await ended(server)

    assert run["state"] == "done"
    assert asked(receiver) == ["POST /a", "GET /b", "POST /a", "GET /b"]
    keys = [one.headers.get("idempotency-key") for one in receiver.requests]
    assert keys[0] == keys[2] != keys[1] == keys[3] is None


async def test_post_that_another_address_has_surely_not_done_is_repeated(tmp_path: Path, receiver: Receiver) -> None:
    receiver.script(to("/b", 307), BUSY, to("/b", 307))
    async with at(tmp_path, receiver, SOON) as server:
        run = await ended(server)

    assert run["state"] == "done"
    assert asked(receiver) == ["POST /a", "POST /b", "POST /a", "POST /b"]
    assert len({one.headers["idempotency-key"] for one in receiver.requests}) == 1


async def test_time_of_the_step_covers_all_redirects(tmp_path: Path, receiver: Receiver) -> None:
    receiver.script(*(Fault(307, delay=0.3, headers={"location": place}) for place in ("/b", "/c")))
    async with at(tmp_path, receiver, "within 500ms") as server:
        run = await ended(server)

    assert (run["state"], run["error"]["code"]) == ("dead", "timeout")
    assert asked(receiver) == ["POST /a", "POST /b"]
