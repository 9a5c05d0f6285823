"""stripe: https://docs.stripe.com/webhooks/signature. The example was computed; Stripe publishes none."""

from functools import partial

from compiler.catalog import Delivery, Scheme
from runtime.schemes._signature import SECRETS, TOLERANCE, Signature, body, pairs, signed, timestamp

SCHEME = Scheme(
    name="stripe",
    params=(*SECRETS, TOLERANCE),
    proof="HMAC-SHA256 of time and body in Stripe-Signature",
    doc=(
        "Takes what Stripe signs with an endpoint's signing secret, which is used whole, with its `whsec_`. Of several "
        "signatures one is enough. `dedupe by id for 3d`, over the body's id, lets an event count once."
    ),
    examples=(
        Delivery(
            secrets={"secret": "whsec_test_secret"},
            headers={
                "Stripe-Signature": "t=1767225600,v1=006f546f500cf895dfa769439cf8127ca7cae350da4ced8d7f9823f53296d1aa,"
                "v0=ignored"
            },
            body='{"id":"evt_1","object":"event","type":"checkout.session.completed"}',
            at=1_767_225_600_000,
        ),
    ),
)

make = signed(SCHEME, Signature("stripe-signature", (timestamp, b".", body), partial(pairs, b"t", b"v1")))
