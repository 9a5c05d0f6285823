"""clicksign: https://developers.clicksign.com/docs/disparos-de-webhooks. The example was computed."""

from compiler.catalog import Delivery, Scheme
from runtime.schemes._signature import SECRETS, Signature, body, prefixed, signed

SCHEME = Scheme(
    name="clicksign",
    params=SECRETS,
    proof="HMAC-SHA256 of the body in Content-Hmac",
    doc="Takes what Clicksign signs with the secret of a webhook. The time is not signed.",
    examples=(
        Delivery(
            secrets={"secret": "clicksign-hmac-secret"},
            headers={"Content-Hmac": "sha256=0fe0b581a0ffdb89b11573bc4437f8600a9df7bfe3ef0b31a5810166c02180ba"},
            body='{"nome":"João da Silva","email":"joao@email.com","telefone":"(11) 98765-4321"}',
        ),
    ),
)

make = signed(SCHEME, Signature("content-hmac", (body,), prefixed("sha256=")))
