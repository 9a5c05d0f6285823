"""woocommerce: https://developer.woocommerce.com/docs/best-practices/urls-and-routing/webhooks/.

The example was computed.
"""

import re
from dataclasses import replace

from compiler.catalog import Delivery, Scheme
from runtime.schemes._call import Call
from runtime.schemes._lock import Lock, Options, Secrets
from runtime.schemes._signature import SECRETS, Signature, body, signed

SCHEME = Scheme(
    name="woocommerce",
    params=SECRETS,
    proof="HMAC-SHA256 of the body in X-WC-Webhook-Signature",
    doc=(
        "Takes what WooCommerce signs with the secret of a webhook. The time is not signed; "
        '`dedupe by headers["x-wc-webhook-delivery-id"] for 3d` lets a delivery count once. The form `webhook_id=N`, '
        "with which a shop tries an address, is answered and starts nothing."
    ),
    examples=(
        Delivery(
            secrets={"secret": "woo-secret"},
            headers={"X-WC-Webhook-Signature": "97uz3AZ8qt+ODYWjg9rBTa1BjUsQWCDJANwFtAXlM/A="},
            body='{"nome":"João da Silva","email":"joao@email.com","telefone":"(11) 98765-4321"}',
        ),
    ),
)

_PING = re.compile(rb"webhook_id=[0-9]{1,20}")

_signed = signed(SCHEME, Signature("x-wc-webhook-signature", (body,), encoding="base64"))


def make(secrets: Secrets, options: Options) -> Lock:
    """Give the scheme its secrets."""
    return replace(_signed(secrets, options), greets=_greets)


def _greets(call: Call) -> bytes | None:
    """A shop sends one unsigned form when a webhook is made, and wants 200."""
    is_ping = isinstance(call.body, bytes) and _PING.fullmatch(call.body) is not None
    return b"ok" if call.method == b"POST" and is_ping else None
