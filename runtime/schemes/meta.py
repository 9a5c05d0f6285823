"""meta: https://developers.facebook.com/docs/graph-api/webhooks/getting-started, for WhatsApp, Instagram and the rest.

The example was computed.
"""

from dataclasses import replace
from functools import partial

from compiler.catalog import Delivery, Param, Scheme
from runtime.schemes._call import Call
from runtime.schemes._lock import Denied, Lock, Options, Secrets, is_one_of, keys
from runtime.schemes._signature import SECRETS, Signature, body, prefixed, signed

SCHEME = Scheme(
    name="meta",
    params=(
        *SECRETS,
        Param(
            "verify",
            "secret",
            required=False,
            doc="the verify token with which Meta tries the address; without it none",
        ),
    ),
    proof="HMAC-SHA256 of the body in X-Hub-Signature-256",
    doc=(
        "Takes what Meta (WhatsApp Cloud API, Messenger, Instagram, Lead Ads) signs with the app secret. Meta tries an "
        "address with a GET that has the verify token, and gets its challenge back. The time is not signed, and there "
        "is no id of a delivery: take the ids of messages and statuses."
    ),
    examples=(
        Delivery(
            secrets={"secret": "meta_app_secret_0123456789abcdef"},
            headers={"X-Hub-Signature-256": "sha256=17c5506357a4f3092f746f56147d9fb4dc9517af56bff62a19051862585cf25b"},
            body='{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":'
            '{"messaging_product":"whatsapp","statuses":[{"id":"wamid.X","status":"failed","recipient_id":'
            '"558287654321"}]},"field":"messages"}]}]}',
        ),
    ),
)

_signed = signed(SCHEME, Signature("x-hub-signature-256", (body,), prefixed("sha256=")))


def make(secrets: Secrets, options: Options) -> Lock:
    """Give the scheme its secrets."""
    made = _signed(secrets, options)
    verify = keys(secrets, "verify")
    return replace(made, greets=partial(_greets, verify)) if verify else made


def _greets(verify: tuple[bytes, ...], call: Call) -> bytes | Denied | None:
    """The challenge of a GET that has the verify token."""
    if call.method != b"GET" or call.parameter("hub.mode") != "subscribe":
        return None
    given = (call.parameter("hub.verify_token") or "").encode(errors="replace")
    if not is_one_of(given, verify):
        return Denied.WRONG
    return (call.parameter("hub.challenge") or "").encode(errors="replace")
