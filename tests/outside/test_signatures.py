"""Every worked signature, sent over a socket to a server whose clock stands at its time: taken as it is, and only so.

The values are the examples of the schemes: published test vectors and computed ones (Standard Webhooks, GitHub, Meta,
Stripe, Shopify, Typeform, HubSpot, Mercado Pago, Slack, Pagar.me, Clicksign, Meetime, Pagou, PayZu, WooCommerce,
Hotmart), and what those senders do beside them.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from compiler.catalog import Delivery, Scheme
from tests.runtime.schemes.calls import EXAMPLES
from tests.runtime.served import Served, serving

IDS: Final = [f"{scheme.name}-{number}" for number, (scheme, _) in enumerate(EXAMPLES)]
ROWS: Final = pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=IDS)
LEAD: Final = '{"nome":"João da Silva","email":"joao@email.com","telefone":"(11) 98765-4321"}'
UNSIGNED_BODY: Final = {"token", "basic", "hotmart", "mercadopago"}
TIMED: Final = {"standard", "stripe", "hubspot", "slack", "hmac"}
OLD: Final = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # of the published rotation

BESIDE: Final = """\
flow rotacao on webhook "/rotacao" signed standard(secret.NOVO, secret.ANTIGO) open_text
flow handshake on webhook "/handshake" signed meta(secret.NOVO, verify: secret.VERIFY) open_text
flow ping on webhook "/ping" signed woocommerce(secret.NOVO) open_text
""".replace("open_text", "accept text corpo: text -> log corpo")


@dataclass
class Clock:
    """The wall clock of the server, in ms since the Unix epoch."""

    at: int = 1_767_225_600_000

    def __call__(self) -> int:
        return self.at


def path(number: int) -> str:
    """Where the flow of an example is. An address that is signed is behind a proxy, which takes the `/v1` away."""
    scheme, delivery = EXAMPLES[number]
    return urlsplit(delivery.url).path.removeprefix("/v1") if scheme.signs_address else f"/{scheme.name}/{number}"


def secret(number: int, param: str) -> str:
    return f"S{number}_{param.upper()}"


def flow(number: int) -> str:
    """A flow that asks for what an example proves."""
    scheme, delivery = EXAMPLES[number]
    secrets = ", ".join(f"secret.{secret(number, param)}" for param in delivery.secrets)
    options = {name: f'"{value}"' if isinstance(value, str) else "5m" for name, value in delivery.options.items()}
    if scheme.clause == "token":
        clause = f"token header {options['header']} ({secrets})"
    else:
        given = ", ".join((secrets, *(f"{name}: {value}" for name, value in options.items())))
        clause = f"{f'signed {scheme.name}' if scheme.clause == 'signed' else scheme.clause}({given})"
    return f'flow f{number} on webhook "{path(number)}" {clause} accept text corpo: text -> log corpo\n'


def environment() -> dict[str, str]:
    own = {"NOVO": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "ANTIGO": OLD, "VERIFY": "T"}
    listed = {
        secret(number, param): value
        for number, (_, delivery) in enumerate(EXAMPLES)
        for param, value in delivery.secrets.items()
    }
    return {f"SETA_SECRET_{name}": value for name, value in {**own, **listed}.items()}


class Senders:
    """A server, and who sends to it at times of their own."""

    def __init__(self, runner: asyncio.Runner, served: Served, clock: Clock) -> None:
        self._runner = runner
        self._served = served
        self._clock = clock
        self.base = f"http://{served.settings.listen}"

    def send(
        self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None, at: int | None = None
    ) -> httpx.Response:
        self._clock.at = self._clock.at if at is None else at
        return self._runner.run(self._send(method, path, body, headers or {}))

    async def _send(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.base, trust_env=False, timeout=20) as client:
            return await client.request(method, path, content=body.encode(), headers=headers)

    def example(
        self, number: int, *, late: int = 0, more: str = "", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send an example, some seconds late, with more at the end of its body, or with other headers."""
        _, delivery = EXAMPLES[number]
        query = urlsplit(delivery.url).query
        target = f"{path(number)}?{query}" if query else path(number)
        given = delivery.headers if headers is None else headers
        return self.send("POST", target, delivery.body + more, given, delivery.at + late * 1000)

    def payload(self, run: str) -> object:
        return self._runner.run(self._served.ended(run))["payload"]


@pytest.fixture(scope="module")
def senders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Senders]:
    clock = Clock()
    flows = {"a.seta": "".join(map(flow, range(len(EXAMPLES)))) + BESIDE}
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setattr("runtime.serve.now", clock)
        folder = tmp_path_factory.mktemp("signatures")
        server = serving(folder, flows, environment=environment(), public_url="https://flows.example.com/v1")
        served = runner.run(server.__aenter__())
        try:
            yield Senders(runner, served, clock)
        finally:
            runner.run(server.__aexit__(None, None, None))


@ROWS
def test_example_is_taken_and_its_body_is_what_the_flow_gets(senders: Senders, number: int) -> None:
    answer = senders.example(number)
    assert answer.status_code == 200, answer.text
    assert senders.payload(answer.json()["run"]) == EXAMPLES[number][1].body


@ROWS
def test_without_its_proof_an_example_is_refused(senders: Senders, number: int) -> None:
    refuse(senders.example(number, headers={}))


