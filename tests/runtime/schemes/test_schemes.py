"""Every scheme with its worked example: accepted as it is, and not accepted once anything of it is another."""

import hmac
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from compiler.catalog import Delivery, Scheme
from runtime.schemes import SCHEMES, Denied, call_of, proof, proving_headers
from tests.runtime.schemes.calls import EXAMPLES, named, verdict, with_headers

IDS = [f"{scheme.name}-{number}" for number, (scheme, _) in enumerate(EXAMPLES)]
EACH = pytest.mark.parametrize(("scheme", "delivery"), EXAMPLES, ids=IDS)

UNSIGNED_BODY = {"token", "basic", "hotmart", "mercadopago"}
TIMED = {"standard", "stripe", "hubspot", "slack", "hmac"}
FIVE_MINUTES = 5 * 60 * 1000


def test_schemes_stand_in_order_of_name_and_have_examples() -> None:
    names = [scheme.name for scheme in SCHEMES]
    assert names == sorted(names)
    assert all(scheme.examples for scheme in SCHEMES)


@EACH
def test_example_is_accepted(scheme: Scheme, delivery: Delivery) -> None:
    assert verdict(scheme, delivery) is None


@EACH
def test_another_secret_is_refused(scheme: Scheme, delivery: Delivery) -> None:
    others = {param: f"{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}" for param, secret in delivery.secrets.items()}
    assert verdict(scheme, msgspec.structs.replace(delivery, secrets=others), call_of(delivery)) is Denied.WRONG


@EACH
def test_new_secret_goes_together_with_the_old_one(scheme: Scheme, delivery: Delivery) -> None:
    first = "password" if scheme.name == "basic" else "secret"
    secrets = {**delivery.secrets, "old": delivery.secrets[first], first: "whsec_MDEyMzQ1Njc4OQ=="}
    assert verdict(scheme, msgspec.structs.replace(delivery, secrets=secrets)) is None


@EACH
def test_another_body_is_refused(scheme: Scheme, delivery: Delivery) -> None:
    other = replace(call_of(delivery), body=bytes(call_of(delivery).body) + b" ")
    assert verdict(scheme, delivery, other) is (None if scheme.name in UNSIGNED_BODY else Denied.WRONG)


@EACH
def test_request_without_its_headers_is_refused(scheme: Scheme, delivery: Delivery) -> None:
    assert verdict(scheme, delivery, replace(call_of(delivery), headers=[])) is Denied.ABSENT


@EACH
def test_header_that_comes_twice_is_refused(scheme: Scheme, delivery: Delivery) -> None:
    call = call_of(delivery)
    assert verdict(scheme, delivery, replace(call, headers=call.headers * 2)) is Denied.ABSENT


@EACH
@pytest.mark.parametrize("seconds", [-301, -300, 300, 301])
def test_time_that_is_signed_may_be_five_minutes_off(scheme: Scheme, delivery: Delivery, seconds: int) -> None:
    moved = msgspec.structs.replace(delivery, at=delivery.at + seconds * 1000)
    stale = scheme.name in TIMED and abs(seconds) > 300
    assert verdict(scheme, moved) is (Denied.STALE if stale else None)


def test_tolerance_of_a_flow_replaces_the_five_minutes() -> None:
    scheme = named("stripe")
    late = msgspec.structs.replace(scheme.examples[0], at=scheme.examples[0].at + 2 * FIVE_MINUTES)
    assert verdict(scheme, late) is Denied.STALE
    assert verdict(scheme, msgspec.structs.replace(late, options={"tolerance": 2 * FIVE_MINUTES})) is None


# --- one scheme at a time

LEAD = '{"nome":"João da Silva","email":"joao@email.com","telefone":"(11) 98765-4321"}'


def test_standard_takes_any_signature_of_a_list_made_while_keys_change() -> None:
    delivery = Delivery(
        secrets={"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        headers={
            "webhook-id": "msg_01J9ZLEAD0001",
            "webhook-timestamp": "1767225600",
            "webhook-signature": "v1,Ixi/raHvnq2nme2IZz74cRSTkw7N1HdqKqrY/nGvDms= "
            "v1,rkY5lLYmctVlcPPjD7Adu7npaEBLIPBa6iEI83WXM/0=",
        },
        body=LEAD,
        at=1_767_225_600_000,
    )
    assert verdict(named("standard"), delivery) is None
    old = msgspec.structs.replace(delivery, secrets={"secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"})
    assert verdict(named("standard"), old) is None


