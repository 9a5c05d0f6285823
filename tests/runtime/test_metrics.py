"""What a scrape is told of a server that took good and bad deliveries."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.connections.hosts import FAILURES, Breaker
from runtime.settings import Address, parse_opening
from tests.runtime.served import Served, serving

FLOWS = {
    "a.seta": 'flow leads\non webhook "/leads" open dedupe by id for 1h {id: text, telefone: text}\n'
    '  -> format_phone(telefone)\n  -> upsert person\n  -> send hsm "ola"\n',
    "b.seta": 'flow espera\non webhook "/espera" open {n: int}\n  -> wait 1h\n  -> log n\n',
}
GOOD = '{"id": "1", "telefone": "11999998888"}'
DEAD = '{"id": "2", "telefone": "segredo"}'


Samples = dict[str, float]


def samples(text: str) -> Samples:
    """Each sample, written as it stands in the text, without buckets."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path, FLOWS, admin=Address("127.0.0.1", 0)) as server:
        yield server


async def test_numbers_of_deliveries_runs_and_steps_are_told(server: Served) -> None:
    for body, status in ((GOOD, 200), (GOOD, 200), (DEAD, 200), ("{}", 422), ("[", 400)):
        answer = await server.post("leads", body)
        assert answer.status_code == status
        if status == 200:
            await server.ended(answer.json()["run"])
    await server.ended((await server.post("espera", '{"n": 1}')).json()["run"])
    async with httpx.AsyncClient() as client:
        await client.post(f"http://{server.settings.listen}/segredo")
    while not (await server.admin("/rejected")).json()["rejected"]:  # it is put on disk soon
        await asyncio.sleep(0.01)
    answer = await server.admin("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    told = samples(answer.text)
    expected = {
        "webhook_received_total{code=200,hook=leads}": 3,
        "webhook_received_total{code=422,hook=leads}": 1,
        "webhook_received_total{code=400,hook=leads}": 1,
        "webhook_received_total{code=200,hook=espera}": 1,
        "webhook_received_total{code=404,hook=}": 1,
        "webhook_ack_seconds_count": 4,
        "webhook_ack_seconds_bucket{le=+Inf}": 4,
        "duplicates_total": 1,
        "rejected_total{outcome=kept}": 1,
        "rejected_total{outcome=dropped}": 0,
        "run_total{flow=leads,outcome=done}": 1,
        "run_total{flow=leads,outcome=dead}": 1,
        "run_duration_seconds_count": 2,
        "step_attempts_total{flow=leads,outcome=done,step=upsert_person}": 1,
        "step_attempts_total{flow=leads,outcome=done,step=send_hsm}": 1,
        "step_duration_seconds_count{verb=upsert person}": 1,
        "step_duration_seconds_count{verb=send hsm}": 1,
        "runs{state=accepted}": 0,
        "runs{state=running}": 0,
        "runs{state=waiting}": 1,
        "runs{state=parked}": 0,
        "runs{state=dead}": 1,
        "queue_depth": 0,
        "queue_oldest_age_seconds": 0,
        "dead_letters": 1,
        "flows_loads_total": 1,
        "flows_load_errors_total": 0,
        "flows_generation": 1,
        "flows_last_load_successful": 1,
        "ready": 1,
        "journal_commit_failures_total": 0,
    }
    assert {name: told.get(name) for name in expected} == expected
    assert told["journal_commit_seconds_count"] == told["journal_batch_writes_count"] > 0
    assert told["journal_batch_writes_sum"] >= told["journal_commit_seconds_count"]
    assert told["journal_wal_bytes"] > 0
    assert told["journal_disk_free_bytes"] > 0
    assert told["process_resident_memory_bytes"] > 0


async def test_no_value_of_a_delivery_and_no_address_is_a_label(server: Served) -> None:
    run = (await server.post("leads", DEAD, x_lead="segredo")).json()["run"]
    await server.ended(run)
    text = (await server.admin("/metrics")).text
    for secret in ("segredo", "11999998888", "/leads", run, server.settings.listen.host):
        assert secret not in text
    names = set(re.findall(r'[{,]([a-z_]+)="', text))
    assert names <= {"hook", "code", "flow", "outcome", "step", "verb", "state", "le"}


@pytest.mark.parametrize(("more", "label"), [("", ""), ("[http]\nopen_hosts = true\n", "others")])
async def test_host_that_cannot_be_reached_shows_unless_a_delivery_may_have_named_it(
    tmp_path: Path, more: str, label: str
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    flow = 'on webhook open {n: int}\n  -> put "{config.erp}/x" with {n} retry 9 every 1h..1h\n'
    files = {"erp.seta": flow, "seta.toml": f'[config]\nerp = "http://{host}"\n{more}'}
    async with serving(tmp_path, files, allow_outbound=(parse_opening(host),)) as server:
        for failures in range(1, FAILURES + 1):
            await server.ended((await server.post("erp", f'{{"n": {failures}}}')).json()["run"])
            told = samples((await server.admin("/metrics")).text)
            states = {name: state for name, state in told.items() if name.startswith("breaker_state")}
            state = Breaker.OPEN if failures == FAILURES else Breaker.CLOSED
            assert states == {f"breaker_state{{host={label or host}}}": state}


async def test_metrics_are_on_the_socket_and_the_admin_address_and_not_public(server: Served) -> None:
    assert (await server.public("/metrics")).status_code == 404
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{server.settings.admin}/metrics")
    assert answer.status_code == 200
    assert "queue_depth 0.0\n" in answer.text


async def test_readiness_tells_inside_how_many_runs_wait_for_their_turn(server: Served) -> None:
    told = (await server.admin("/readyz")).json()
    assert (told["ready"], told["queue"]) == (True, {"depth": 0, "oldest_age_seconds": 0.0})


async def test_two_servers_in_one_process_count_apart(server: Served, tmp_path: Path) -> None:
    await server.post("leads", GOOD)
    (tmp_path / "other").mkdir()
    async with serving(tmp_path / "other", FLOWS) as other:
        told = samples((await other.admin("/metrics")).text)
    assert "webhook_received_total{code=200,hook=leads}" not in told


async def test_a_folder_that_cannot_be_served_shows_in_the_numbers(server: Served) -> None:
    (server.settings.flows / "a.seta").write_text("on webhook -> ?")
    assert (await server.change("/reload")).status_code == 409
    told = samples((await server.admin("/metrics")).text)
    names = ("flows_loads_total", "flows_load_errors_total", "flows_generation", "flows_last_load_successful")
    assert [told[name] for name in names] == [2, 1, 1, 0]


async def test_queue_that_is_older_than_is_wanted_turns_readiness_red_and_deliveries_are_taken(tmp_path: Path) -> None:
    flow = 'flow fila\non webhook "/fila" open serial by id {id: text}\n  -> wait 1h\n  -> log id\n'
    async with serving(tmp_path, {"a.seta": flow}, max_queue_age=0.2) as server:
        run = (await server.post("fila", '{"id": "a"}')).json()["run"]
        assert (await server.ended(run))["state"] == "waiting"
        assert (await server.public("/readyz")).status_code == 200
        assert (await server.post("fila", '{"id": "a"}')).status_code == 200
        async with asyncio.timeout(20):
            while (await server.public("/readyz")).status_code == 200:
                await asyncio.sleep(0.05)
        [reason] = (await server.admin("/readyz")).json()["reasons"]
        assert reason == {
            "name": "queue",
            "detail": "the first run that waits for its turn has waited for over 0.2 s",
        }
        assert samples((await server.admin("/metrics")).text)["ready"] == 0
        assert (await server.post("fila", '{"id": "b"}')).status_code == 200
