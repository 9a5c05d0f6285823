"""meetime: https://meetime.readme.io/reference/webhooks-1. The example was computed."""

from compiler.catalog import Delivery, Scheme
from runtime.schemes._signature import SECRETS, Signature, body, signed

SCHEME = Scheme(
    name="meetime",
    params=SECRETS,
    proof="HMAC-SHA256 of the body in X-Meetime-Signature",
    doc=(
        "Takes what Meetime signs: base64 of the alphabet for addresses. The time is not signed; "
        '`dedupe by headers["x-meetime-delivery"] for 3d` lets a delivery count once.'
    ),
    examples=(
        Delivery(
            secrets={"secret": "meetime-secret"},
            headers={"X-Meetime-Signature": "8KJx7k2z-e4l6eR1zHevHSn2YVo7hHweU2EdgPj82k0="},
            body='{"nome":"João da Silva","email":"joao@email.com","telefone":"(11) 98765-4321"}',
        ),
    ),
)

make = signed(SCHEME, Signature("x-meetime-signature", (body,), encoding="base64url"))