def test_standard_takes_the_headers_of_svix() -> None:
    delivery = named("standard").examples[0]
    headers = {name.replace("webhook", "svix"): value for name, value in delivery.headers.items()}
    assert verdict(named("standard"), msgspec.structs.replace(delivery, headers=headers)) is None


def test_standard_takes_no_asymmetric_signature() -> None:
    delivery = named("standard").examples[0]
    call = with_headers(call_of(delivery), {"webhook-signature": "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="})
    assert verdict(named("standard"), delivery, call) is Denied.MALFORMED


def test_more_than_ten_signatures_are_refused_unread() -> None:
    delivery = named("standard").examples[0]
    good = delivery.headers["webhook-signature"]
    ten = with_headers(call_of(delivery), {"webhook-signature": f"{'v1,a ' * 9}{good}"})
    assert verdict(named("standard"), delivery, ten) is None
    eleven = with_headers(call_of(delivery), {"webhook-signature": f"{'v1,a ' * 10}{good}"})
    assert verdict(named("standard"), delivery, eleven) is Denied.MALFORMED


def test_github_takes_no_sha1() -> None:
    delivery = named("github").examples[0]
    assert verdict(named("github"), delivery, with_headers(call_of(delivery), {"x-hub-signature-256": None})) is (
        Denied.ABSENT
    )


def test_stripe_takes_any_of_its_signatures_and_one_time() -> None:
    delivery = named("stripe").examples[0]
    good = delivery.headers["Stripe-Signature"]
    first = with_headers(call_of(delivery), {"stripe-signature": f"v1=00, {good}"})
    assert verdict(named("stripe"), delivery, first) is None
    twice = with_headers(call_of(delivery), {"stripe-signature": f"t=1,{good}"})
    assert verdict(named("stripe"), delivery, twice) is Denied.MALFORMED


@pytest.mark.parametrize("time", ["", "-1", "+1767225600", "1_767_225_600", "1e9", "١٧٦٧٢٢٥٦٠٠", "9" * 16, "NaN"])
def test_time_is_made_of_digits_alone(time: str) -> None:
    delivery = named("stripe").examples[0]
    call = with_headers(call_of(delivery), {"stripe-signature": f"t={time},v1=00"})
    assert verdict(named("stripe"), delivery, call) is Denied.MALFORMED


def test_hubspot_signs_some_characters_of_the_address_as_themselves() -> None:
    delivery = named("hubspot").examples[0]
    encoded = delivery.url.replace("/66f", "%2f66f").replace("=", "%3D")
    assert verdict(named("hubspot"), delivery, replace(call_of(delivery), url=encoded.encode())) is Denied.WRONG
    encoded = delivery.url.replace("/66f", "%2f66f")
    assert verdict(named("hubspot"), delivery, replace(call_of(delivery), url=encoded.encode())) is None


def test_hubspot_takes_no_version_1() -> None:
    delivery = named("hubspot").examples[0]
    first = {
        "X-HubSpot-Signature-Version": "v1",
        "X-HubSpot-Signature": "50ff6ace32f460a854f8498a02dfd20c9e91550a8f7ee27c0cc93fcd15a619e0",
    }
    assert verdict(named("hubspot"), msgspec.structs.replace(delivery, headers=first)) is Denied.ABSENT


def test_mercadopago_leaves_out_what_a_request_lacks() -> None:
    delivery = Delivery(  # HMAC-SHA256 of `request-id:r;ts:1;` with mp_secret_key, by OpenSSL
        secrets={"secret": "mp_secret_key"},
        headers={
            "x-signature": "ts=1,v1=4f29ad9da64c430129ca4d6df064b77e181da961e0e5700ae939960f7f3e6e43",
            "x-request-id": "r",
        },
    )
    assert verdict(named("mercadopago"), delivery) is None


