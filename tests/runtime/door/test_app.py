"""What the door answers, in whole: status, headers, body."""

import logging
from typing import Any

import pytest

from runtime.door.app import Door
from runtime.engine.answers import Accepted
from runtime.journal.protocol import JournalError
from runtime.program import NO_REQUEST, Guard, Request
from tests.runtime.door.harness import LEAD, PATH, RUN, House, Reply, Unfit, program

JSON = {"server": "seta", "content-type": "application/json"}
PROBLEM = {"server": "seta", "content-type": "application/problem+json"}
CLOSED = {**PROBLEM, "connection": "close"}


def problem(status: int, name: str, title: str, detail: str, **members: Any) -> dict[str, Any]:
    return {"type": f"urn:seta:problem:{name}", "title": title, "status": status, "detail": detail, **members}


TOKEN = "s3cr3t"  # noqa: S105  # of this test


class Looking:
    """An engine whose `accept` a test gives."""

    def __init__(self, accept: Any) -> None:
        self.accept = accept

    def reject(self, *_: Any) -> None:
        raise AssertionError


def check(reply: Reply, headers: dict[str, str], document: dict[str, Any]) -> None:
    assert (reply.status, reply.headers, reply.json()) == (document["status"], headers, document)


def later(reply: Reply) -> dict[str, str]:
    """The headers of a refusal that asks to come back, whenever."""
    assert 1 <= int(reply.headers["retry-after"]) <= 10
    return {**CLOSED, "retry-after": reply.headers["retry-after"]}


# accepted -------------------------------------------------------------------------------------------------------------


async def test_accepted_delivery_gets_its_run_id() -> None:
    house = House()
    reply = await house.post()
    assert reply == Reply(200, JSON, b'{"run":"' + RUN.encode() + b'"}')
    [kept] = house.engine.accepted
    assert (kept.flow, kept.body, kept.notes) == ("retomada", LEAD, b"")
    assert (kept.payload.telefone, kept.payload.nome) == ("11999998888", "João Silva")


async def test_curl_says_form_urlencoded_and_the_body_is_json_all_the_same() -> None:
    reply = await House().post(content_type="application/x-www-form-urlencoded")
    assert reply.status == 200


async def test_body_in_chunks_of_unknown_number_is_put_together() -> None:
    house = House()
    reply = await house.request("POST", PATH, [LEAD[:10], LEAD[10:]], transfer_encoding="chunked")
    assert reply.status == 200
    assert house.engine.accepted[0].body == LEAD


async def test_reading_stops_at_the_announced_length() -> None:
    house = House()
    reply = await house.request("POST", PATH, [LEAD[:10], LEAD[10:], b"never read"], content_length=str(len(LEAD)))
    assert reply.status == 200
    assert house.engine.accepted[0].body == LEAD


async def test_lenient_field_that_does_not_fit_is_noted() -> None:
    house = House()
    await house.post(b'{"telefone":"11999998888","email":{"a":1}}')
    [kept] = house.engine.accepted
    assert kept.notes == b'{"left_out":["/email"]}'
    assert kept.payload.email is None


async def test_flow_is_served_at_the_path_that_it_names() -> None:
    house = House(program("leads", path="/olá"), program())
    assert (await house.post(path="/ol%C3%A1")).status == 200
    assert (await house.post()).status == 200
    assert [kept.flow for kept in house.engine.accepted] == ["leads", "retomada"]


# addresses and methods ------------------------------------------------------------------------------------------------

NOT_FOUND = problem(
    404,
    "not-found",
    "Nothing is served at this address",
    "Compare the whole URL, to its last character, with what `seta urls` prints.",
)


