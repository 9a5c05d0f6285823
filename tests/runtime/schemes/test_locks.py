"""What all schemes share: a proof is the whole one, made with any of the secrets, and compared in constant time."""

import hmac
from dataclasses import replace

import msgspec
import pytest

from compiler.catalog import Delivery, Scheme
from runtime.schemes import Denied, SecretError, _lock, call_of, make_lock
from tests.runtime.schemes.calls import EXAMPLES, named, verdict, with_headers

TOKEN = named("token").examples[0]
OTHERS = ("webhook-id", "webhook-timestamp", "x-request-id", "x-hub-signature")  # what stands beside a proof


def proof_of(delivery: Delivery) -> str:
    """The header in which a worked example has its proof."""
    own = [name for name in delivery.headers if "timestamp" not in name.lower() and "nonce" not in name.lower()]
    return next((name for name in own if name.lower() not in OTHERS), own[0])


@pytest.mark.parametrize(
    ("scheme", "delivery"), EXAMPLES, ids=[f"{one.name}-{n}" for n, (one, _) in enumerate(EXAMPLES)]
)
@pytest.mark.parametrize("extent", ["longer", "shorter", "empty"])
def test_a_part_of_a_proof_and_more_than_a_proof_prove_nothing(scheme: Scheme, delivery: Delivery, extent: str) -> None:
    header = proof_of(delivery)
    proof = delivery.headers[header].removesuffix(",v0=ignored").rstrip("=")
    told = {"longer": proof + "0", "shorter": proof[:-1], "empty": ""}[extent]
    call = with_headers(call_of(delivery), {header.lower(): told})
    assert verdict(scheme, delivery, call) in (Denied.WRONG, Denied.MALFORMED)


@pytest.mark.parametrize(("secret", "old"), [("s3cr3t", "other"), ("other", "s3cr3t")])
def test_either_secret_is_good_whichever_stands_first(secret: str, old: str) -> None:
    assert verdict(named("token"), msgspec.structs.replace(TOKEN, secrets={"secret": secret, "old": old})) is None


def test_every_secret_is_compared_in_constant_time_also_after_one_was_right(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def compare(given: bytes, known: bytes) -> bool:
        compared.append(known)
        return hmac.compare_digest(given, known)

    monkeypatch.setattr(_lock, "compare_digest", compare)
    both = msgspec.structs.replace(TOKEN, secrets={"secret": "s3cr3t", "old": "other"})
    assert verdict(named("token"), both) is None
    assert compared == [b"s3cr3t", b"other"]


@pytest.mark.parametrize(("scheme", "param"), [("token", "secret"), ("github", "old"), ("standard", "secret")])
def test_a_secret_that_is_empty_makes_no_lock(scheme: str, param: str) -> None:
    empty = "whsec_" if scheme == "standard" else ""
    with pytest.raises(SecretError, match=r"^is empty$") as refused:
        make_lock(scheme, {"secret": "s3cr3t", param: empty}, {"header": "X-Token"})
    assert refused.value.param == param


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_of_a_proof_is_needed(header: str) -> None:
    delivery = named("standard").examples[0]
    assert verdict(named("standard"), delivery, with_headers(call_of(delivery), {header: None})) is Denied.ABSENT


@pytest.mark.parametrize("query", [b"", b"b=1", b"a=1" + b"&b" * 1000, b"a=\xff"])
def test_a_parameter_that_is_signed_and_cannot_be_read_is_absent(query: bytes) -> None:
    options: dict[str, str | int] = {"header": "X-Signature", "signed": "{query.a}{body}"}
    made = hmac.digest(b"s3cr3t", b"1", "sha256").hex()
    delivery = Delivery(secrets={"secret": "s3cr3t"}, options=options, headers={"X-Signature": made}, body="")
    assert verdict(named("hmac"), delivery, replace(call_of(delivery), query=b"a=1")) is None
    assert verdict(named("hmac"), delivery, replace(call_of(delivery), query=query)) is Denied.ABSENT


@pytest.mark.parametrize(
    "query", ["data.id=ord01jq4s4ky8hwq6na5pxb65b3d3;request-id:f7b2a1d4-0b1c-4ec2-aaaa-9e8b1d2f3c4d", "data.id=a;"]
)
def test_no_id_of_mercadopago_says_what_another_part_of_the_manifest_says(query: str) -> None:
    """Else whoever has seen one notification could send it with another id."""
    scheme, delivery = named("mercadopago"), named("mercadopago").examples[0]
    call = replace(with_headers(call_of(delivery), {"x-request-id": None}), query=query.encode())
    assert verdict(scheme, delivery, call) is Denied.ABSENT


@pytest.mark.parametrize("token", ["&hub.verify_token=", "", "&hub.verify_token=t0ken0", "&hub.verify_token=%FF"])
def test_meta_gets_its_challenge_back_for_the_whole_token_alone(token: str) -> None:
    lock = make_lock("meta", {"secret": "s3cr3t", "verify": "t0ken"}, {})
    query = f"hub.mode=subscribe&hub.challenge=1{token}".encode()
    call = replace(call_of(named("meta").examples[0]), method=b"GET", query=query)
    assert lock.greets(call) is Denied.WRONG
    assert lock.greets(replace(call, query=b"hub.mode=subscribe&hub.challenge=1&hub.verify_token=t0ken")) == b"1"