def test_pagarme_takes_the_name_of_the_algorithm_before_the_signature() -> None:
    delivery = named("pagarme").examples[0]
    signature = f"sha1={delivery.headers['X-Hub-Signature']}"
    assert verdict(named("pagarme"), delivery, with_headers(call_of(delivery), {"x-hub-signature": signature})) is None


def test_capitals_and_padding_make_no_other_signature() -> None:
    github, shopify = named("github").examples[0], named("shopify").examples[0]
    capitals = github.headers["X-Hub-Signature-256"].removeprefix("sha256=").upper()
    call = with_headers(call_of(github), {"x-hub-signature-256": capitals})
    assert verdict(named("github"), github, call) is None
    bare = shopify.headers["X-Shopify-Hmac-SHA256"].rstrip("=")
    call = with_headers(call_of(shopify), {"x-shopify-hmac-sha256": bare})
    assert verdict(named("shopify"), shopify, call) is None


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_headers_that_prove_the_sender_are_known_and_the_proof_is_in_the_first(scheme: Scheme) -> None:
    example = scheme.examples[0]
    first, *beside = proving_headers(scheme.name, example.options)
    assert proof(scheme.name, example.options).endswith(f" in {first}")
    assert {first, *beside} <= example.headers.keys()


def test_headers_that_a_scheme_does_not_look_at_prove_nothing() -> None:
    assert proving_headers("github", {}) == ("X-Hub-Signature-256",)
    assert proving_headers("standard", {}) == ("webhook-signature", "webhook-id", "webhook-timestamp")


def test_meta_signs_as_its_libraries_document_it() -> None:
    signature = "sha256=0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914"
    delivery = Delivery(secrets={"secret": "secret"}, headers={"X-Hub-Signature-256": signature}, body="test")
    assert verdict(named("meta"), delivery) is None


@pytest.mark.parametrize(
    ("options", "key", "content", "algorithm", "written"),
    [
        ({}, b"s3cr3t", b"B", "sha256", bytes.hex),
        ({"algorithm": "sha1"}, b"s3cr3t", b"B", "sha1", bytes.hex),
        ({"algorithm": "sha512", "encoding": "base64"}, b"s3cr3t", b"B", "sha512", lambda d: b64encode(d).decode()),
        ({"encoding": "base64url"}, b"s3cr3t", b"B", "sha256", lambda d: urlsafe_b64encode(d).decode()),
        ({"prefix": "v1,"}, b"s3cr3t", b"B", "sha256", lambda d: f"v1,{d.hex()}"),
        ({"prefix": "sha256="}, b"s3cr3t", b"B", "sha256", lambda d: f"00, sha256={d.hex()}"),
        ({"key": "hex"}, bytes.fromhex("00ff"), b"B", "sha256", bytes.hex),
        ({"key": "base64"}, b64decode("czNjcjN0"), b"B", "sha256", bytes.hex),
        ({"signed": "{method} {url}"}, b"s3cr3t", b"POST https://hooks.example/a?n=1%202", "sha256", bytes.hex),
        ({"signed": "{query.n}:{body}"}, b"s3cr3t", b"1 2:B", "sha256", bytes.hex),
        ({"signed": "{id}{{}}", "id": "X-Id"}, b"s3cr3t", b"i{}", "sha256", bytes.hex),
    ],
)
def test_hmac_signs_what_its_options_say(
    options: dict[str, str], key: bytes, content: bytes, algorithm: str, written: Callable[[bytes], str]
) -> None:
    """What is signed, with which key and how it is written is said by the test, not by the product."""
    secret = {"hex": "00ff", "base64": "czNjcjN0"}.get(options.get("key", ""), "s3cr3t")
    signature = written(hmac.new(key, content, algorithm).digest())
    delivery = Delivery(
        secrets={"secret": secret},
        options={"header": "X-Sig", **options},
        headers={"X-Sig": signature, "X-Id": "i"},
        body="B",
        url="https://hooks.example/a?n=1%202",
    )
    assert verdict(named("hmac"), delivery) is None
    other = with_headers(call_of(delivery), {"x-sig": signature.translate(str.maketrans("0123456789", "1234567890"))})
    assert verdict(named("hmac"), delivery, other) is Denied.WRONG