def refuse(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:seta:problem:unauthorized"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"]


@ROWS
def test_each_header_of_a_proof_is_refused_where_a_character_is_another(senders: Senders, number: int) -> None:
    scheme, delivery = EXAMPLES[number]
    for name, good in proving(scheme, delivery).items():
        read = good.partition(",v0=")[0]  # Stripe's signature for tests proves nothing
        digit = next(index for index in reversed(range(len(read) - 2)) if read[index].isalnum())
        bad = f"{good[:digit]}{'A' if good[digit] != 'A' else 'B'}{good[digit + 1 :]}"
        refuse(senders.example(number, headers={**delivery.headers, name: bad}))


def proving(scheme: Scheme, delivery: Delivery) -> dict[str, str]:
    """What of the headers of an example is part of its proof; senders send others beside it."""
    signs = {
        "github": ("X-Hub-Signature-256",),
        "mercadopago": ("x-signature", "x-request-id"),
    }.get(scheme.name, tuple(delivery.headers))
    return {name: value for name, value in delivery.headers.items() if name in signs}


@ROWS
def test_another_body_is_refused_where_the_body_is_signed(senders: Senders, number: int) -> None:
    answer = senders.example(number, more=" ")
    if EXAMPLES[number][0].name in UNSIGNED_BODY:
        assert answer.status_code == 200
    else:
        refuse(answer)


@ROWS
@pytest.mark.parametrize("late", [-301, 300, 301])
def test_a_time_that_is_signed_may_be_five_minutes_off(senders: Senders, number: int, late: int) -> None:
    answer = senders.example(number, late=late)
    if EXAMPLES[number][0].name in TIMED and abs(late) > 300:
        refuse(answer)
    else:
        assert answer.status_code == 200


# what senders do beside it --------------------------------------------------------------------------------------------

ROTATED: Final = {
    "webhook-id": "msg_01J9ZLEAD0001",
    "webhook-timestamp": "1767225600",
    "webhook-signature": "v1,Ixi/raHvnq2nme2IZz74cRSTkw7N1HdqKqrY/nGvDms= "
    "v1,rkY5lLYmctVlcPPjD7Adu7npaEBLIPBa6iEI83WXM/0=",
}


@pytest.mark.parametrize("which", [0, 1])
def test_during_a_rotation_either_signature_is_good(senders: Senders, which: int) -> None:
    at = 1_767_225_600_000
    alone = {**ROTATED, "webhook-signature": ROTATED["webhook-signature"].split(" ")[which]}
    for headers in (ROTATED, alone, {name.replace("webhook", "svix"): value for name, value in alone.items()}):
        assert senders.send("POST", "/rotacao", LEAD, headers, at).status_code == 200
    refuse(senders.send("POST", "/rotacao", LEAD, {**alone, "webhook-id": "msg_other"}, at))


def test_hubspot_is_not_taken_at_its_first_version(senders: Senders) -> None:
    [number] = [index for index, (scheme, _) in enumerate(EXAMPLES) if scheme.name == "hubspot"]
    first = "50ff6ace32f460a854f8498a02dfd20c9e91550a8f7ee27c0cc93fcd15a619e0"
    refuse(
        senders.example(number, headers={"X-HubSpot-Signature": first, "X-HubSpot-Signature-Version": "v1"}),
    )


def test_github_is_not_taken_at_its_sha_1(senders: Senders) -> None:
    [number] = [index for index, (scheme, _) in enumerate(EXAMPLES) if scheme.name == "github"]
    old = EXAMPLES[number][1].headers["X-Hub-Signature"]
    refuse(senders.example(number, headers={"X-Hub-Signature": old}))


def test_pagarme_may_name_the_algorithm(senders: Senders) -> None:
    [number] = [index for index, (scheme, _) in enumerate(EXAMPLES) if scheme.name == "pagarme"]
    bare = EXAMPLES[number][1].headers["X-Hub-Signature"].removeprefix("sha1=")
    for written in (bare, f"sha1={bare}"):
        assert senders.example(number, headers={"X-Hub-Signature": written}).status_code == 200


def test_pagou_may_name_the_algorithm(senders: Senders) -> None:
    [number] = [i for i, (_, one) in enumerate(EXAMPLES) if one.options.get("header") == "X-Pagou-Signature"]
    headers = EXAMPLES[number][1].headers
    named = {**headers, "X-Pagou-Signature": f"sha256={headers['X-Pagou-Signature']}"}
    assert senders.example(number, headers=named).status_code == 200


def test_meta_gets_its_challenge_for_the_verify_token_alone(senders: Senders) -> None:
    asked = "/handshake?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    good, bad = senders.send("GET", f"{asked}T"), senders.send("GET", f"{asked}U")
    assert (good.status_code, good.text, good.headers["content-type"]) == (
        200,
        "1158201444",
        "text/plain; charset=utf-8",
    )
    assert (bad.status_code, bad.json()["type"]) == (403, "urn:seta:problem:wrong-token")


def test_woocommerce_may_try_an_address_without_a_signature(senders: Senders) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    ping = senders.send("POST", "/ping", "webhook_id=42", form)
    assert ping.status_code == 200
    assert "run" not in ping.text
    refuse(senders.send("POST", "/ping", "webhook_id=42&x=1", form))