@pytest.mark.parametrize(
    "path", ["/", "/v1/", PATH + "/", PATH[:-1], PATH.upper(), PATH.replace("9", "%39"), "/metrics", "*", ""]
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_every_unknown_address_gets_the_same(path: str, method: str) -> None:
    house = House()
    check(await house.request(method, path), PROBLEM, NOT_FOUND)


METHOD = problem(
    405, "method", "A webhook takes POST", "The address is right: send it a POST request. Nothing was stored."
)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post"])
async def test_webhook_takes_post_only(method: str) -> None:
    check(await House().request(method, PATH), {**PROBLEM, "allow": "GET, HEAD, POST"}, METHOD)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_only_looks_at_a_webhook_is_told_what_it_takes(method: str) -> None:
    house = House(program(accept=("json", "form")))
    reply = await house.request(method, PATH)
    assert (reply.status, reply.headers) == (200, {**JSON, "cache-control": "no-store"})
    assert reply.json() == {
        "schema": "seta.hook/1",
        "flow": "retomada",
        "method": "POST",
        "accept": ["application/json", "application/x-www-form-urlencoded"],
        "detail": "This is a webhook: send it a JSON object (application/json) or a form"
        " (application/x-www-form-urlencoded) with POST. Nothing was stored.",
    }
    assert house.engine.accepted == []


async def test_health_addresses_take_get_only() -> None:
    check(
        await House().request("POST", "/readyz"),
        {**PROBLEM, "allow": "GET, HEAD"},
        problem(
            405,
            "method",
            "This address takes GET",
            "It says whether the server is well. Webhooks have addresses of their own.",
        ),
    )


# health ---------------------------------------------------------------------------------------------------------------

HEALTH = {**JSON, "cache-control": "no-store"}


async def test_live_server_says_so_whatever_its_journal_says() -> None:
    house = House()
    house.journal.trouble = "broken"
    reply = await house.request("GET", "/livez")
    assert reply == Reply(200, HEALTH, b'{"schema":"seta.alive/1","alive":true}')


async def test_ready_server_says_so() -> None:
    reply = await House().request("GET", "/readyz")
    assert reply == Reply(200, HEALTH, b'{"status":"ready"}')


async def test_server_that_is_not_ready_says_so_to_all_and_why_only_inside() -> None:
    house = House()
    house.journal.trouble = "I/O error on /secret/place"
    house.journal.has_room = False
    house.readiness.draining = True
    house.hooks.table = {}
    reply = await house.request("GET", "/readyz")
    assert reply == Reply(503, HEALTH, b'{"status":"unready"}')
    assert await house.readiness.detail() == (
        503,
        {
            "schema": "seta.ready/1",
            "ready": False,
            "reasons": [
                {"name": "draining", "detail": "the server is stopping"},
                {"name": "disk-full", "detail": "the disk has too little room to accept deliveries"},
                {"name": "journal", "detail": "I/O error on /secret/place"},
                {"name": "no-flows", "detail": "no flow is loaded"},
            ],
            "committed_seconds_ago": 0.0,
        },
    )


# refused before the body is read --------------------------------------------------------------------------------------


async def test_encoded_body_is_refused() -> None:
    check(
        await House().post(content_encoding="gzip"),
        CLOSED,
        problem(
            415,
            "encoded",
            "Encoded bodies are not accepted",
            "Send the body as it is: no Content-Encoding, and no Transfer-Encoding but chunked. Nothing was stored.",
        ),
    )


LONG_TARGET = problem(
    414,
    "long-target",
    "The address is too long",
    "Path and query may have 16,384 bytes: send what is long in the body. Nothing was stored.",
)
LARGE_HEADERS = problem(
    431,
    "large-headers",
    "The headers are too large",
    "Together they may have 32,768 bytes: leave out cookies and whatever nobody reads. Nothing was stored.",
)


@pytest.mark.parametrize("path", [f"{PATH}?", "/livez?", "/unknown?", "/"])
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_address_that_is_too_long_is_refused_whatever_it_is(path: str, method: str) -> None:
    house = House()
    check(await house.request(method, path + "x" * 16_385), CLOSED, LONG_TARGET)
    assert (await house.request(method, path + "x" * (16_384 - len(path)))).status in (200, 404, 405, 400)


@pytest.mark.parametrize("path", [PATH, "/livez", "/unknown"])
async def test_headers_that_are_too_large_together_are_refused_whatever_the_address_is(path: str) -> None:
    listed = [(b"x-%d" % number, b"y" * 4093) for number in range(8)]  # 4,096 bytes each
    house = House()
    assert (await house.ask("GET", path.encode(), listed)).status in (200, 404)
    check(await house.ask("GET", path.encode(), [*listed, (b"z", b"")]), CLOSED, LARGE_HEADERS)


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip", "identity", ""])
async def test_transfer_encoding_other_than_chunks_is_refused(coding: str) -> None:
    reply = await House().request("POST", PATH, [LEAD], transfer_encoding=coding)
    assert (reply.status, reply.json()["type"]) == (415, "urn:seta:problem:encoded")
    assert (await House().request("POST", PATH, [LEAD], transfer_encoding="Chunked")).status == 200


@pytest.mark.parametrize("codings", [(b"gzip", b"chunked"), (b"chunked", b"gzip"), (b"chunked", b"chunked")])
async def test_transfer_encoding_that_is_said_twice_is_all_that_was_said(codings: tuple[bytes, ...]) -> None:
    lines = [(b"transfer-encoding", coding) for coding in codings]
    reply = await House().ask("POST", PATH.encode(), lines, [LEAD])
    assert (reply.status, reply.json()["type"]) == (415, "urn:seta:problem:encoded")


async def test_length_given_in_two_ways_is_refused() -> None:
    check(
        await House().post(transfer_encoding="chunked"),
        CLOSED,
        problem(
            400,
            "ambiguous-length",
            "The length of the body is ambiguous",
            "Send either Content-Length or Transfer-Encoding, not both. Nothing was stored.",
        ),
    )


TOO_LARGE = problem(
    413,
    "too-large",
    "The body is too large",
    "The flow retomada takes 1,000 bytes at most; its clause `limit` can raise that. Nothing was stored.",
)


async def test_body_announced_as_too_large_is_not_read() -> None:
    house = House(program(limit=1_000))
    check(await house.request("POST", PATH, content_length="1001"), CLOSED, TOO_LARGE)


async def test_stopping_server_asks_to_come_back() -> None:
    house = House()
    house.readiness.draining = True
    reply = await house.post()
    check(
        reply,
        later(reply),
        problem(503, "draining", "The server is stopping", "Nothing was stored: send it again in some seconds."),
    )


async def test_senders_are_asked_to_come_back_at_different_times() -> None:
    house = House()
    house.readiness.draining = True
    pauses = {(await house.post()).headers["retry-after"] for _ in range(10)}
    assert len(pauses) == 5


DISK_FULL = problem(
    507,
    "disk-full",
    "There is no room to keep the delivery",
    "The server's disk is nearly full. Nothing was stored: send it again once there is room.",
)
UNWELL = problem(
    503,
    "journal",
    "The delivery could not be stored",
    "The server cannot write to its disk now. Nothing was stored: send it again in some seconds.",
)


async def test_full_disk_is_said_before_the_body_is_read() -> None:
    house = House()
    house.journal.has_room = False
    check(await house.post(), {**CLOSED, "retry-after": "60"}, DISK_FULL)
    assert house.engine.accepted == []


async def test_journal_that_is_not_well_is_given_nothing() -> None:
    house = House()
    house.journal.trouble = "the last commit failed"
    reply = await house.post()
    check(reply, later(reply), UNWELL)
    assert house.engine.accepted == []


# refused while the body is read ---------------------------------------------------------------------------------------


async def test_body_that_grows_too_large_is_refused_at_once() -> None:
    house = House(program(limit=1_000))
    reply = await house.request("POST", PATH, [b"x" * 600, b"x" * 600, b"never read"], transfer_encoding="chunked")
    check(reply, CLOSED, TOO_LARGE)
    assert house.intake.held == 0


@pytest.mark.parametrize("chunks", [[None], [LEAD, None], [b"", None]])
async def test_broken_off_body_is_not_stored_even_if_it_reads_well(chunks: list[bytes | None]) -> None:
    house = House()
    check(
        await house.request("POST", PATH, chunks, transfer_encoding="chunked"),
        CLOSED,
        problem(
            400,
            "broken-body",
            "The body broke off",
            "It ended too early, or its chunks were malformed. Nothing was stored: send it again.",
        ),
    )
    assert house.engine.accepted == []


async def test_bodies_share_their_memory() -> None:
    house = House(room=1_000)
    reply = await house.request("POST", PATH, [b"x" * 600, b"x" * 600], transfer_encoding="chunked")
    check(
        reply,
        later(reply),
        problem(
            503,
            "crowded",
            "Too many bodies at once",
            "The memory for bodies is used up. Nothing was stored: send it again in some seconds.",
        ),
    )
    assert house.intake.held == 0


async def test_body_is_held_until_it_is_answered() -> None:
    house = House()
    held: list[int] = []
    accept = house.engine.accept

    async def look(*args: Any) -> Accepted:
        held.append(house.intake.held)
        return await accept(*args)

    house.door = Door(Looking(look), house.hooks, house.readiness, house.intake)
    assert (await house.post()).status == 200
    assert held == [len(LEAD)]
    assert house.intake.held == 0


# refused for what it is -----------------------------------------------------------------------------------------------


async def test_body_that_is_not_json_is_refused() -> None:
    house = House()
    check(
        await house.post(b"nome", content_type="application/json"),
        PROBLEM,
        problem(
            400,
            "not-json",
            "The body is not JSON",
            "It is neither an object nor an array: its first character is not { or [. Send a JSON object."
            " Nothing was stored.",
            flow="retomada",
        ),
    )
    assert house.engine.accepted == []


@pytest.mark.parametrize("headers", [{}, {"content_length": "0"}])
async def test_request_without_a_body_is_refused_unread(headers: dict[str, str]) -> None:
    check(
        await House().request("POST", PATH, (), **headers),
        PROBLEM,
        problem(
            400,
            "not-json",
            "The body is not JSON",
            "It is empty. Send a JSON object. Nothing was stored.",
            flow="retomada",
        ),
    )


async def test_misfit_is_told_with_every_problem() -> None:
    house = House()
    check(
        await house.post(b'{"nome":7}'),
        PROBLEM,
        problem(
            422,
            "misfit",
            "The body does not fit the flow",
            "At /telefone: expected text or number, got nothing (and 1 more)."
            " No run was started: send it again with every problem mended.",
            flow="retomada",
            problems=[
                {"pointer": "/telefone", "expected": "text or number", "got": "nothing"},
                {"pointer": "/nome", "expected": "text", "got": "a number"},
            ],
        ),
    )
    assert house.engine.accepted == []
    assert house.engine.rejected == [Unfit("retomada", b'{"nome":7}', NO_REQUEST, ["/telefone", "/nome"])]


async def test_of_a_misfit_only_what_the_plan_names_is_kept() -> None:
    house = House(program(headers=("x-id",), query=("utm",)))
    await house.post(b"{}", f"{PATH}?utm=a&other=b", x_id="7", x_other="8")
    (kept,) = house.engine.rejected
    assert kept.request == Request({"x-id": "7"}, {"utm": "a"})


async def test_misfit_of_a_form_is_kept_as_its_fields() -> None:
    house = House(program(accept=("form",)))
    reply = await house.post(b"nome=a&nome=b", content_type="application/x-www-form-urlencoded")
    assert reply.status == 422
    (kept,) = house.engine.rejected
    assert (kept.body, kept.request.form) == (b'{"nome":["a","b"]}', True)


async def test_what_is_refused_before_it_is_read_is_not_kept() -> None:
    house = House(program(guard=Guard("token", {"secret": "T"}, {"header": "X-Token"})), secrets={"T": TOKEN})
    assert (await house.post(b"{}")).status == 401
    assert (await house.post(b"{", x_token=TOKEN)).status == 400
    assert (await house.post(b"a", x_token=TOKEN, content_type="text/plain")).status == 415
    assert house.engine.rejected == []
    assert (await house.post(b"{}", x_token=TOKEN)).status == 422
    assert len(house.engine.rejected) == 1


async def test_array_where_an_object_is_expected_is_a_misfit() -> None:
    reply = await House().post(b"[]")
    assert reply.status == 422
    assert reply.json()["detail"].startswith("At the body itself: expected object, got an array.")


# refused by the journal -----------------------------------------------------------------------------------------------


async def test_commit_that_fails_for_want_of_room_says_so() -> None:
    house = House()
    house.engine.error = JournalError("database or disk is full", full=True)
    check(await house.post(), {**CLOSED, "retry-after": "60"}, DISK_FULL)
    assert house.intake.held == 0


async def test_commit_that_fails_asks_to_come_back() -> None:
    house = House()
    house.engine.error = JournalError("disk I/O error")
    reply = await house.post()
    check(reply, later(reply), UNWELL)


async def test_fault_of_ours_is_logged_and_told_without_detail(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    house.engine.error = RuntimeError("secret")
    check(
        await house.post(),
        CLOSED,
        problem(
            500,
            "fault",
            "The server made a mistake",
            "Its log says more. Whether the delivery was stored is not known: send it again.",
        ),
    )
    [entry] = caplog.records
    assert (entry.getMessage(), vars(entry)["flow"]) == ("a request failed", "retomada")
    assert house.intake.held == 0


# what is said to whom -------------------------------------------------------------------------------------------------


async def test_log_names_the_flow_and_neither_address_nor_body(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "seta.door")
    house = House()
    await house.post(b'{"nome":"segredo"}')
    await house.post(b"segredo")
    await house.request("POST", "/segredo%0a")
    await house.post()
    told = [vars(entry) for entry in caplog.records if entry.name == "seta.door"]
    assert [(one["message"], one["flow"], one.get("status"), one.get("run")) for one in told] == [
        ("delivery refused", "retomada", 422, None),
        ("delivery refused", "retomada", 400, None),
        ("delivery accepted", "retomada", None, RUN),
    ]
    assert "segredo" not in caplog.text
    assert PATH not in caplog.text


@pytest.mark.parametrize(
    "body", [b"segredo", b'{"segredo"', b'{"telefone":{"segredo":1}}', b'{"telefone":["segredo"]}']
)
async def test_answer_repeats_nothing_of_the_body(body: bytes) -> None:
    reply = await House().post(body)
    assert reply.status in (400, 422)
    assert b"segredo" not in reply.body
