"""What the sender of an accepted delivery is told, and what of its request is kept."""

import asyncio
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runtime.door.app import Door
from runtime.engine.answers import Accepted, Answer, Answered, Unanswered
from runtime.program import NO_REQUEST, Program, Request
from tests.runtime.door.harness import LEAD, PATH, RUN, House, Reply, program
from tests.runtime.engine.by_hand import Servers, World, put, wrong
from tests.runtime.engine.by_hand import program as flow_of

SERVER = {"server": "seta"}
JSON = {**SERVER, "content-type": "application/json"}
RESPONDS = program(responds=True, answer_within=50)


def answered(answer: Answer | None) -> Accepted:
    """A run whose answer is there, or does not come."""
    future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    if answer is not None:
        future.set_result(answer)
    return Accepted(RUN, future)


async def post_to(flow: Program, says: Callable[[], Accepted]) -> Reply:
    house = House(flow)
    house.engine.says = says()
    return await house.post()


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (Answered(201, b'{"ok":true}'), Reply(201, JSON, b'{"ok":true}')),
        (Answered(200, b""), Reply(200, SERVER, b"")),
        (Answered(204, b'{"ok":true}'), Reply(204, SERVER, b"")),
        (Unanswered.LATER, Reply(202, JSON, b'{"run":"' + RUN.encode() + b'"}')),
    ],
)
async def test_sender_gets_what_the_flow_answers(answer: Answer, reply: Reply) -> None:
    assert await post_to(RESPONDS, lambda: answered(answer)) == reply


async def test_sender_of_a_flow_that_failed_is_told_the_run_and_not_why() -> None:
    reply = await post_to(RESPONDS, lambda: answered(Unanswered.FAILED))
    assert (reply.status, reply.headers) == (500, {**SERVER, "content-type": "application/problem+json"})
    assert reply.json() == {
        "type": "urn:seta:problem:failed",
        "title": "The flow failed before it could answer",
        "status": 500,
        "detail": "The delivery is kept as this run: do not send it again, ask the owner of the flow.",
        "flow": "retomada",
        "run": RUN,
    }


async def test_sender_waits_no_longer_than_the_flow_says_and_nobody_waits_then() -> None:
    accepted = answered(None)
    reply = await post_to(RESPONDS, lambda: accepted)
    assert reply == Reply(202, JSON, b'{"run":"' + RUN.encode() + b'"}')
    assert accepted.answer is not None
    assert accepted.answer.cancelled()


async def test_body_is_not_held_while_its_sender_waits() -> None:
    house = House(RESPONDS)
    house.engine.says = answered(None)
    waiting = asyncio.create_task(house.post())
    while not house.engine.accepted:
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert house.intake.held == 0
    await waiting


async def test_repeat_gets_what_was_answered_or_the_first_run() -> None:
    first = Accepted("first", None, repeat=True)
    assert await post_to(RESPONDS, lambda: first) == Reply(200, JSON, b'{"run":"first"}')
    recorded = Accepted("first", None, repeat=True, recorded=Answered(409, b"1"))
    assert await post_to(RESPONDS, lambda: recorded) == Reply(409, JSON, b"1")


async def test_flow_may_say_what_the_immediate_answer_is() -> None:
    own = program(answer=lambda run_id: (200, {"id": run_id, "price": Decimal("1.50")}))
    reply = await post_to(own, lambda: Accepted(RUN))
    assert reply == Reply(200, JSON, b'{"id":"' + RUN.encode() + b'","price":1.50}')


# what is kept of a request --------------------------------------------------------------------------------------------

NAMES = program(headers=("x-event", "x-utf8"), query=("origem", "vazio"))


async def kept(flow: Program, path: str = PATH, **headers: str) -> Request:
    house = House(flow)
    assert (await house.post(LEAD, path, **headers)).status == 200
    [delivery] = house.engine.accepted
    return delivery.request


async def test_headers_and_parameters_that_the_plan_names_are_kept_and_no_others() -> None:
    found = await kept(NAMES, f"{PATH}?origem=s%C3%A3o+paulo&outro=1&vazio=", x_event="a", x_utf8="ação", x_other="b")
    assert found == Request({"x-event": "a", "x-utf8": "ação"}, {"origem": "são paulo", "vazio": ""})


async def test_nothing_of_a_request_is_kept_for_a_plan_that_names_nothing() -> None:
    assert await kept(program(), f"{PATH}?origem=1", x_event="a") is NO_REQUEST


async def test_first_of_several_parameters_counts() -> None:
    assert (await kept(NAMES, f"{PATH}?origem=1&origem=2")).query == {"origem": "1"}


async def test_header_that_comes_twice_is_one_with_commas() -> None:
    house = House(NAMES)
    scope: dict[str, Any] = {
        "method": "POST",
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [(b"x-event", b"a"), (b"x-event", b"\xe7"), (b"content-length", b"14")],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"telefone":1}', "more_body": False}

    async def send(_: dict[str, Any]) -> None:
        pass

    await house.door(scope, receive, send)
    assert house.engine.accepted[0].request.headers == {"x-event": "a, ç"}


async def test_more_parameters_than_anybody_needs_are_refused() -> None:
    house = House(NAMES)
    reply = await house.post(path=f"{PATH}?{'a=1&' * 2000}")
    assert (reply.status, reply.json()["type"]) == (400, "urn:seta:problem:parameters")
    assert house.engine.accepted == []


# door and engine together ---------------------------------------------------------------------------------------------


async def answers(p: Any, ctx: Any) -> bool:
    await ctx.step(put("x"), p.n)
    await ctx.respond("respond", 200, {"n": p.n})
    return False


async def test_flow_answers_through_the_door() -> None:
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder))
        flow = flow_of(answers, responds=True, answer_within=5_000)
        server = await servers.start(flow, world=World(x=0.01, **{"x:2": [wrong()]}))
        house = House(flow)
        house.door = Door(server.engine, house.hooks, house.readiness, house.intake)
        path = next(iter(house.hooks.table)).decode()
        assert await house.post(b'{"n":1}', path) == Reply(200, JSON, b'{"n":1}')
        assert (await house.post(b'{"n":2}', path)).status == 500
        await servers.stop()
