"""The admin address: whole documents."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from runtime.admin.app import Admin
from runtime.admin.documents import Url
from runtime.engine.hands import Hands
from runtime.journal import SqliteJournal
from runtime.journal.rows import RunState
from runtime.journal.writes import Accept, Move
from tests.runtime.admin.conftest import (
    AT,
    DEAD,
    DONE,
    OPEN,
    PARKED_STEP,
    REJECTED,
    REJECTED_TOO,
    operations,
    park,
    reject,
    with_hands,
)

READY = {
    "schema": "seta.ready/1",
    "ready": False,
    "reasons": [{"name": "draining", "detail": "the server is stopping"}],
}

DEAD_ROW = {
    "id": DEAD,
    "flow": "retomada",
    "state": "dead",
    "plan": "plan-1",
    "received_at": "2026-01-01T00:00:00.000Z",
    "ended_at": "2026-01-01T00:00:00.005Z",
    "step": "phone",
    "error": {
        "step": "phone",
        "code": "no_digits",
        "message": "no digits",
        "attempt": 1,
        "where": "flows/retomada.seta:1:15",
    },
}
DONE_ROW = {
    "id": DONE,
    "flow": "retomada",
    "state": "done",
    "plan": "plan-1",
    "received_at": "2026-01-01T00:00:00.001Z",
    "ended_at": "2026-01-01T00:00:01.500Z",
    "step": None,
    "error": None,
}
OPEN_ROW = {
    "id": OPEN,
    "flow": "erp",
    "state": "running",
    "plan": "plan-2",
    "received_at": "2026-01-01T00:00:00.002Z",
    "ended_at": None,
    "step": None,
    "error": None,
}


async def ready() -> tuple[int, Any]:
    return 200, {}


async def unready() -> tuple[int, Any]:
    return 503, READY


@pytest.fixture
def app(journal: SqliteJournal) -> Admin:
    urls = [Url("erp", "POST", "http://127.0.0.1:8400/v1/a", "{}")]
    return Admin(operations(journal, urls), unready)


async def request(
    app: Admin, target: str, method: str = "GET", host: str = "127.0.0.1:8402", body: bytes = b""
) -> tuple[int, dict[str, str], Any]:
    path, _, query = target.partition("?")
    sent: list[dict[str, Any]] = []
    parts = [body[:3], body[3:]]

    async def receive() -> dict[str, Any]:
        assert method == "POST", "nothing is read"
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", host.encode())]
    scope = {"method": method, "raw_path": path.encode(), "query_string": query.encode(), "headers": headers}
    await app(scope, receive, send)
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, json.loads(sent[1]["body"])


async def get(app: Admin, target: str) -> Any:
    status, headers, document = await request(app, target)
    assert status == 200
    assert headers == {"server": "seta", "content-type": "application/json", "cache-control": "no-store"}
    return document


async def refused(app: Admin, target: str, **how: Any) -> Any:
    _, headers, document = await request(app, target, **how)
    assert headers["content-type"] == "application/problem+json"
    return document


def problem(status: int, title: str, detail: str, **members: Any) -> dict[str, Any]:
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}


async def test_runs_are_listed_newest_first(app: Admin) -> None:
    assert await get(app, "/runs") == {"schema": "seta.runs/1", "runs": [OPEN_ROW, DONE_ROW, DEAD_ROW]}


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("limit=1", [OPEN_ROW]),
        ("flow=retomada", [DONE_ROW, DEAD_ROW]),
        ("state=dead", [DEAD_ROW]),
        ("state=running&flow=erp", [OPEN_ROW]),
        ("state=parked", []),
        ("flow=nothing", []),
        ("since=1767225600001", [OPEN_ROW, DONE_ROW]),
        ("since=1767225600003", []),
    ],
)
async def test_runs_are_filtered(app: Admin, query: str, rows: list[Any]) -> None:
    assert (await get(app, f"/runs?{query}"))["runs"] == rows


REJECTED_ROW = {
    "id": REJECTED,
    "flow": "retomada",
    "plan": "plan-1",
    "received_at": "2026-01-01T00:00:00.000Z",
    "size": 63,
    "problems": [{"pointer": "/telefone", "expected": "phone", "got": "nothing"}],
}


async def test_rejected_deliveries_are_listed_newest_first(app: Admin, journal: SqliteJournal) -> None:
    await reject(journal)
    document = await get(app, "/rejected")
    assert document["schema"] == "seta.rejected/1"
    assert [one["id"] for one in document["rejected"]] == [REJECTED_TOO, REJECTED]
    assert document["rejected"][1] == REJECTED_ROW


@pytest.mark.parametrize(
    ("query", "ids"),
    [("limit=1", [REJECTED_TOO]), ("flow=retomada", [REJECTED]), ("since=1767225600001", [REJECTED_TOO])],
)
async def test_rejected_deliveries_are_filtered(app: Admin, journal: SqliteJournal, query: str, ids: list[str]) -> None:
    await reject(journal)
    assert [one["id"] for one in (await get(app, f"/rejected?{query}"))["rejected"]] == ids


async def test_rejected_delivery_is_shown_with_all_that_is_kept_of_it(app: Admin, journal: SqliteJournal) -> None:
    await reject(journal)
    assert await get(app, f"/rejected/{REJECTED}") == {
        "schema": "seta.rejected-delivery/1",
        "rejected": {
            **REJECTED_ROW,
            "expires_at": "2026-01-01T00:00:05.000Z",
            "headers": {"x-id": "7"},
            "query": {"utm": "a"},
            "form": False,
            "body": {"nome": "João"},
        },
    }


async def test_run_is_shown_with_all_that_is_kept_of_it(app: Admin) -> None:
    document = await get(app, f"/runs/{DONE}")
    person = document["run"]["steps"][0]["value"]["id"]
    message = document["run"]["steps"][1]["value"]
    assert document == {
        "schema": "seta.run/1",
        "run": {
            **DONE_ROW,
            "key": DONE,
            "wake_at": None,
            "deaths": 0,
            "strikes": 0,
            "payload": {"telefone": "11999998888"},
            "notes": None,
            "steps": [
                {
                    "step": "upsert_person",
                    "kind": "result",
                    "attempt": 1,
                    "at": "2026-01-01T00:00:00.003Z",
                    "value": {"id": person, "name": "João \x1b[31mSilva", "phone": "+5511999998888"},
                },
                {
                    "step": "send_hsm",
                    "kind": "result",
                    "attempt": 1,
                    "at": "2026-01-01T00:00:00.004Z",
                    "value": message,
                },
            ],
        },
    }


async def test_what_a_run_waits_for_is_told_by_the_clock_on_the_wall(app: Admin, journal: SqliteJournal) -> None:
    detail = await journal.run(OPEN)
    assert detail
    await journal.commit(Move(detail.run.seq, RunState.WAITING, AT, AT + 1000, step="wait"))
    assert (await get(app, f"/runs/{OPEN}"))["run"]["wake_at"] == "2026-01-01T01:00:01.000Z"


async def test_notes_of_a_run_are_shown(app: Admin) -> None:
    assert (await get(app, f"/runs/{DEAD}"))["run"]["notes"] == {"left_out": ["/email"]}


@pytest.mark.parametrize("beginning", ["01911111", "01911111-0000-7000", "0191", OPEN.upper()])
async def test_run_is_found_by_the_beginning_of_its_id(app: Admin, beginning: str) -> None:
    assert (await get(app, f"/runs/{beginning}"))["run"]["id"] == OPEN


async def test_beginning_of_several_ids_is_refused_with_some_of_them(app: Admin) -> None:
    assert await refused(app, "/runs/0190") == problem(
        409,
        "Conflict",
        f"several runs have ids that begin with 0190: {DONE}, {DEAD}",
        ids=[DONE, DEAD],
    )


@pytest.mark.parametrize("run_id", ["02", "zz", "%", "01900000-0000-7000-8000-00000000000c", "' OR 1=1 --"])
async def test_unknown_run_is_not_found(app: Admin, run_id: str) -> None:
    assert await refused(app, f"/runs/{quote(run_id)}") == problem(
        404, "Not Found", f"there is no run whose id is, or begins with, {run_id}"
    )


async def test_persons_are_listed(app: Admin) -> None:
    document = await get(app, "/persons")
    assert document == {
        "schema": "seta.persons/1",
        "persons": [
            {
                "id": document["persons"][0]["id"],
                "name": "João \x1b[31mSilva",
                "phone": "+5511999998888",
                "email": None,
                "tags": [],
                "opt_out": False,
                "wa_id": None,
                "keys": {},
                "created_at": "2026-01-01T00:00:00.000Z",
                "updated_at": "2026-01-01T00:00:00.000Z",
            }
        ],
    }


async def test_messages_are_listed(app: Admin) -> None:
    document = await get(app, "/outbox")
    assert document == {
        "schema": "seta.outbox/1",
        "outbox": [
            {
                "id": document["outbox"][0]["id"],
                "to": "+5511999998888",
                "template": "retomada",
                "params": {"nome": "João"},
                "person": None,
                "at": "2026-01-01T00:00:00.000Z",
            }
        ],
    }


async def test_urls_are_listed(app: Admin) -> None:
    url = {"flow": "erp", "method": "POST", "url": "http://127.0.0.1:8400/v1/a", "sample": "{}"}
    listed = {**url, "accept": ["application/json"], "proof": "", "credentials": ""}
    assert await get(app, "/urls") == {"schema": "seta.urls/1", "urls": [listed]}


async def test_webhooks_are_described_all_or_one(app: Admin) -> None:
    assert await get(app, "/openapi.json") == {"openapi": "3.1.0", "of": None}
    assert await get(app, "/openapi.json?flow=erp") == {"openapi": "3.1.0", "of": "erp"}
    assert await refused(app, "/openapi.json?flow=nota") == problem(
        404, "Not Found", "there is no flow nota, but there are: erp"
    )


async def test_readiness_is_told_in_detail(app: Admin) -> None:
    assert (await request(app, "/readyz"))[::2] == (503, READY)


async def test_unknown_address_is_told_what_there_is(app: Admin) -> None:
    assert await refused(app, "/v1/x") == problem(
        404,
        "Not Found",
        "there is nothing here, but there are"
        " /openapi.json, /outbox, /persons, /readyz, /rejected, /rejected/ID, /runs, /runs/ID, /urls",
    )


@pytest.mark.parametrize("limit", ["0", "-1", "x", "", "10001", "99999999999999999999", "1.5"])
async def test_limit_that_is_none_is_refused(app: Admin, limit: str) -> None:
    assert await refused(app, f"/runs?limit={limit}") == problem(
        400, "Bad Request", "limit is a number from 1 to 10000"
    )


async def test_unknown_state_is_refused(app: Admin) -> None:
    assert await refused(app, "/runs?state=lost") == problem(
        400,
        "Bad Request",
        "state is one of accepted, running, waiting, parked, dead, done, stopped, cancelled",
    )


async def test_over_tcp_nothing_can_be_changed(journal: SqliteJournal) -> None:
    app = Admin(operations(journal), ready, "admin.example.com")
    assert await refused(app, f"/runs/{OPEN}/cancel", method="POST") == problem(
        405, "Method Not Allowed", "this address takes GET"
    )
    assert (await get(app, f"/runs/{OPEN}"))["run"]["state"] == "running"


async def change(app: Admin, target: str, body: bytes = b"") -> Any:
    status, _, document = await request(app, target, method="POST", body=body)
    assert (status, document.get("schema")) == (200, "seta.run/1"), document
    return document["run"]


async def test_run_is_cancelled(app: Admin) -> None:
    run = await change(app, "/runs/0191/cancel")
    assert (run["id"], run["state"], run["ended_at"]) == (OPEN, "cancelled", "2026-01-01T00:00:00.000Z")
    assert await refused(app, f"/runs/{OPEN}/cancel", method="POST") == problem(
        409, "Conflict", f"the run {OPEN} has ended already"
    )


async def test_dead_run_is_retried(app: Admin) -> None:
    run = await change(app, f"/runs/{DEAD}/retry")
    assert (run["state"], run["ended_at"], run["error"], run["step"]) == ("accepted", None, None, None)
    assert await refused(app, f"/runs/{DONE}/retry", method="POST") == problem(
        409, "Conflict", f"the run {DONE} is done: only one that is dead or parked can be retried"
    )


@pytest.mark.parametrize(
    ("target", "body", "steps"),
    [
        ("outcome=sent", b'{"id": 7}', [(PARKED_STEP, "result", {"id": 7})]),
        ("outcome=sent", b"", [(PARKED_STEP, "result", None)]),
        ("outcome=not-sent", b"", []),
    ],
)
async def test_unknown_step_is_resolved(
    app: Admin, journal: SqliteJournal, target: str, body: bytes, steps: list[Any]
) -> None:
    await park(journal)
    run = await change(app, f"/runs/{OPEN}/resolve?{target}", body)
    assert run["state"] == "accepted"
    assert [(step["step"], step["kind"], step["value"]) for step in run["steps"]] == steps


@pytest.mark.parametrize(
    ("target", "body", "detail"),
    [
        ("outcome=maybe", b"", "outcome is sent or not-sent"),
        ("", b"", "outcome is sent or not-sent"),
        ("outcome=sent", b"{", "the result is not JSON"),
        ("outcome=sent", b"[" * 100_000, "the result is not JSON"),
        ("outcome=sent", b"1" * 2_000_000, "more than 1048576 bytes were sent"),
    ],
)
async def test_resolution_that_says_nothing_is_refused(
    app: Admin, journal: SqliteJournal, target: str, body: bytes, detail: str
) -> None:
    await park(journal)
    found = await request(app, f"/runs/{OPEN}/resolve?{target}", method="POST", body=body)
    assert (found[0], found[2]["detail"]) == (400, detail)
    assert (await get(app, f"/runs/{OPEN}"))["run"]["state"] == "parked"


async def test_run_that_nobody_asks_about_cannot_be_resolved(app: Admin) -> None:
    assert await refused(app, f"/runs/{OPEN}/resolve?outcome=sent", method="POST") == problem(
        409, "Conflict", f"the run {OPEN} has no step of which nobody knows whether it happened"
    )


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "what is to be replayed cannot be read: Input data was truncated"),
        (b'{"state":"lost"}', "what is to be replayed cannot be read: Invalid enum value 'lost' - at `$.state`"),
        (b'{"state":"running"}', "state is one of dead, done, stopped, cancelled"),
    ],
)
async def test_replay_that_cannot_be_is_refused(app: Admin, body: bytes, detail: str) -> None:
    assert await refused(app, "/replay", method="POST", body=body) == problem(400, "Bad Request", detail)


@pytest.mark.parametrize("path", ["/runs", "/runs/0191", "/runs/0191/restart", "/persons/cancel"])
async def test_unknown_change_is_told_what_there_is(app: Admin, path: str) -> None:
    assert await refused(app, path, method="POST") == problem(
        404,
        "Not Found",
        "there is nothing to change here, but there are"
        " /replay, /rejected/replay, /privacy/find, /privacy/erase, /release, /backup, "
        "/runs/ID/cancel, /runs/ID/retry, /runs/ID/resolve",
    )


@pytest.mark.parametrize("since", ["0", "x", "-1", "99999999999999999999"])
async def test_instant_that_is_none_is_refused(app: Admin, since: str) -> None:
    assert await refused(app, f"/runs?since={since}") == problem(
        400, "Bad Request", "since is a number from 1 to 253402300799999"
    )


async def test_run_in_memory_is_shown_as_running_although_the_journal_does_not_know(journal: SqliteJournal) -> None:
    """The state is written with a run's records alone: a write for it would be a commit for each run of a backlog."""

    class Busy(Hands):
        def in_memory(self) -> frozenset[int]:
            return frozenset({4, 5, 1})

    accepts = [Accept(f"02{n}", "", "erp", "plan-2", AT + n, b"{}", running=False) for n in range(4)]
    await journal.commit(*accepts)
    app = Admin(with_hands(journal, Busy(journal, lambda: AT)), ready)

    async def listed(query: str) -> list[tuple[str, str]]:
        return [(run["id"], run["state"]) for run in (await get(app, f"/runs?{query}"))["runs"]]

    assert (await listed("limit=4")) == [
        ("023", "accepted"),
        ("022", "accepted"),
        ("021", "running"),
        ("020", "running"),
    ]
    assert await listed("state=running") == [("021", "running"), ("020", "running"), (OPEN, "running")]
    assert await listed("state=running&limit=1") == [("021", "running")]
    assert await listed("state=running&flow=retomada") == []
    assert await listed(f"state=running&since={AT + 1}") == [("021", "running"), (OPEN, "running")]
    assert await listed("state=accepted") == [("023", "accepted"), ("022", "accepted")]
    assert await listed("state=dead") == [(DEAD, "dead")]
    assert (await get(app, "/runs/020"))["run"]["state"] == "running"


async def test_query_of_many_fields_is_refused(app: Admin) -> None:
    assert await refused(app, "/runs?" + "a=b&" * 100) == problem(
        400, "Bad Request", "there are more than 20 fields in the query"
    )


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8402", 200),
        ("[::1]:8402", 200),
        ("localhost:8402", 200),
        ("seta:8402", 200),
        ("admin.example.com:8402", 200),
        ("ADMIN.example.com", 200),
        ("attacker.example.com:8402", 421),
        ("127.0.0.1.example.com", 421),
    ],
)
async def test_name_of_somebody_else_is_refused(journal: SqliteJournal, host: str, status: int) -> None:
    app = Admin(operations(journal), ready, "admin.example.com")
    assert (await request(app, "/runs", host=host))[0] == status
