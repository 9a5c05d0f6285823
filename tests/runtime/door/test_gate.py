"""Who is let in, and what everybody else is told: the same, whatever was wrong."""

import logging
from base64 import b64encode
from typing import Any

import pytest

from runtime.door.gate import Gates
from runtime.program import Guard, Program
from runtime.schemes import SecretError
from tests.runtime.door.harness import LEAD, PATH, RUN, House, Reply, program
from tests.runtime.schemes.calls import named

TOKEN = Guard("token", {"secret": "T"}, {"header": "X-Token"})
SECRETS = {"T": "s3cr3t", "OLD": "0ld", "USER": "ana", "PASSWORD": "senha"}
PROBLEM = {"server": "seta", "content-type": "application/problem+json"}


def house(guard: Guard, now: int = 0, **clauses: Any) -> House:
    return House(program(guard=guard, **clauses), secrets=SECRETS, now=now)


def unauthorized(asks: str) -> dict[str, Any]:
    return {
        "type": "urn:seta:problem:unauthorized",
        "title": "The delivery does not prove who sent it",
        "status": 401,
        "detail": f"This webhook wants {asks}. Compare the secret, and the clock where a time is signed. "
        "Nothing was stored.",
    }


def check(reply: Reply, asks: str, challenge: str) -> None:
    assert (reply.status, reply.headers) == (401, {**PROBLEM, "www-authenticate": challenge})
    assert reply.json() == unauthorized(asks)


# token ----------------------------------------------------------------------------------------------------------------


async def test_delivery_with_the_token_is_accepted() -> None:
    guarded = house(TOKEN)
    assert (await guarded.post(x_token=SECRETS["T"])).status == 200
    assert guarded.engine.accepted[0].body == LEAD


@pytest.mark.parametrize("headers", [{}, *({"x_token": t} for t in ("", "s3cr3", "s3cr3tt", "S3CR3T", "ção"))])
async def test_delivery_without_the_token_is_refused_and_nothing_is_kept(headers: dict[str, str]) -> None:
    guarded = house(TOKEN)
    check(await guarded.post(LEAD, **headers), "a token in X-Token", 'Token header="x-token"')
    assert guarded.engine.accepted == []
    assert guarded.intake.held == 0


async def test_token_in_authorization_stands_after_bearer() -> None:
    guarded = house(Guard("token", {"secret": "T"}, {"header": "Authorization"}))
    assert (await guarded.post(authorization="Bearer s3cr3t")).status == 200
    assert (await guarded.post(authorization="bearer  s3cr3t")).status == 200
    assert (await guarded.post(authorization="s3cr3t")).status == 200
    check(await guarded.post(authorization="Basic s3cr3t"), "a token in Authorization", 'Bearer realm="seta"')


async def test_old_token_is_good_too_while_it_is_replaced() -> None:
    guarded = house(Guard("token", {"secret": "T", "old": "OLD"}, {"header": "X-Token"}))
    assert [(await guarded.post(x_token=token)).status for token in ("s3cr3t", "0ld", "older")] == [200, 200, 401]


# basic ----------------------------------------------------------------------------------------------------------------

BASIC = Guard("basic", {"user": "USER", "password": "PASSWORD"}, {})


def basic(pair: bytes) -> str:
    return f"Basic {b64encode(pair).decode()}"


async def test_user_and_password_are_asked_for_as_the_standard_has_it() -> None:
    guarded = house(BASIC)
    check(await guarded.post(), "user and password in Authorization", 'Basic realm="seta", charset="UTF-8"')
    assert (await guarded.post(authorization=basic(b"ana:senha"))).status == 200


@pytest.mark.parametrize(
    "given",
    [
        basic(b"ana:outra"),
        basic(b"bia:senha"),
        basic(b"ana"),
        basic(b"ana:senha:"),
        basic(b"\xff\xfe"),
        "Basic",
        "Basic !!!!",
        "Basic YW5hOnNlbmh",
        "Bearer YW5hOnNlbmhh",
        "Digest username=ana",
    ],
)
async def test_another_user_or_password_is_refused(given: str) -> None:
    assert (await house(BASIC).post(authorization=given)).status == 401


# signatures -----------------------------------------------------------------------------------------------------------


def signed(scheme: str, **clauses: Any) -> tuple[House, dict[str, str], bytes]:
    """A door whose flow takes the example of a scheme, and that example."""
    example = named(scheme).examples[0]
    guard = Guard(scheme, {param: param for param in example.secrets}, example.options)
    one = House(program(guard=guard, **clauses), secrets=example.secrets, now=example.at)
    headers = {name.lower().replace("-", "_"): value for name, value in example.headers.items()}
    return one, headers, example.body.encode()


async def test_signature_is_looked_at_before_the_body_is_decoded() -> None:
    guarded, headers, body = signed("github")
    assert (await guarded.post(body, **headers)).status == 400  # `Hello, World!` is signed, and is not JSON
    assert (await guarded.post(b"Hello", **headers)).status == 401


