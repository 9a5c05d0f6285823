"""shopify: https://shopify.dev/docs/apps/build/webhooks/verify-deliveries. The example was computed."""

from compiler.catalog import Delivery, Scheme
from runtime.schemes._signature import SECRETS, Signature, body, signed

SCHEME = Scheme(
    name="shopify",
    params=SECRETS,
    proof="HMAC-SHA256 of the body in X-Shopify-Hmac-SHA256",
    doc=(
        "Takes what Shopify signs with an app's client secret. The time is not signed; "
        '`dedupe by headers["x-shopify-event-id"] for 3d` lets an event count once.'
    ),
    examples=(
        Delivery(
            secrets={"secret": "shopify_client_secret"},
            headers={"X-Shopify-Hmac-SHA256": "hEeNECLL1HDL0qRHPWxAPvVcoFy9mNEYp3CIgBuDTJI="},
            body='{"id":820982911946154508,"email":"joao@email.com","phone":"+5511987654321"}',
        ),
    ),
)

make = signed(SCHEME, Signature("x-shopify-hmac-sha256", (body,), encoding="base64"))