async def test_answer_is_the_same_whatever_was_wrong() -> None:
    guarded, headers, body = signed("stripe")
    signature = headers["stripe_signature"]
    asks = "HMAC-SHA256 of time and body in Stripe-Signature"
    for wrong in ("", "t=1", signature.replace("v1=00", "v1=01"), signature.replace("t=17", "t=16"), "ção"):
        reply = await guarded.post(body, stripe_signature=wrong)
        check(reply, asks, 'Signature scheme="stripe", header="stripe-signature"')


async def test_log_says_what_was_wrong_and_no_value(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="seta.door")
    guarded, headers, body = signed("stripe")
    await guarded.post(body)
    await guarded.post(body, stripe_signature="nonsense")
    await guarded.post(body, stripe_signature=headers["stripe_signature"].replace("t=17", "t=16"))
    await guarded.post(body + b" ", **headers)
    assert set(caplog.messages) == {"delivery refused"}
    assert [(vars(entry)["flow"], vars(entry)["status"], vars(entry)["reason"]) for entry in caplog.records] == [
        ("retomada", 401, "what proves the sender is absent or comes twice"),
        ("retomada", 401, "what proves the sender is malformed"),
        ("retomada", 401, "the time that was signed is too far from now"),
        ("retomada", 401, "the proof is not made with the secret of this flow"),
    ]


async def test_address_that_is_signed_is_the_public_one_with_its_query() -> None:
    example = named("hubspot").examples[0]
    path, _, query = example.url.removeprefix("https://flows.example.com").partition("?")
    guard = Guard("hubspot", {"secret": "secret"}, {})
    guarded = House(
        program(guard=guard, path=path), secrets=example.secrets, now=example.at, base="https://flows.example.com"
    )
    headers = {name.lower().replace("-", "_"): value for name, value in example.headers.items()}
    body = example.body.encode()
    assert (await guarded.post(body, path=f"{path}?{query}", **headers)).status == 422
    assert (await guarded.post(body, path=path, **headers)).status == 401
    elsewhere = {"host": "other.example", "x_forwarded_host": "other.example", "x_forwarded_proto": "http"}
    assert (await guarded.post(body, path=f"{path}?{query}", **elsewhere, **headers)).status == 422


# what a sender asks before it sends -----------------------------------------------------------------------------------

META = Guard("meta", {"secret": "T", "verify": "OLD"}, {})
GREETING = f"{PATH}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token"


async def test_meta_gets_its_challenge_back_for_the_verify_token() -> None:
    reply = await house(META).request("GET", f"{GREETING}=0ld")
    headers = {"server": "seta", "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    assert reply == Reply(200, headers, b"1158201444")


async def test_meta_gets_403_for_another_verify_token() -> None:
    reply = await house(META).request("GET", f"{GREETING}=older")
    assert (reply.status, reply.headers) == (403, PROBLEM)
    assert reply.json() == {
        "type": "urn:seta:problem:wrong-token",
        "title": "The verify token is not the one of this webhook",
        "status": 403,
        "detail": "Compare it with the secret that the flow names. Nothing was stored.",
    }


@pytest.mark.parametrize(
    ("guard", "path"),
    [
        (META, PATH),
        (META, f"{PATH}?hub.mode=unsubscribe&hub.verify_token=0ld&hub.challenge=1"),
        (Guard("meta", {"secret": "T"}, {}), f"{GREETING}="),
        (TOKEN, f"{GREETING}=0ld"),
    ],
)
async def test_any_other_get_is_told_what_the_webhook_takes(guard: Guard, path: str) -> None:
    reply = await house(guard).request("GET", path)
    assert reply == await House().request("GET", PATH)


async def test_shop_that_tries_an_address_gets_200_and_starts_nothing() -> None:
    guarded = house(Guard("woocommerce", {"secret": "T"}, {}))
    reply = await guarded.post(b"webhook_id=42", content_type="application/x-www-form-urlencoded")
    assert (reply.status, reply.body) == (200, b"ok")
    assert (await guarded.post(b"webhook_id=42&x=1")).status == 401
    assert guarded.engine.accepted == []


# gates of a server ----------------------------------------------------------------------------------------------------


def test_gate_is_not_made_without_its_secret() -> None:
    with pytest.raises(KeyError):
        Gates({}, "https://hooks.example", lambda: 0).gate(program(guard=TOKEN))


@pytest.mark.parametrize(
    ("guard", "secret", "says"),
    [
        (Guard("standard", {"secret": "S"}, {}), "whsec_não é base64", "is not base64"),
        (Guard("standard", {"secret": "S"}, {}), "whsec_", "is empty"),
        (Guard("hmac", {"secret": "S"}, {"header": "X", "key": "hex"}), "xyz", "is not made of hexadecimal digits"),
        (Guard("github", {"secret": "S"}, {}), "\udcff", "is not UTF-8"),
        (TOKEN, "\udcff", "is not UTF-8"),
    ],
)
def test_secret_that_a_scheme_cannot_read_is_refused_without_being_shown(guard: Guard, secret: str, says: str) -> None:
    with pytest.raises(SecretError) as refused:
        Gates({"S": secret, "T": secret}, "https://hooks.example", lambda: 0).gate(program(guard=guard))
    assert (str(refused.value), refused.value.param) == (says, "secret")


async def test_flow_without_guard_asks_nobody() -> None:
    one: Program = program()
    assert (await House(one).post()).json() == {"run": RUN}
